"""Signed notes (C2SP signed-note), checkpoints of a log (tlog-checkpoint) and their cosignatures (tlog-cosignature).

All signatures are Ed25519. A key stands in a file of one line: the signer's in the form of Go's sumdb/note, the
verifier's as the specification has it (vkey).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

SIGNS, COSIGNS = 1, 4
"""The kinds of signature: of a log over its checkpoint, of a witness over that and a time."""
NAME = re.compile(r"[^\s+]{1,200}")
NOTE_BYTES_MAX = 16 * 1024
SIGNATURES_MAX = 64
SIZE_MAX = 2**63 - 1
PROOF_MAX = 63
_DASH = "\N{EM DASH} "
_PRIVATE = "PRIVATE+KEY+"
_PROOF = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_CHECKPOINT = re.compile(r"(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[^\n]+)\n([^\n]+\n)*")


class NoteError(ValueError):
    """A note, a checkpoint, a key or a signature is not one, or not by whom it should be."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: how many rows it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{encoded(self.root)}\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """Whose signatures of one kind are known."""

    name: str
    kind: int
    key: bytes

    @property
    def id(self) -> bytes:
        """The key's id, four bytes."""
        return _id(self.name, self.kind, self.key)

    @property
    def vkey(self) -> str:
        """The key as a line."""
        return f"{self.name}+{self.id.hex()}+{encoded(bytes([self.kind]) + self.key)}"

    def holds(self, text: str, signature: bytes) -> bool:
        """Say whether a signature is this key's over a text."""
        covered = text
        if self.kind == COSIGNS:
            if len(signature) != 8 + 64:
                return False
            covered = _cosigned(text, int.from_bytes(signature[:8]))
        try:
            VerifyKey(self.key).verify(covered.encode(), signature[-64:] if self.kind == COSIGNS else signature)
        except (BadSignatureError, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs, of one kind."""

    name: str
    kind: int
    seed: bytes

    @property
    def verifier(self) -> Verifier:
        """What verifies it."""
        return Verifier(self.name, self.kind, bytes(SigningKey(self.seed).verify_key))

    @property
    def line(self) -> str:
        """The key as a line, to be kept secret."""
        return f"{_PRIVATE}{self.name}+{self.verifier.id.hex()}+{encoded(bytes([self.kind]) + self.seed)}"

    def sign(self, text: str, at: int = 0) -> str:
        """Return the line of a signature over a text; a witness's names the time (seconds since 1970)."""
        covered = _cosigned(text, at) if self.kind == COSIGNS else text
        signature = SigningKey(self.seed).sign(covered.encode()).signature
        stamp = at.to_bytes(8) if self.kind == COSIGNS else b""
        return f"{_DASH}{self.name} {encoded(self.verifier.id + stamp + signature)}\n"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The proof that a row stands in a log that was signed (C2SP tlog-proof)."""

    index: int
    covered: bytes
    """What the leaf covers (`tree.entry`): the proof's extra data."""
    proof: tuple[bytes, ...]
    note: str
    """The checkpoint."""

    @property
    def text(self) -> str:
        """The proof as a file."""
        lines = [_PROOF, f"extra {encoded(self.covered)}", f"index {self.index}", *map(encoded, self.proof), ""]
        return "".join(f"{line}\n" for line in lines) + self.note


def encoded(raw: bytes) -> str:
    """Return bytes in Base 64."""
    return base64.b64encode(raw).decode()


def decoded(text: str, size: int | None = None) -> bytes:
    """Return what stands in Base 64, of so many bytes; NoteError where it does not."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("not Base 64") from None
    if size is not None and len(raw) != size:
        raise NoteError(f"not {size} bytes")
    return raw


def read_signer(line: str) -> Signer:
    """Return a signer from its line; NoteError, which never quotes it."""
    if not line.startswith(_PRIVATE):
        raise NoteError("not a signer's key")
    name, kind, seed = _parts(line.removeprefix(_PRIVATE))
    signer = Signer(name, kind, seed)
    if signer.verifier.id != _named(line.removeprefix(_PRIVATE)):
        raise NoteError("the key's id is not its own")
    return signer


def read_verifier(line: str) -> Verifier:
    """Return a verifier from its line (vkey); NoteError."""
    verifier = Verifier(*_parts(line))
    if verifier.id != _named(line):
        raise NoteError("the key's id is not its own")
    return verifier


def signer_in(file: Path) -> Signer:
    """Return the signer in a file; NoteError or OSError."""
    return read_signer(file.read_text().strip())


def verifiers_in(file: Path) -> list[Verifier]:
    """Return the verifiers in a file, one a line; NoteError or OSError."""
    return [read_verifier(line) for line in file.read_text().split("\n") if line.strip()]


def parted(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Return a note's text, and of each signature the name, the key's id and the signature; NoteError."""
    if len(note) > NOTE_BYTES_MAX or any(ord(one) < ord(" ") and one != "\n" for one in note):
        raise NoteError("not a signed note")
    text, _, lines = note.rpartition("\n\n")
    if not text or not lines.endswith("\n"):
        raise NoteError("not a signed note")
    return f"{text}\n", signatures(lines)


def signatures(lines: str) -> list[tuple[str, bytes, bytes]]:
    """Return of each line of signatures the name, the key's id and the signature; NoteError."""
    found = []
    for line in lines.removesuffix("\n").split("\n"):
        name, _, signature = line.removeprefix(_DASH).partition(" ")
        raw = decoded(signature)
        if not line.startswith(_DASH) or not NAME.fullmatch(name) or len(raw) <= len("four"):
            raise NoteError("not a line of a signature")
        found.append((name, raw[:4], raw[4:]))
    if len(found) > SIGNATURES_MAX:
        raise NoteError("too many signatures")
    return found


def opened(note: str, known: Iterable[Verifier]) -> tuple[str, list[Verifier]]:
    """Return a note's text and who of those known signed it; NoteError where one's does not hold, or none's."""
    text, lines = parted(note)
    keys: Mapping[tuple[str, bytes], Verifier] = {(one.name, one.id): one for one in known}
    found = []
    for name, key, signature in lines:
        verifier = keys.get((name, key))
        if verifier is None or verifier in found:
            continue
        if not verifier.holds(text, signature):
            raise NoteError(f"the signature of {name} does not hold")
        found.append(verifier)
    if not found:
        raise NoteError("not signed by anybody known")
    return text, found


def checkpoint(text: str) -> Checkpoint:
    """Return what a checkpoint's text says; NoteError."""
    found = _CHECKPOINT.fullmatch(text)
    if not found or int(found["size"]) > SIZE_MAX:
        raise NoteError("not a checkpoint")
    return Checkpoint(found["origin"], int(found["size"]), decoded(found["root"], 32))


def receipt(text: str) -> Receipt:
    """Return what a receipt says; NoteError."""
    head, _, rest = text.partition("\n\n")
    lines = head.split("\n")
    if len(lines) < len(("format", "extra", "index")) or lines[0] != _PROOF or len(lines) > 3 + PROOF_MAX:
        raise NoteError("not a receipt")
    index = _INDEX.fullmatch(lines[2])
    if not lines[1].startswith("extra ") or not index:
        raise NoteError("not a receipt")
    proof = tuple(decoded(line, 32) for line in lines[3:])
    return Receipt(int(index[1]), decoded(lines[1].removeprefix("extra ")), proof, rest)


def signed(one: Checkpoint, lines: Sequence[str]) -> str:
    """Return the note of a checkpoint with the lines of its signatures."""
    return f"{one.text}\n{''.join(lines)}"


def _cosigned(text: str, at: int) -> str:
    return f"cosignature/v1\ntime {at}\n{text}"


def _id(name: str, kind: int, key: bytes) -> bytes:
    return hashlib.sha256(f"{name}\n".encode() + bytes([kind]) + key).digest()[:4]


def _parts(line: str) -> tuple[str, int, bytes]:
    name, _, rest = line.partition("+")
    key = decoded(rest.partition("+")[2])
    if not NAME.fullmatch(name) or len(key) != 1 + 32 or key[0] not in {SIGNS, COSIGNS}:
        raise NoteError("not a key of a known kind")
    return name, key[0], key[1:]


def _named(line: str) -> bytes:
    try:
        return bytes.fromhex(line.split("+")[1])
    except (ValueError, IndexError):
        raise NoteError("not a key") from None
