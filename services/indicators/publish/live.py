"""What has changed, for all who watch: worked out and encoded once, and sent as server-sent events.

An event is compressed once, too: gzip's blocks need not know what went before (RFC 1951), so that all get the same one.
A watcher has no queue: all that is kept of it is how far it has come. One that is slow gets, in one event, what has
changed since; one that reads nothing at all is ended by the server (`shared.run.web`).
"""

import asyncio
import re
import secrets
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request

from services.indicators.figures.figures import Figures
from services.indicators.figures.kept import SLICE_S, Kept
from services.indicators.folded.state import State
from services.indicators.planned.plan import Plan
from services.indicators.publish import answers, pages
from services.indicators.publish.overview import Seen
from shared.run.refusals import Refused
from shared.run.sending import LEVEL, takes

LIVE_S = 2.0
"""Seconds between two events to a watcher, if anything has changed."""
BEATS = 8
"""After so many times in which nothing has changed there is an event all the same."""
WATCHERS_MAX = 640
"""Watchers at once; who comes then asks again and again, as without events."""
LASTS_S = 3600.0
"""Seconds after which a watcher has to come again: it goes on where it was."""
FIGURES = ""
"""Instead of a language: figures for tools."""
GZIP = bytes.fromhex("1f8b0800000000000003")
"""With what the member begins (RFC 1952); it has no end, as the events have none."""


class Mark(NamedTuple):
    """How far a watcher has come."""

    version: int
    """Of the figures."""
    turn: int
    """Of the rest."""


NOTHING = Mark(-1, -1)


class Live:
    """The watchers of one plan and fold. All of them see what is published, and nothing exact."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that is told of
        self,
        plan: Plan,
        state: Callable[[], State],
        now: Callable[[], datetime],
        kept: Kept,
        looked: Callable[[], Awaitable[Seen]],
        uncounted: Callable[[], int],
    ) -> None:
        self._plan = plan
        self._state = state
        self._now = now
        self._kept = kept
        self._looked = looked
        self._uncounted = uncounted
        self._origin = secrets.token_hex(4)
        """Of the ids: those of another process, or of this one before, say nothing here."""
        self._seen = Seen({}, {}, {})
        self._at = Mark(0, 0)
        self._moved = asyncio.Event()
        self._joining = asyncio.Lock()
        self._comparing = asyncio.Lock()
        self._rows: dict[tuple[str, str], tuple[Figures, str]] = {}
        self._parts: dict[tuple[str, str], tuple[str, int]] = {}
        self._encoded: dict[tuple[str, Mark, bool], asyncio.Task[bytes]] = {}
        self.watchers = 0
        self.encodings = 0
        """How many events were made, each for any number of watchers."""

    def identity(self, mark: Mark | None = None) -> str:
        """Return the id of an event; without a mark that of what is kept now."""
        version, turn = mark or Mark(self._kept.version, self._at.turn)
        return f"{self._origin}-{version}-{turn}"

    async def turns(self) -> None:
        """Tell the watchers for ever what has changed."""
        while True:
            await asyncio.sleep(LIVE_S)
            if self.watchers:
                await self.turn()

    async def turn(self) -> None:
        """Tell them once."""
        self._seen = await self._looked()
        self._at = Mark(self._kept.version, self._at.turn + 1)
        self._encoded = {}
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def watched(self, request: Request, channel: str, since: str) -> EventSourceResponse:
        """Return the events of a channel, a language or `FIGURES`, from an id on; refuses (503) who is too many.

        `Last-Event-ID` goes before `since`.
        """
        if self.watchers >= WATCHERS_MAX:
            raise Refused(503, "too_many_watchers")
        mark = self._mark(request.headers.get("last-event-id", "") or since)
        squeezed = takes(request, "gzip")
        headers = {"Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if squeezed else {})
        return EventSourceResponse(self._events(channel, mark, squeezed=squeezed), headers=headers, ping=0)

    def _mark(self, since: str) -> Mark:
        """Return how far the id of an event says that somebody has come; what is none of ours says nothing."""
        found = re.fullmatch(f"{self._origin}-([0-9]{{1,15}})-([0-9]{{1,15}})", since)
        return Mark(*map(int, found.groups())) if found else NOTHING

    async def _events(self, channel: str, mark: Mark, *, squeezed: bool = False) -> AsyncIterator[bytes]:
        """Yield what has changed, until it is time to come again."""
        ends = time.monotonic() + LASTS_S
        self.watchers += 1
        try:
            async with self._joining:
                if self.watchers == 1 or not self._seen.now:  # nobody was told anything for a while
                    await self.turn()
            greeting = ServerSentEvent(comment="watching", retry=int(LIVE_S * 1000)).encode()
            yield GZIP + _squeezed(greeting) if squeezed else greeting
            while time.monotonic() < ends:
                moved, at = self._moved, self._at
                event = await self._event(channel, mark, squeezed=squeezed)
                if event:
                    mark = at
                    yield event
                await moved.wait()
            again = ServerSentEvent(event="again", data="").encode()
            yield _squeezed(again) if squeezed else again
        finally:
            self.watchers -= 1

    async def _event(self, channel: str, mark: Mark, *, squeezed: bool) -> bytes:
        """Return what has changed since a mark: made once for all who are there; empty: nothing."""
        key, at, seen = (channel, mark, squeezed), self._at, self._seen
        if key not in self._encoded:
            making = self._squeezed(channel, mark) if squeezed else self._made(channel, mark, at, seen)
            self._encoded[key] = asyncio.create_task(making)
        return await asyncio.shield(self._encoded[key])

    async def _squeezed(self, channel: str, mark: Mark) -> bytes:
        event = await self._event(channel, mark, squeezed=False)
        return _squeezed(event) if event else b""

    async def _made(self, channel: str, mark: Mark, at: Mark, seen: Seen) -> bytes:
        changed = [seen.now[name] for name, version in self._kept.changed.items() if version > mark.version]
        beat = mark.turn < 0 or at.turn % BEATS == 0
        data: object
        if channel == FIGURES:
            data = [answers.summary(one, self._uncounted()) for one in changed]
        else:
            rows = await self.rows(channel, changed)
            parts = await self._changed(channel, mark, at, seen)
            clock = {"clock": self._parts[channel, "clock"][0]}
            data = {f"row-{name}": row for name, row in rows.items()} | parts
            data = data | clock if beat or data.keys() - clock.keys() else {}
        if not data and not beat:
            return b""
        self.encodings += 1
        return ServerSentEvent(msgspec.json.encode(data).decode(), id=self.identity(at)).encode()

    async def _changed(self, lang: str, mark: Mark, at: Mark, seen: Seen) -> dict[str, str]:
        """Return the parts of the page that are no rows, as far as they are not what they were.

        Others get their turn between them, but nobody who compares them for a later turn.
        """
        found = {}
        async with self._comparing:
            for name, text in pages.parts(lang, self._plan, self._state(), self._now(), seen):
                held = self._parts.get((lang, name))
                if held is None or held[0] != text:
                    held = self._parts[lang, name] = text, at.turn
                if held[1] > mark.turn:
                    found[name] = text
                await asyncio.sleep(0)
        return found

    async def rows(self, lang: str, figures: Iterable[Figures]) -> dict[str, str]:
        """Return rows as the page shows them; others get their turn between those that are made anew."""
        found, turn = {}, time.perf_counter()
        for one in figures:
            held = self._rows.get((lang, one.row.id))
            if held is None or held[0] is not one:
                held = self._rows[lang, one.row.id] = one, pages.row(lang, self._plan, one)
            found[one.row.id] = held[1]
            if time.perf_counter() - turn > SLICE_S:
                await asyncio.sleep(0)
                turn = time.perf_counter()
        return found


def _squeezed(content: bytes) -> bytes:
    """Return content as blocks of a member of gzip that refer to nothing before them, and end with a whole byte."""
    squeezing = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return squeezing.compress(content) + squeezing.flush(zlib.Z_SYNC_FLUSH)
