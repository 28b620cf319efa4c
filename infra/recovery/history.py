"""All that was ever in a stream: what the archive has of it, then what the stream itself has."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct
from nats.aio.client import Client

from infra.nats.asking import ask
from infra.recovery.reading import Message, messages
from shared.flow import relay
from shared.record import archive
from shared.record.archive import ArchiveError


class _Told(Struct, frozen=True):
    type: str
    country: str


_told = msgspec.json.Decoder(_Told)


@dataclass(frozen=True)
class History:
    """The streams of a region, with its archive."""

    nc: Client
    archive: Path | None = None

    async def messages(self, stream: str, first: int = 1, subject: str = ">") -> AsyncIterator[Message]:
        """Yield what was stored in a stream from sequence `first` on, of a subject that may end in `>`.

        Raises ArchiveError where the stream begins later, and the archive does not reach as far.
        """
        info = await ask(self.nc, f"STREAM.INFO.{stream}")
        begun = max(1, info.get("config", {}).get("first_seq", 1))
        if first < begun:
            if self.archive is None or archive.end(self.archive, stream.lower())[0] < begun - 1:
                raise ArchiveError(f"{stream} begins at {begun}: what is before stands in the archive, name its folder")
            for one in _archived(self.archive, stream.lower(), first - 1):
                if one.sequence < begun and one.subject.startswith(subject.removesuffix(">")):
                    yield one
        async for message in messages(self.nc, stream, max(first, begun), subject):
            yield message


def _archived(folder: Path, service: str, after: int) -> Iterator[Message]:
    for row in archive.rows(folder, service, after):
        if row.columns is None:
            told = _told.decode(row.payload)
            subject = relay.subject(told.type, told.country)
        else:
            _, _, kind, country, _ = row.columns
            subject = relay.subject(kind, country)
        yield Message(row.position, subject, row.payload, signature=(row.signature or b"").decode(errors="replace"))
