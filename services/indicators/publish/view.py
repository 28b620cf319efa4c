"""What the addresses look at: the plan, the fold, the reports; and what the sender of a request may see of them."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from starlette.requests import Request

from services.indicators.figures.examples import Example
from services.indicators.figures.figures import Figures, all_figures, figures
from services.indicators.figures.kinds import Span
from services.indicators.folded.feed import Rebuilt
from services.indicators.folded.state import State
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Row
from shared.contracts.indicators import IntakePurged
from shared.run.refusals import Refused


@dataclass(frozen=True, kw_only=True)
class View:
    """What the addresses look at; they change nothing."""

    plan: Plan
    state: Callable[[], State]
    streams: Callable[[], Mapping[str, int]]
    """Service -> last sequence known of its stream."""
    now: Callable[[], datetime]
    ready: Callable[[], bool]
    faults: Callable[[], list[str]] = list
    """In words, what stands still."""
    report: Callable[[str, int | None], Awaitable[bytes | None]]
    """(quarter, revision or None for the latest) -> the report as published."""
    rebuild: Callable[[], Awaitable[Rebuilt]]
    purged: Callable[[IntakePurged], Awaitable[None]]
    """Records that operators empty an intake."""
    examples: Mapping[str, Example] = field(default_factory=dict)
    """Row -> the worked example that its page shows."""
    played: bool = False
    """The clock does not run as real time does: what the countries report is likely invented, and the page says so."""
    token: str = ""
    """Whoever sends it as a bearer token sees exact figures; empty: nobody does."""

    def exact(self, request: Request) -> bool:
        """Say whether the request carries the operator's token."""
        given = request.headers.get("authorization", "").encode()
        return bool(self.token) and hmac.compare_digest(given, f"Bearer {self.token}".encode())

    def operator(self, request: Request) -> None:
        """Refuse (403) a request without the operator's token."""
        if not self.exact(request):
            raise Refused(403, "operators_only")

    def row(self, identity: str) -> Row:
        """Return a row of the plan; refuses (404) what is none."""
        if identity not in self.plan.rows:
            raise Refused(404, "no_indicator")
        return self.plan.rows[identity]

    def figures(self, request: Request, identity: str, as_of: date | None = None) -> Figures:
        """Return a row's figures as the sender of the request may see them; refuses (404) what is no row."""
        return figures(self.plan, self.row(identity), self.state(), self._span(as_of), exact=self.exact(request))

    def all_figures(self, request: Request, as_of: date | None = None) -> list[Figures]:
        """Return every row's figures as the sender of the request may see them."""
        return all_figures(self.plan, self.state(), self._span(as_of), exact=self.exact(request))

    def _span(self, as_of: date | None) -> Span:
        return Span.as_of(as_of) if as_of else Span.now(self.now().date())
