"""How much later than it happened the region knew: a histogram by country and service."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from msgspec import Struct

from services.indicators.figures.cells import histogram
from services.indicators.figures.figures import Figures
from services.indicators.figures.suppression import Counts, Guard, Key
from services.indicators.folded.accounts import DELAYS
from services.indicators.folded.state import DELAY_SECONDS, State
from services.indicators.planned.checks import told_by_countries
from services.indicators.planned.delays import BOUNDS_S, LONGER
from services.indicators.planned.persons import Rule
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import ANY_REPORT, Row
from shared.contracts.vocabulary import REGION

_UP_TO = {word: str(bound) for word, bound in BOUNDS_S.items()} | {LONGER: "+Inf"}


class Delays(Struct, frozen=True):
    """The delays of what a country reported to a service, from `time` to `recordedtime`; amendments are left out."""

    country: str
    service: str
    buckets: list[tuple[str, int]]
    """(most seconds, how many took no longer), cumulative; `+Inf` last."""
    sum_s: int


Waits = Mapping[tuple[str, str], Mapping[str, int]]
"""(country, service) -> bucket (`+Inf`: longer than all) -> how many took so long."""


def waits(state: State, rule: Rule, closed: date | None) -> Waits:
    """Return how many of each country's reports to a service took how long; `EXACT`: of all.

    Any report may be about a person. So the public has those recorded by the end of the last period that is over
    (`closed`), and none where the number is small, or would give a small one away.
    """
    held: dict[tuple[str, str], dict[str, int]] = {}
    for (country, said, service), cell in state.sums[DELAYS.name].items():
        number = cell.total if closed is None else cell.between(0, closed.toordinal()) or 0
        if number:
            held.setdefault((country, service), {})[_UP_TO[said]] = number
    cells: dict[Key, Counts] = {key: (sum(n.values()),) for key, n in held.items()}
    guard = Guard({} if closed is None else cells, rule)
    return {key: counts for key, counts in sorted(held.items()) if closed is None or not guard.hides(key)}


def delays(state: State, rule: Rule, closed: date | None, found: Waits | None = None) -> Iterator[Delays]:
    """Yield each country's and service's delays, or those `found`; as the public has them, unless `closed` is `EXACT`.

    The public has rounded counts. Each delay counts as long as its bucket's bound (the last one, if longer still).
    """
    for (country, service), counts in (waits(state, rule, closed) if found is None else found).items():
        told = rule if closed else state.sums[DELAY_SECONDS][country, service].total
        one = histogram([*BOUNDS_S.values()], country, counts, told)
        yield Delays(country, service, one.buckets, one.sum_s)


def measuring(plan: Plan) -> list[str]:
    """Return the rows that measure what share of the reports came on time: by the delay of whatever is reported."""
    return [
        row.id
        for row in plan.rows.values()
        if row.kind == "ratio" and any(term.event == ANY_REPORT and "delay" in term.where for term in row.term)
    ]


def on_time(row: Row, found: Iterable[Figures]) -> dict[str, float]:
    """Return for each service to which countries report for a row what share of its reports came on time.

    `found`: the figures of the rows that measure it; what is not published there is left out here.
    """
    names = {term.event for term in row.term if term.event != ANY_REPORT and told_by_countries(term.event)}
    services = {name.partition(".")[0] for name in names}
    shares: dict[str, float] = {}
    for one in found:
        # A row without the label is of one service, which its terms name.
        named = {str(term.where.get("service")) for term in one.row.term}
        for cell in one.cells:
            service = cell.labels.get("service") or min(named)
            if cell.country == REGION and service in services and cell.value is not None:
                shares[service] = cell.value
    return dict(sorted(shares.items()))
