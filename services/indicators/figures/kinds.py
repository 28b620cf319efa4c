"""What each kind of indicator makes of the sums: for every cell the numbers behind its figure, now or as of a day."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date

import msgspec
from msgspec import Struct

from services.indicators.figures import periods
from services.indicators.figures.milestones import occurrences_of
from services.indicators.figures.periods import Comparison
from services.indicators.figures.suppression import Counts
from services.indicators.folded import accounts
from services.indicators.folded.accounts import AS_ONE
from services.indicators.folded.state import BASELINE, OPEN_REPORTS, REPORTS, State
from services.indicators.folded.sums import Key
from services.indicators.folded.views import View
from services.indicators.planned import checks
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import ANY_REPORT, Row
from services.indicators.planned.schedule import end_of
from shared.contracts.vocabulary import MEMBERS, REGION

NO_VALUE = ("unknown", "other")
"""Label values that do not count as a value of their own."""


class Span(Struct, frozen=True):
    """The day that a figure is for: what had happened by its end, all there is, or a period that ends then."""

    day: date
    upto: int | None = None
    """The day if what happened later is left out; None: nothing is."""
    region: bool = False
    """For the region as one: what several tell counts once."""
    since: int | None = None
    """First day of the period whose own figure it is; None: it has no beginning."""
    known: int | None = None
    """Only what was recorded by the end of this day; None: all that was recorded."""

    public: bool = False
    """Who was heard is known by reports about no person only: one about a person would show in that."""

    @classmethod
    def now(cls, today: date) -> "Span":
        """Return the span of all that is known."""
        return cls(today)

    @classmethod
    def as_of(cls, day: date) -> "Span":
        """Return the span up to the end of a UTC day."""
        return cls(day, day.toordinal())

    @classmethod
    def of(cls, since: date, until: date) -> "Span":
        """Return the span of a period, both UTC days included."""
        return cls(until, until.toordinal(), since=since.toordinal())

    def known_on(self, day: date) -> "Span":
        """Return the same as it was known at the end of a UTC day."""
        return msgspec.structs.replace(self, known=day.toordinal())

    @property
    def begins(self) -> int:
        """The day before the first that counts."""
        return 0 if self.since is None else self.since - 1


Counted = dict[Key, Counts]
"""Cell (country, *labels) -> a count, or numerator and denominator."""


def counted(plan: Plan, row: Row, state: State, span: Span) -> Counted:
    """Return the numbers behind the row's cells: of what is to be 0, a 0 for whoever reports anything at all."""
    found = _KINDS[row.kind](plan, row, state, span)
    return found if row.labels else {(place,): (0,) for place in clean(plan, row, state, span)} | found


def clean(plan: Plan, row: Row, state: State, span: Span) -> set[str]:
    """Return who has none of what is at most to be so many, and would have said so: nobody before anybody reports."""
    if row.kind not in {"count", "current"} or row.direction not in {"at_most", "below"}:
        return set()
    if periods.stands(row, "value"):
        span = msgspec.structs.replace(span, since=None)
    heard = reporting(plan, state, span)
    return {str(REGION) for _ in heard} if checks.regional(row) else heard


def reported(plan: Plan, row: Row, state: State, span: Span, found: Counted) -> set[str]:
    """Return the countries that reported something for the row: of a trend or a year, something that its figure has."""
    cells = view(plan, row.id, accounts.REPORTED, state, public=span.public)
    found_there = cells.upto(span.upto, span.known) if span.since is None else _during(cells, span)
    told = {key[0] for key, n in found_there if n > 0}
    if any(term.event == ANY_REPORT for term in row.term):
        told = set(MEMBERS) if row.kind == "countries" else {key[0] for key in found}
    if row.window_days or row.period:
        told &= {key[0] for key, counts in found.items() if any(counts)}
    return told


def comparison(plan: Plan, row: Row, state: State, span: Span) -> Comparison | None:
    """Return the periods that a trend compares; None before both lie within the plan's time.

    The baseline is the period before the window, unless one was settled (`indicators.baseline.set`). Of a period, the
    window is that period, and of whole months the baseline as many months.
    """
    if row.kind != "trend" or not row.window_days:
        return None
    days = row.window_days if span.since is None else span.day.toordinal() - span.begins
    since = periods.ago(span.day, days - 1)
    settled = dict(state.levels[BASELINE].upto(span.upto, span.known)) if BASELINE in state.levels else {}
    first, last = settled.get((row.id, "since")), settled.get((row.id, "until"))
    if first is not None and last is not None:
        return Comparison(since, span.day, date.fromordinal(first), date.fromordinal(last))
    before = periods.ago(since, days) if span.since is None else periods.before(since, span.day)
    return None if before < plan.start else Comparison(since, span.day, before, periods.ago(since, 1))


def reporting(plan: Plan, state: State, span: Span) -> set[str]:
    """Return the countries of which a report was recorded by the end of the span's day, or in its period."""
    return {key[0] for key, _ in _during(view(plan, REPORTS, "value", state, public=span.public), span)}


def silent(plan: Plan, state: State, span: Span) -> set[str]:
    """Return the countries that had reported, and then nothing in the plan's `silent_days` up to the span's day."""
    end = span.day.toordinal()
    ever, lately = (msgspec.structs.replace(span, since=since) for since in (None, end - plan.silent_days + 1))
    return reporting(plan, state, ever) - reporting(plan, state, lately)


def view(plan: Plan, row: str, role: str, state: State, *, public: bool = False) -> View:
    """Return the cells that are added up for a row; `public`: of all reports only those about no person."""
    key = row, f"{role}/{OPEN_REPORTS}" if public else role
    if key not in state.views:
        sources = accounts.accounts_of(plan).sources.get((row, role), ())
        if public and all(source.name != REPORTS for source in sources):
            return view(plan, row, role, state)
        named = [msgspec.structs.replace(one, name=OPEN_REPORTS) if one.name == REPORTS else one for one in sources]
        state.views[key] = View(named if public else sources)
    return state.views[key].over(state.sums)


def upto(plan: Plan, row: Row, role: str, state: State, span: Span) -> Iterator[tuple[Key, int]]:
    """Yield the cells of one role by the end of the span's day (the year's part of them, for a yearly row).

    Of a period: what came in it, of what comes; what there was at its end, of what stands.
    """
    levels = state.levels.get(row.stored(role))
    upto = span.day.toordinal() if accounts.accounts_of(plan).ahead(row, role) else span.upto
    if levels is not None:
        yield from _as_one(_together(levels.upto(span.upto, span.known), 1 + len(row.labels)), span)
    elif span.since is not None and not periods.stands(row, role):
        first, last = date.fromordinal(span.since), span.day
        if row.within:
            first, last = max(first, row.within.first), min(last, row.within.last)
        if first <= last:
            yield from _between(plan, row, role, state, span, first, last)
    elif row.period == "year":
        yield from _between(plan, row, role, state, span, date(span.day.year, 1, 1), span.day)
    elif row.within:
        last = row.within.last if span.upto is None else min(row.within.last, span.day)
        yield from _between(plan, row, role, state, span, row.within.first, last)
    else:
        yield from _as_one(_sums(plan, row, role, state, span).upto(upto, span.known), span)


def _between(  # noqa: PLR0913, PLR0917 - a role of a row, and a stretch of time
    plan: Plan, row: Row, role: str, state: State, span: Span, since: date, until: date
) -> Iterator[tuple[Key, int]]:
    """Yield the cells of one role between two days, both included."""
    sums = _sums(plan, row, role, state, span)
    return _as_one(sums.between(since.toordinal() - 1, until.toordinal(), span.known), span)


def _during(cells: View, span: Span) -> Iterator[tuple[Key, int]]:
    """Yield the cells from the span's beginning to the end of its day."""
    return cells.between(span.begins, span.day.toordinal(), span.known)


def amounts(plan: Plan, row: Row, role: str, state: State, span: Span) -> Iterator[tuple[Key, int]]:
    """Yield (cell, amount) of one role of a row that is no trend: what its figures in the span are made of."""
    if row.kind == "countries" and row.window_days and span.since is None:
        first = periods.ago(span.day, row.window_days - 1)
        return _between(plan, row, role, state, span, first, span.day)
    return upto(plan, row, role, state, span)


def during(  # noqa: PLR0913, PLR0917 - a role of a row, and a stretch of time
    plan: Plan, row: Row, role: str, state: State, span: Span, since: date, until: date
) -> Iterator[tuple[Key, int]]:
    """Yield (cell, amount) of one role of a row between two days, both included."""
    return _between(plan, row, role, state, span, since, until)


def _sums(plan: Plan, row: Row, role: str, state: State, span: Span) -> View:
    return view(plan, row.id, role + AS_ONE if span.region else role, state, public=span.public)


def _together(cells: Iterator[tuple[Key, int]], length: int) -> Iterator[tuple[Key, int]]:
    """Yield what levels are together that more tells apart than a cell."""
    found: dict[Key, int] = {}
    for key, level in cells:
        found[key[:length]] = found.get(key[:length], 0) + level
    yield from found.items()


def _as_one(cells: Iterator[tuple[Key, int]], span: Span) -> Iterator[tuple[Key, int]]:
    """Yield the cells, or what they are together for the region as one."""
    if not span.region:
        return cells
    together: dict[Key, int] = {}
    for key, amount in cells:
        together[REGION, *key[1:]] = together.get((REGION, *key[1:]), 0) + amount
    return iter(together.items())


def _count(plan: Plan, row: Row, state: State, span: Span) -> Counted:
    return {key: (amount,) for key, amount in upto(plan, row, "value", state, span)}


def _ratio(plan: Plan, row: Row, state: State, span: Span) -> Counted:
    """Nothing without a denominator: no data is not 0 %."""
    if row.calendar:
        return _calendar(plan, row, state, span)
    within = any(term.role == "until" for term in row.term)
    numerators = (_within if within else _numerators)(plan, row, state, span)
    if row.current:
        numerators = _in_force(row, state, span, numerators)
    if row.each:
        constants = dict(_as_one(_constants(row), span))
        return {key: (numerators.get(key, 0), n) for key, n in constants.items()}
    wholes = {key: n for key, n in upto(plan, row, "denominator", state, span) if n > 0}
    parts = {key: numerators.get(key, 0) for key in wholes}
    return {key: (min(parts[key], n) if row.part else parts[key], n) for key, n in wholes.items()}


def _in_force(row: Row, state: State, span: Span, counts: dict[Key, int]) -> dict[Key, int]:
    """Return what is counted of the value in force in each country, without that value."""
    levels = state.levels.get(row.stored("in_force"))
    latest = dict(levels.latest(span.upto, span.known)) if levels else {}
    newest = max(latest.values(), default=None)
    found: dict[Key, int] = {}
    for (*cell, value), n in counts.items():
        in_force = latest.get((cell[0],), newest)
        if in_force and in_force[-1] == value:
            found[tuple(cell)] = n
    return found


def _calendar(plan: Plan, row: Row, state: State, span: Span) -> Counted:
    """Of the milestone's days that have come, those of which it was reached: a miss needs no report."""
    end = end_of(span.day)
    until = None if span.upto is None else end
    mine = occurrences_of(plan.milestones[row.calendar], state, until, span.known)
    days = [one for one in mine if one.due and one.due <= end and one.due.toordinal() > span.begins]
    held = [one for one in days if one.reached]
    return {(REGION,): (len(held), len(days))} if days else {}


def _numerators(plan: Plan, row: Row, state: State, span: Span) -> dict[Key, int]:
    return dict(upto(plan, row, "numerator", state, span))


def _within(plan: Plan, row: Row, state: State, span: Span) -> dict[Key, int]:
    """Add up the numerator on the days of the reported periods that are over by the span's day (in its period)."""
    counted, first, last = (view(plan, row.id, role, state) for role in ("numerator", "since", "until"))
    found: dict[Key, int] = {}
    for key in counted.cells.keys() & last.cells.keys():
        # No two periods of one figure overlap: the first to begin is the first to end.
        told = zip(_each(first.days(key, span.known)), _each(last.days(key, span.known)), strict=False)
        over = [(begin, end) for begin, end in told if span.begins < end <= span.day.toordinal()]
        days = counted.days(key, span.known).items()
        found[key] = sum(n for day, n in days if any(begin <= day <= end for begin, end in over))
    return found


def _each(days: Mapping[int, int]) -> list[int]:
    """Return each day as often as it counts, in order."""
    return [day for day, n in sorted(days.items()) for _ in range(n)]


def _constants(row: Row) -> Iterator[tuple[Key, int]]:
    """Yield what each member country is measured against."""
    for country in MEMBERS:
        if isinstance(row.each, int):
            yield (country,), row.each
        else:
            yield from (((country, value), n) for value, n in row.each.items())


def _share(plan: Plan, row: Row, state: State, span: Span) -> Counted:
    """Of what there is for a country and its other labels, the share of each value of the label `among`."""
    place = 1 + [*row.labels].index(row.among)
    counts = dict(upto(plan, row, "value", state, span))
    wholes: dict[Key, int] = {}
    for key, n in counts.items():
        rest = key[:place] + key[place + 1 :]
        wholes[rest] = wholes.get(rest, 0) + n
    values = sorted({key[place] for key in counts})
    shares: Counted = {}
    for rest, whole in wholes.items():
        for value in values:
            key = (*rest[:place], value, *rest[place:])
            shares[key] = (counts.get(key, 0), whole)
    return shares


def _mean(plan: Plan, row: Row, state: State, span: Span) -> Counted:
    sums = dict(upto(plan, row, "value", state, span))
    return {key: (sums.get(key, 0), n) for key, n in upto(plan, row, "count", state, span) if n > 0}


def _difference(plan: Plan, row: Row, state: State, span: Span) -> Counted:
    """Give (sum, number) of the values and of the baseline's, where there are both."""
    sums, numbers, base, base_numbers = (
        dict(upto(plan, row, role, state, span)) for one, n in accounts.COUNTS.items() for role in (one, n)
    )
    both = {key for key in numbers.keys() & base_numbers.keys() if numbers[key] > 0 and base_numbers[key] > 0}
    return {key: (sums.get(key, 0), numbers[key], base.get(key, 0), base_numbers[key]) for key in both}


def _latency(plan: Plan, row: Row, state: State, span: Span) -> Counted:
    """Give the share that its terms tell of, or else the mean of the seconds."""
    if any(term.role == "denominator" for term in row.term):
        return _ratio(plan, row, state, span)
    numbers: dict[Key, int] = {}
    for (country, _), n in upto(plan, row, "bucket", state, span):
        numbers[country,] = numbers.get((country,), 0) + n
    seconds = dict(upto(plan, row, "seconds", state, span))
    return {key: (seconds.get(key, 0), n) for key, n in numbers.items() if n > 0}


def trend(plan: Plan, row: Row, state: State, span: Span, role: str = "value") -> Counted:
    """Compare the window ending on the day with its baseline, for the countries that have one.

    Where less is better, what is new in a country counts, too: without it there would seem to be a decrease.
    """
    compared = comparison(plan, row, state, span)
    if compared is None:
        return {}
    baseline = dict(_between(plan, row, role, state, span, compared.baseline_since, compared.baseline_until))
    recent = dict(_between(plan, row, role, state, span, compared.since, compared.until))
    everywhere = row.direction in {"at_most", "below"}
    both = {key: (recent.get(key, 0), baseline.get(key, 0)) for key in {*baseline, *recent}}
    comparable = {key[0] for key, n in baseline.items() if n > 0}
    return {key: counts for key, counts in both.items() if everywhere or key[0] in comparable}


def _countries(plan: Plan, row: Row, state: State, span: Span) -> Counted:
    """Count each country that has any (in the window, if the row has one; or in the period) as 1."""
    cells = upto(plan, row, "value", state, span)
    if row.window_days and span.since is None:
        since = span.day.toordinal() - row.window_days + 1
        cells = _during(
            view(plan, row.id, "value", state, public=span.public), msgspec.structs.replace(span, since=since)
        )
    return {key: (1,) for key, n in cells if n > 0 and key[0] in MEMBERS}


def _distinct(plan: Plan, row: Row, state: State, span: Span) -> Counted:
    """Count the different values of the first label that a country has."""
    values: dict[str, int] = {}
    for country, _ in values_there(plan, row, state, span):
        values[country] = values.get(country, 0) + 1
    if isinstance(row.each, int) and row.each:
        return {(country,): (values.get(country, 0), row.each) for country in MEMBERS}
    return {(country,): (n, row.of) if row.of else (n,) for country, n in values.items()}


def values_there(plan: Plan, row: Row, state: State, span: Span) -> set[tuple[str, str]]:
    """Return (country, value of the first label) wherever there is any."""
    return {(key[0], key[1]) for key, n in upto(plan, row, "value", state, span) if n > 0 and key[1] not in NO_VALUE}


def _age(plan: Plan, row: Row, state: State, span: Span) -> Counted:
    """Count the days since the last one."""
    sums, last = view(plan, row.id, "value", state), Counted()
    for key in sums.cells:
        past = [day for day, n in sums.days(key, span.known).items() if n > 0 and day <= span.day.toordinal()]
        if past:
            last[key] = (span.day.toordinal() - max(past),)
    return last


_KINDS: Mapping[str, Callable[[Plan, Row, State, Span], Counted]] = {
    "count": _count,
    "current": _count,
    "ratio": _ratio,
    "share": _share,
    "latency": _latency,
    "mean": _mean,
    "difference": _difference,
    "trend": trend,
    "countries": _countries,
    "distinct": _distinct,
    "age": _age,
}
