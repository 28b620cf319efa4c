"""The archive: closed months of a log as files, each proved by its hashes. What a fold or a restore begins with.

A file holds a row of the log a line, as JSON (NDJSON), compressed by Zstandard (RFC 8878). Its manifest names the
file's SHA-256, the positions, and the chain's hash before its first row and at its last. The files of a service follow
each other without a gap, and nothing is ever written over.
"""

import base64
import hashlib
import os
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple

import msgspec
from backports import zstd
from msgspec import Raw, Struct

from shared.record.chain import GENESIS, chained

LEVEL = 6
"""Of compression: about a tenth of the size, at some 100 MB a second."""


class ArchiveError(RuntimeError):
    """The archive cannot be read or written as it should be; the message says what is wrong where."""


class Manifest(Struct, frozen=True, kw_only=True):
    """What a file holds, and its proof."""

    service: str
    month: str
    """Of the last row's recorded time, such as 2003-05."""
    first: int
    last: int
    """Positions; those of files of one service are consecutive."""
    previous: str
    """Hash of the row before the first, in hexadecimal digits."""
    head: str
    """Hash of the last row."""
    since: datetime
    until: datetime
    """Recorded times of the first and the last row."""
    sha256: str
    """Of the file."""
    bytes: int
    """Of the file."""

    @property
    def name(self) -> str:
        """The file's name, in the folder of the service."""
        return f"{self.month}.ndjson.zst"


class Archived(NamedTuple):
    """A row of the log."""

    position: int
    payload: bytes
    hash: bytes
    said: bytes | None
    columns: tuple[str, ...] | None
    """Source, id, type, country, entity, where the payload cannot be read; else it says them."""
    signature: bytes | None = None
    """What its sender signed it with."""


class Line(Struct, frozen=True, gc=False):
    """A line of a file."""

    position: int
    hash: str
    event: Raw = Raw()
    said: str = ""
    signature: str = ""
    """Base64."""
    columns: tuple[str, ...] | None = None
    encoded: str | None = None
    """Base64, instead of `event`, where the payload is not one line of JSON."""

    @property
    def payload(self) -> bytes:
        """The row's payload, byte for byte."""
        return bytes(self.event) if self.encoded is None else base64.b64decode(self.encoded)


_lines = msgspec.json.Decoder(Line)
_json = msgspec.json.Decoder(Raw)
_manifest = msgspec.json.Decoder(Manifest)


def line_of(row: Archived) -> bytes:
    """Return a row as a line of a file, the payload byte for byte."""
    head = b'{"position":%d,"hash":"%s"' % (row.position, row.hash.hex().encode())
    if row.said:
        head += b',"said":"%s"' % row.said.hex().encode()
    if row.signature:
        head += b',"signature":"%s"' % base64.b64encode(row.signature)
    if row.columns is None and _plain(row.payload):
        return head + b',"event":' + row.payload + b"}\n"
    more = {"columns": row.columns, "encoded": base64.b64encode(row.payload).decode()}
    return head + b"," + msgspec.json.encode(more)[1:] + b"\n"


def _plain(payload: bytes) -> bool:
    """Say whether a payload can stand in a line as it is."""
    if b"\n" in payload or payload != payload.strip():
        return False
    try:
        payload.decode()
        _json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def manifests(folder: Path, service: str) -> list[Manifest]:
    """Return what is archived of a service, in order; ArchiveError where a file is missing between others."""
    try:
        found = [_manifest.decode(file.read_bytes()) for file in (folder / service).glob("*.json")]
    except msgspec.DecodeError as error:
        raise ArchiveError(f"{folder / service}: a manifest cannot be read: {error}") from None
    found.sort(key=lambda one: one.first)
    last, head = 0, GENESIS.hex()
    for one in found:
        if (one.service, one.first, one.previous) != (service, last + 1, head):
            raise ArchiveError(f"{folder / service / one.name} does not follow position {last} of {service}")
        last, head = one.last, one.head
    return found


def end(folder: Path, service: str) -> tuple[int, bytes]:
    """Return position and hash of the last row that is archived of a service; of none, those before the first row."""
    found = manifests(folder, service)
    return (found[-1].last, bytes.fromhex(found[-1].head)) if found else (0, GENESIS)


def rows(folder: Path, service: str, after: int = 0) -> Iterator[Archived]:
    """Yield the archived rows behind a position; ArchiveError where a file is not what its manifest says."""
    for one in manifests(folder, service):
        if one.last > after:
            file = folder / service / one.name
            intact(file, one)
            yield from (row_of(line) for line in lines(file) if line.position > after)


def payloads(folder: Path, one: Manifest) -> Iterator[tuple[int, bytes]]:
    """Yield position and payload of a file's rows: all that a fold needs."""
    file = folder / one.service / one.name
    intact(file, one)
    for line in lines(file):
        yield line.position, line.payload


def intact(file: Path, one: Manifest) -> None:
    """Hold a file against its manifest's SHA-256; raises ArchiveError."""
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise ArchiveError(f"{file}: {error.strerror}") from error
    if found != one.sha256:
        raise ArchiveError(f"{file}: its SHA-256 is not that of its manifest")


def lines(file: Path) -> Iterator[Line]:
    """Yield a file's lines, decoded."""
    try:
        with zstd.open(file, "rb") as opened:
            yield from map(_lines.decode, opened)
    except (zstd.ZstdError, msgspec.DecodeError, EOFError, OSError) as error:
        raise ArchiveError(f"{file} cannot be read: {type(error).__name__}") from error


def row_of(line: Line) -> Archived:
    """Return the row that a line holds."""
    said, signature = bytes.fromhex(line.said) or None, base64.b64decode(line.signature) or None
    return Archived(line.position, line.payload, bytes.fromhex(line.hash), said, line.columns, signature)


def proved(folder: Path, one: Manifest) -> None:
    """Read a file and hold each row against the chain; raises ArchiveError."""
    _proved(folder / one.service / one.name, one)


def _proved(file: Path, one: Manifest) -> None:
    intact(file, one)
    position, previous = one.first - 1, bytes.fromhex(one.previous)
    for row in map(row_of, lines(file)):
        position += 1
        previous = chained(previous, row.payload)
        if row.position != position or row.hash != previous:
            raise ArchiveError(f"{file}: the chain breaks at {position}")
    if (position, previous.hex()) != (one.last, one.head):
        raise ArchiveError(f"{file} ends at {position}, its manifest at {one.last}")


class Writing:
    """A file being written under another name; `done` gives it its own."""

    def __init__(self, folder: Path, service: str, month: str, after: tuple[int, bytes]) -> None:
        self._folder = folder
        self.service, self._month = service, month
        self._first, self._previous = after[0] + 1, after[1]
        self._at = after
        self._times: list[datetime] = []
        (folder / service).mkdir(parents=True, exist_ok=True)
        self._fresh = folder / service / f".{month}.{uuid.uuid4().hex}"
        self._raw: IO[bytes] = self._fresh.open("xb")
        self._zstd = zstd.ZstdFile(self._raw, "wb", level=LEVEL)

    def add(self, row: Archived, recorded: datetime | None) -> None:
        """Write the next row, with its recorded time as far as known; ArchiveError if it does not follow the last."""
        position, previous = self._at
        if row.position != position + 1 or row.hash != chained(previous, row.payload):
            raise ArchiveError(f"{self.service}: the chain breaks at {row.position}")
        self._zstd.write(line_of(row))
        self._at = row.position, row.hash
        if recorded:
            self._times = [*self._times[:1], recorded]

    def done(self) -> Manifest:
        """Have the file on disk, read it back, and only then give it and its manifest their names."""
        self._zstd.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()
        with self._fresh.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        one = Manifest(
            service=self.service,
            month=self._month,
            first=self._first,
            last=self._at[0],
            previous=self._previous.hex(),
            head=self._at[1].hex(),
            since=self._times[0],
            until=self._times[-1],
            sha256=sha256,
            bytes=self._fresh.stat().st_size,
        )
        place = self._folder / self.service
        _proved(self._fresh, one)
        _named(self._fresh, place / one.name, sha256)
        with self._fresh.open("xb") as opened:
            opened.write(msgspec.json.format(msgspec.json.encode(one)) + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
        _named(self._fresh, place / f"{self._month}.json", None)
        return one

    def discard(self) -> None:
        """Leave nothing behind."""
        self._raw.close()
        self._fresh.unlink(missing_ok=True)


def _named(fresh: Path, target: Path, sha256: str | None) -> None:
    """Give a written file its name, which no other may have; one that a run cut short left is the same or an error."""
    try:
        os.link(fresh, target)
    except FileExistsError:
        same = sha256 is not None and hashlib.sha256(target.read_bytes()).hexdigest() == sha256
        if not same:
            raise ArchiveError(f"{target} is there already, and nothing is written over") from None
    finally:
        fresh.unlink()
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
