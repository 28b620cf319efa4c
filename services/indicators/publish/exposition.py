"""The text of the metrics, kept in pieces: a scrape joins them, and writes anew only what has changed."""

import asyncio
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache, partial
from typing import Any

from msgspec import Struct
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from services.indicators.figures.figures import Figures
from services.indicators.figures.kept import SLICE_S, Closed, Kept
from services.indicators.figures.milestones import Occurrence, occurrences
from services.indicators.figures.resting import rests
from services.indicators.figures.silence import silent
from services.indicators.figures.timeliness import Waits, delays, waits
from services.indicators.folded.state import State
from services.indicators.planned.persons import Rule
from services.indicators.planned.plan import Plan
from services.indicators.publish import metrics

LABELS_MAX = 65_536
"""Sets of labels whose text is remembered, and numbers: several times those of the whole catalogue."""
_number: Callable[[float], str] = lru_cache(LABELS_MAX)(floatToGoString)


class Text(Struct, frozen=True):
    """What a scrape gives."""

    body: bytes
    media: str


class Exposition:
    """All families of one plan and fold, as `metrics.Indicators` collects them."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that the families tell of
        self,
        plan: Plan,
        state: Callable[[], State],
        streams: Callable[[], Mapping[str, int]],
        now: Callable[[], datetime],
        kept: Kept,
        closed: Closed,
    ) -> None:
        self._plan = plan
        self._state = state
        self._streams = streams
        self._now = now
        self._kept = kept
        self._closed = closed
        self._feeding = sorted(rests(plan).due)
        self._came: Any = None
        """How many events of each of these types had come, or were amended, when due dates were looked at last."""
        self._due: list[Occurrence] = []
        self._pieces: dict[Hashable, tuple[Any, dict[str, bytes]]] = {}
        self._framed: dict[str, tuple[Mapping[str, bytes], bytes]] = {}
        self._joined = Text(b"", "")
        self._held: State | None = None
        self._of: Any = None
        """On what it rests that was joined last."""
        self.written = 0
        """How many lines were written."""

    async def text(self, accept: str) -> Text:
        """Return the text in the format that an `Accept` header asks for, all of it as of the same sequences."""
        rows = await self._rows()
        encode, media = choose_encoder(accept)
        of = self._stamp()
        if (of, media) == (self._of, self._joined.media):
            return self._joined
        whole = [*self._whole()]  # before others get their turn
        pieces = [*await self._by_row(rows), *whole]
        await asyncio.sleep(0)
        lines: dict[str, list[bytes]] = {name: [] for name in metrics.FAMILIES}
        for piece in pieces:
            for family, written in piece.items():
                lines[family].append(written)
        heads, end = self._heads(encode, media)
        body = b"".join(part for name, parts in lines.items() for part in (heads[name], *parts)) + end
        self._of, self._joined = of, Text(body, media)
        return self._joined

    def _stamp(self) -> Any:
        """Return on what all of it rests: as long as this is the same, so is the text.

        What is public rests on no report about a person, here neither: what is made anew takes longer, which tells
        whoever asks often enough that there was one.
        """
        state = self._held = self._state()  # held, so that no other gets its id
        closed = self._closed()
        public = closed is not None
        quiet = silent(self._plan, state, self._now(), public=public)
        if public:
            counted = {name: self._kept.counts.get(".".join(name)) for name in metrics.named(state, public=True)}
            return id(state), closed, self._kept.version, counted, dict(state.heard_openly), quiet
        return id(state), closed, self._kept.version, dict(state.sequences), dict(self._streams()), quiet

    async def prepare(self) -> None:
        """Write what has changed, so that the next scrape has less to do."""
        await self._by_row(await self._rows())

    async def _rows(self) -> list[tuple[str, int, Figures]]:
        """Return each row's figures, and the version with which they came."""
        return [(name, self._kept.changed[name], one) for name, one in (await self._kept.fresh()).items()]

    async def _by_row(self, rows: Iterable[tuple[str, int, Figures]]) -> list[dict[str, bytes]]:
        """Return the pieces of the rows; others get their turn between those that are written."""
        found, turn, public = [], time.perf_counter(), self._closed() is not None
        for name, version, one in rows:
            found.append(
                self._piece(name, version, partial(metrics.by_row, [one], public=public, k=self._plan.disclosure.k))
            )
            if time.perf_counter() - turn > SLICE_S:
                await asyncio.sleep(0)
                turn = time.perf_counter()
        return found

    def _whole(self) -> Iterator[dict[str, bytes]]:
        """Yield the pieces of what is told of the whole, in the families' order."""
        state, now, closed, counts = self._state(), self._now(), self._closed(), self._kept.counts
        public = closed is not None
        came = id(state), *(counts.get(name) for name in self._feeding)
        if came != self._came:
            self._came, self._due = came, occurrences(self._plan, state, public=public)
        yield self._piece("milestones", self._due, partial(metrics.milestones, self._due))
        for name in metrics.named(state, public=public):
            number = id(state), counts.get(".".join(name))
            yield self._piece(name, number, partial(_events, state, name))
        heard = state.heard_openly if public else state.heard
        yield self._piece("heard", dict(heard), partial(metrics.heard, heard))
        rejected = {} if public else dict(state.rejected)
        yield self._piece("rejected", rejected, partial(metrics.rejected, rejected))
        quiet = silent(self._plan, state, now, public=public)
        yield self._piece("silence", quiet, partial(metrics.silence, quiet))
        rule = self._plan.disclosure
        for who, took in waits(state, rule, closed).items():
            yield self._piece(who, took, partial(_delayed, state, rule, closed, {who: took}))
        at = [] if public else metrics.reached(state, self._streams())
        yield self._piece("positions", at, partial(metrics.positions, at))

    def _piece(self, key: Hashable, value: Any, make: Callable[[], Iterable[Metric]]) -> dict[str, bytes]:
        """Return family -> lines of one part, written anew only if what they tell is not what it was."""
        held = self._pieces.get(key)
        if held is None or held[0] != value:
            held = self._pieces[key] = value, {one.name: self._lines(one) for one in make() if one.samples}
        return held[1]

    def _heads(self, encode: Callable[[Collector], bytes], media: str) -> tuple[Mapping[str, bytes], bytes]:
        """Return what stands before the lines of each family, and at the end: the formats differ in that only."""
        form = media.partition(";")[0]
        if form not in self._framed:
            end = encode(_Empty(None))
            heads = {name: encode(_Empty(family)).removesuffix(end) for name, family in metrics.FAMILIES.items()}
            self._framed[form] = heads, end
        return self._framed[form]

    def _lines(self, family: Metric) -> bytes:
        self.written += len(family.samples)
        return "".join(
            [f"{one.name}{_labels(*one.labels.items())} {_number(one.value or 0.0)}\n" for one in family.samples]
        ).encode()


def _delayed(state: State, rule: Rule, closed: date | None, found: Waits) -> Iterable[Metric]:
    return metrics.delayed(delays(state, rule, closed, found))


def _events(state: State, name: metrics.Name) -> Iterable[Metric]:
    return metrics.events({name: metrics.each(state, name)})


@lru_cache(LABELS_MAX)
def _labels(*labels: tuple[str, str]) -> str:
    """Return labels as both formats have them."""
    told = [f'{name}="{_escaped(value)}"' for name, value in sorted(labels)]
    return f"{{{','.join(told)}}}" if told else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


class _Empty(Collector):
    def __init__(self, family: Metric | None) -> None:
        self._family = family

    def collect(self) -> Iterable[Metric]:
        return [self._family] if self._family else []
