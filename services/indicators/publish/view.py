"""What the addresses look at: the plan, the fold, the reports; and what the sender of a request may see of them."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from typing import Any, TypeVar

from starlette.requests import Request

from services.indicators.figures.disclosure import NOTHING_CLOSED, last_closed, refusal
from services.indicators.figures.examples import Example
from services.indicators.figures.figures import EXACT, Figures, composed, plain
from services.indicators.figures.kept import Closed, Kept
from services.indicators.figures.kinds import Span
from services.indicators.figures.past import Past, last_quarter_end, week_ago
from services.indicators.figures.resting import parts
from services.indicators.figures.suppression import rounded
from services.indicators.figures.timeliness import measuring, on_time
from services.indicators.figures.verdicts import hearing
from services.indicators.folded.feed import Rebuilt
from services.indicators.folded.state import State
from services.indicators.planned.checks import COMPOSED
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Row
from services.indicators.publish.access import bearer, who
from services.indicators.publish.commitments import Commitment, Commitments
from services.indicators.publish.escalated import Escalations
from services.indicators.publish.exposition import Exposition
from services.indicators.publish.live import Live
from services.indicators.publish.overview import Seen
from services.indicators.publish.recalling import Recall
from services.indicators.publish.store import Published
from services.indicators.publish.waiting import Waiting, Waits
from shared.contracts.indicators import IntakePurged
from shared.contracts.vocabulary import MEMBERS
from shared.run.refusals import Refused

T = TypeVar("T")
KEPT_KEY = "key"
"""The cookie in which a browser keeps a country's token."""
SETTLED = timedelta(hours=1)
"""So long after its end (in plan time) a period counts as over: what was recorded last in it has to be folded."""


class Closing:
    """The end of the last period that is over, for figures about persons.

    A period is over for the public once all that was recorded in it is folded: figures of a part of the streams would
    tell, from one look to the next, what the rest has.
    """

    def __init__(self, plan: Plan, now: Callable[[], datetime], ready: Callable[[], bool]) -> None:
        self._rule, self._now, self._ready = plan.disclosure, now, ready
        self._closed = NOTHING_CLOSED

    def __call__(self) -> date:
        """Return it; `NOTHING_CLOSED` until the fold has come to the end of its streams."""
        end = last_closed(self._rule, (self._now() - SETTLED).date())
        if end != self._closed and self._ready():
            self._closed = end
        return self._closed


async def _if_read(reading: Awaitable[T]) -> T | None:
    """Return what is read; None where the streams do not answer: whatever else a page has is there."""
    try:
        return await reading
    except Refused:
        return None


async def _unaudited(_address: str, _about: str) -> None:
    """Record nothing: there is no log."""


def _unnoted(_address: str, _about: str) -> None:
    """Record nothing: there is no log."""


async def _unknown(_quarter: str, _revision: int) -> dict[str, int]:
    return {}


async def _none() -> Sequence[Any]:
    return ()


@dataclass(frozen=True, kw_only=True)
class View:
    """What the addresses look at; they change nothing."""

    plan: Plan
    state: Callable[[], State]
    streams: Callable[[], Mapping[str, int]]
    """Service -> last sequence known of its stream."""
    now: Callable[[], datetime]
    ready: Callable[[], bool]
    settled: Callable[[], bool] = lambda: True
    """Whether the fold has come to the end of its streams."""
    faults: Callable[[], list[str]] = list
    """In words, what stands still."""
    report: Callable[[str, int | None], Awaitable[bytes | None]]
    """(quarter, revision or None for the latest) -> the report as published."""
    reports: Callable[[], Awaitable[Sequence[Published]]] = _none
    """Every revision of every quarter's report, in order."""
    seats: Callable[[], Awaitable[Sequence[tuple[datetime, str, str]]]] = _none
    """(since, body, holder) of every seat assigned, in order."""
    folded: Callable[[str, int], Awaitable[dict[str, int]]] = _unknown
    """(quarter, revision) -> the sequences at which the report was made, by service."""
    rebuild: Callable[[], Awaitable[Rebuilt]]
    purged: Callable[[IntakePurged], Awaitable[None]]
    """Records that operators empty an intake."""
    examples: Mapping[str, Example] = field(default_factory=dict)
    """Row -> the worked example that its page shows."""
    recall: Recall | None = None
    """Reads events again out of the streams; None: there are none at hand."""
    ask: Callable[[str, str, Mapping[str, Any]], Awaitable[Any]] | None = None
    """Asks a service (service, question, data) about the tree of its log; None: there is none to be asked."""
    audit: Callable[[str, str], Awaitable[None]] = _unaudited
    """Records that the operator looks at what is not published: at which address, about what."""
    noted: Callable[[str, str], None] = _unnoted
    """Records the same beside the answer, which does not wait for it."""
    played: bool = False
    """The clock does not run as real time does: what the countries report is likely invented, and the page says so."""
    token: str = ""
    """Whoever sends it as a bearer token sees exact figures; empty: nobody does."""

    def exact(self, request: Request) -> bool:
        """Say whether the request carries the operator's token."""
        given = bearer(request.headers.get("authorization", "")).encode()
        return bool(self.token) and hmac.compare_digest(given, self.token.encode())

    def country(self, request: Request) -> str:
        """Return the country whose token a request carries; empty: it carries none."""
        found = who(bearer(request.headers.get("authorization", "")), self.token)
        return found if found in MEMBERS else ""

    def reader(self, request: Request) -> str:
        """Return the country whose token a page is asked for with, in a header or kept by the browser; else none."""
        kept = who(request.cookies.get(KEPT_KEY, ""), self.token)
        return self.country(request) or (kept if kept in MEMBERS else "")

    async def own(self, request: Request, span: Span | None = None) -> tuple[str, Mapping[str, Figures]]:
        """Return which country asks, and every row's figures, of which it may see its own, exact; else nothing."""
        country = self.country(request)
        if not country:
            return "", {}
        exact = self.kept[True] if span is None else Kept(self.plan, self.state, lambda: span, self.closed[True])
        return country, await exact.fresh()

    def uncounted(self, request: Request | None = None) -> int:
        """Return how many events no figure has; for the public as numbers about persons are told."""
        number = self.state().uncounted
        exact = request is not None and self.exact(request)
        return number if exact else rounded((number,), self.plan.disclosure)[0]

    def operator(self, request: Request) -> None:
        """Refuse (403) a request without the operator's token."""
        if not self.exact(request):
            raise Refused(403, "operators_only")

    def row(self, identity: str) -> Row:
        """Return a row of the plan; refuses (404) what is none."""
        if identity not in self.plan.rows:
            raise Refused(404, "no_indicator")
        return self.plan.rows[identity]

    async def figures(self, request: Request, identity: str, span: Span | None = None) -> Figures:
        """Return a row's figures as the sender of the request may see them; refuses (404) what is no row.

        Of a span, or as of now.
        """
        self.row(identity)
        return await self._figures(request, span).one(identity)

    async def on_time(self, request: Request, identity: str, span: Span | None = None) -> dict[str, float]:
        """Return for each service to which countries report for a row what share of its reports came on time."""
        found = [await self._figures(request, span).one(name) for name in measuring(self.plan)]
        return on_time(self.row(identity), found)

    async def all_figures(self, request: Request, span: Span | None = None) -> list[Figures]:
        """Return every row's figures as the sender of the request may see them; of a span, or as of now."""
        return [*(await self._figures(request, span).fresh()).values()]

    async def series(self, request: Request, row: Row, each: Sequence[Span]) -> list[Figures]:
        """Return a row's figures of some spans; others get their turn behind every row that is worked out."""
        closed = self.closed[self.exact(request)]()
        return [await self._of(row.id, span, closed) for span in each]

    async def _of(self, name: str, span: Span, closed: date | None) -> Figures:
        state, found = self.state(), dict[str, Figures]()
        heard = hearing(self.plan, state, public=closed is not None)

        async def work(name: str) -> None:
            row = self.plan.rows[name]
            if row.kind not in COMPOSED:
                found[name] = plain(self.plan, row, state, span, heard, closed=closed)
                await asyncio.sleep(0)
                return
            if not refusal(row, span):
                for part in {*parts(self.plan, row)} - found.keys():
                    await work(part)
            found[name] = composed(self.plan, row, span, found.__getitem__)

        await work(name)
        return found[name]

    def _figures(self, request: Request, span: Span | None) -> Kept:
        exact = self.exact(request)
        return self.kept[exact] if span is None else Kept(self.plan, self.state, lambda: span, self.closed[exact])

    @cached_property
    def closed(self) -> Mapping[bool, Closed]:
        """The end of the last period of which the public has figures about persons (False); `EXACT` (True)."""
        return {False: Closing(self.plan, self.now, self.settled), True: lambda: EXACT}

    @cached_property
    def kept(self) -> Mapping[bool, Kept]:
        """The figures as of now: True for the exact ones, False for those that are published."""
        return {
            exact: Kept(self.plan, self.state, lambda: Span.now(self.now().date()), closed)
            for exact, closed in self.closed.items()
        }

    @cached_property
    def past(self) -> Mapping[bool, Past]:
        """The figures as of the end of the last quarter, in the same way."""
        return self._past(last_quarter_end)

    @cached_property
    def week(self) -> Mapping[bool, Past]:
        """The figures of a week ago, in the same way."""
        return self._past(week_ago)

    def _past(self, since: Callable[[date], date]) -> Mapping[bool, Past]:
        return {
            exact: Past(self.plan, self.state, self.now, closed, self.settled, since)
            for exact, closed in self.closed.items()
        }

    async def seen(self, request: Request) -> Seen:
        """Return today's figures and those of before, as the sender of the request may see them."""
        return await self.looked(exact=self.exact(request))

    async def looked(self, *, exact: bool) -> Seen:
        """Return the same figures, exact or as they are published."""
        before, week = await self.past[exact].fresh(), await self.week[exact].fresh()
        return Seen(await self.kept[exact].fresh(), before, week, public=not exact)

    @cached_property
    def commitments(self) -> Commitments | None:
        """What countries owe by a day; None: no stream is at hand."""
        return Commitments(self.recall, self.state) if self.recall else None

    async def owed(self) -> Sequence[Commitment] | None:
        """Return all commitments; None: they cannot be read just now."""
        return await _if_read(self.commitments.now()) if self.commitments else None

    @cached_property
    def escalations(self) -> Escalations | None:
        """What the presidency was told for its agenda; None: no stream is at hand."""
        return Escalations(self.recall, self.state) if self.recall else None

    @cached_property
    def waiting(self) -> Waiting | None:
        """What waits for each country, for its own eyes; None: no stream is at hand."""
        return Waiting(self.recall, self.state) if self.recall else None

    async def waits(self, country: str) -> Waits | None:
        """Return what waits for a country; None: it cannot be read just now."""
        return await _if_read(self.waiting.on(country)) if self.waiting else None

    @cached_property
    def expositions(self) -> Mapping[bool, Exposition]:
        """The text of the metrics, in the same way."""
        return {
            exact: Exposition(self.plan, self.state, self.streams, self.now, kept, self.closed[exact])
            for exact, kept in self.kept.items()
        }

    @cached_property
    def live(self) -> Live:
        """Who watches what is published."""
        return Live(
            self.plan, self.state, self.now, self.kept[False], partial(self.looked, exact=False), self.uncounted
        )

    async def keep(self) -> None:
        """Keep for ever ready what is published."""
        await self.kept[False].keep(self.expositions[False].prepare)
