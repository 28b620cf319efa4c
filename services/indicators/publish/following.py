"""Reading on where the look before stopped: what a page tells of events is read out of the streams as they grow."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from services.indicators.folded.state import State
from services.indicators.publish.recalling import Recall, Recalled
from services.indicators.publish.said import Said, read

LIMIT_S = 2.0
"""So long is read for one answer; the next one goes on from there."""


@dataclass(slots=True)
class Following:
    """Hands on each event under some subjects once, up to where the fold is."""

    recall: Recall
    state: Callable[[], State]
    wanted: Mapping[str, Sequence[str]]
    """Service -> subjects of its stream."""
    take: Callable[[Said], None]
    _reached: dict[str, int] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self) -> Recalled:
        """Take what has come since the look before; refuses (503) where the streams do not answer.

        The next look goes on behind what was taken by then.
        """

        def take(service: str, sequence: int, payload: bytes) -> bool:
            self._reached[service] = sequence
            with contextlib.suppress(msgspec.ValidationError):  # of a version of the contracts that is not known here
                self.take(read(payload))
            return True

        async with self._turn:
            sequences = self.state().sequences
            until = {service: sequences.get(service, 0) for service in self.wanted}
            found = await self.recall.read(self.wanted, self._reached, until, take, LIMIT_S)
            self._reached = found.reached
        return found
