"""The first screen: where the Plan stands, what changed, what is overdue and with whom, who is silent, what is next."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from services.indicators.figures import silence
from services.indicators.figures.figures import Figures
from services.indicators.figures.milestones import Occurrence, occurrences, overdue
from services.indicators.figures.objectives import Degree, degrees
from services.indicators.figures.past import last_quarter_end, week_ago
from services.indicators.folded.state import State
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Row
from services.indicators.planned.schedule import end_of
from services.indicators.publish.words import SHARE, Words
from shared.contracts.vocabulary import MEMBERS

NEWS_MAX = 6
"""So many lines each list has at most; how many there are is said beside it."""
WEEK_MAX = 3
"""The same of what changed within a week."""
STEPS = 4
"""So many shades a country's tile may have."""


class Seen(Struct, frozen=True):
    """The figures that the first screen is made of; both published, or both exact."""

    now: Mapping[str, Figures]
    before: Mapping[str, Figures]
    """At the end of the last quarter."""
    week: Mapping[str, Figures]
    """A week ago."""
    public: bool = True
    """They are as published."""


class Overview:
    """The parts of the first screen in one language."""

    def __init__(self, said: Words, plan: Plan, state: State, now: datetime, seen: Seen) -> None:
        self._said, self._plan, self._state, self._now, self._seen = said, plan, state, now, seen
        self._due = occurrences(plan, state, public=seen.public)
        self._degrees = degrees(plan, seen.now.values())

    def parts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the id of each part's element, and what it shows."""
        yield "part-answer", {"answer": self._answer()}
        yield "part-made", {"made": self._made()}
        yield "part-areas", {"areas": list(self._areas())}
        yield "part-changed", {"times": list(self._times())}
        yield "part-overdue", _few("overdue", map(self._line, overdue(self._due, self._now)))
        yield "part-next", _few("upcoming", self._upcoming())
        yield "part-quiet", {"silent": self.silent}
        yield "part-countries", {"countries": list(self._countries())}
        timeline = self._timeline()
        yield "part-timeline", {"timeline": timeline}
        yield "part-obliged", {"timeline": timeline}

    @property
    def since(self) -> datetime:
        """The end of the last quarter."""
        return end_of(last_quarter_end(self._now.date()))

    @property
    def silent(self) -> list[dict[str, str]]:
        """The members that are silent."""
        return list(silent(self._said, self._plan, self._state, self._now, public=self._seen.public))

    def _answer(self) -> dict[str, Any] | None:
        row = score_row(self._plan)
        if row is None:
            return None
        value = _value(self._seen.now, row.id)
        counted = [self._degrees[area.id] for area in self._plan.areas]
        whole = Degree(*(sum(getattr(one, name) for one in counted) for name in Degree.__struct_fields__))
        return {
            "id": row.id,
            "title": self._said.title(row.title),
            "value": self._said.figure(row, value),
            "change": self._said.changed(value, _value(self._seen.before, row.id)),
            "degree": whole,
            "weights": len(row.inputs),
        }

    def _made(self) -> list[dict[str, Any]]:
        """Return the parts of the score: how far each has come, what it weighs, what it brings."""
        row = score_row(self._plan)
        if row is None:
            return []
        whole, now = sum(row.inputs.values()), _inputs(self._seen.now, row)
        return [
            {
                "title": self._said.value("input", name),
                "value": self._said.number(now.get(name), SHARE),
                "weight": self._said.number(weight),
                "share": self._said.number(weight / whole, SHARE),
                "brings": self._said.number((now.get(name) or 0.0) * weight / whole, SHARE),
            }
            for name, weight in row.inputs.items()
        ]

    def _areas(self) -> Iterator[dict[str, Any]]:
        row = score_row(self._plan)
        now = _inputs(self._seen.now, row) if row else {}
        before = _inputs(self._seen.before, row) if row else {}
        earlier = degrees(self._plan, self._seen.before.values())
        for area in self._plan.areas:
            degree = self._degrees[area.id]
            share = now.get(area.id, _met(degree))
            weight = row.inputs.get(area.id) if row else None
            yield {
                "id": area.id,
                "title": self._said.title(area.title),
                "value": self._said.number(share, SHARE),
                "change": self._said.changed(share, before.get(area.id, _met(earlier[area.id]))),
                "degree": degree,
                "weight": self._said.number(weight) if weight else "",
                "coverage": self._coverage(area.id),
            }

    def _coverage(self, area: str) -> str:
        """Say how many countries report for a row of an area, in the mean."""
        named = (one for one in self._seen.now.values() if one.row.id.partition("-")[0] == area)
        shares = [one.coverage for one in named if one.coverage is not None]
        return self._said.number(round(sum(shares) / len(shares) * len(MEMBERS), 1)) if shares else ""

    def _times(self) -> Iterator[dict[str, Any]]:
        """Yield what changed within a week, where that is less than since last quarter, then what else did since."""
        week, told = end_of(week_ago(self._now.date())), list[dict[str, Any]]()
        if week > self.since:
            lately = _few("changed", self._changed(self._seen.week, week), WEEK_MAX)
            told = lately["changed"]
            yield {"since": self._said.day(week.date()), **lately}
        others = (one for one in self.changed() if one not in told)
        yield {"since": self._said.day(self.since.date()), **_few("changed", others, NEWS_MAX - len(told))}

    def changed(self) -> Iterator[dict[str, Any]]:
        """Yield what changed since the last quarter's end."""
        return self._changed(self._seen.before, self.since)

    def _changed(self, before: Mapping[str, Figures], since: datetime) -> Iterator[dict[str, Any]]:
        """Yield targets reached and lost, milestones reached and missed, then the figures that moved most."""
        pairs = [(before[name], one) for name, one in self._seen.now.items() if one.row.target is not None]
        for old, new in pairs:
            if new.met and not old.met:
                yield self._moved("won", old, new)
        for old, new in pairs:
            if old.met and not new.met:
                yield self._moved("lost" if new.met is False else "doubt", old, new)
        for one in self._due:
            if one.reached is not None and since < one.reached <= self._now:
                yield self._dated("reached", one, one.reached)
            elif one.due and since < one.due and one.standing(self._now) == "missed":
                yield self._dated("missed", one, one.due)
        moved = [pair for pair in pairs if pair[0].met == pair[1].met and _shift(*pair)]
        for old, new in sorted(moved, key=lambda pair: -_shift(*pair)):
            yield self._moved("better" if _nearer(old, new) else "worse", old, new)

    def _moved(self, which: str, old: Figures, new: Figures) -> dict[str, Any]:
        row = new.row
        return {
            "which": which,
            "row": row.id,
            "title": self._said.title(row.title),
            "old": self._told(old),
            "new": self._told(new),
            "why": self._said.unknown(new.unknown, new.missing, _figure(new)) if which == "doubt" else "",
        }

    def _told(self, one: Figures) -> str:
        value = one.headline.value if one.headline else None
        if one.headline and one.headline.suppressed:
            return self._said.text["not_published"]
        if value is None:
            return self._said.text["no_data"]
        return f"{self._said.figure(one.row, value)} {self._said.unit(one.row.unit, value)}".strip()

    def _dated(self, which: str, one: Occurrence, at: datetime) -> dict[str, Any]:
        return {"which": which, "row": "", "title": self._title(one), "day": self._said.day(at)}

    def _title(self, one: Occurrence) -> str:
        return self._said.title(one.milestone.title)

    def _upcoming(self) -> Iterator[dict[str, Any]]:
        """Yield what is due next, the nearest first; of what recurs only its next day."""
        ahead = [one for one in self._due if one.due and one.due >= self._now and one.reached is None]
        ahead = [one for one in ahead if next(each for each in ahead if each.milestone is one.milestone) is one]
        for one in sorted(ahead, key=lambda one: one.due or self._now):
            yield self._line(one)

    def _line(self, one: Occurrence) -> dict[str, Any]:
        return dated(self._said, one, self._now) | {"whom": whom(self._said, one)}

    def _countries(self) -> Iterator[dict[str, Any]]:
        quiet = {one["code"] for one in self.silent}
        asked = [one for one in self._seen.now.values() if one.coverage is not None]
        rows = Counter(code for one in asked for code in {cell.country for cell in one.cells})
        for code in MEMBERS:
            told = rows[code]
            share = told / len(asked) if asked else 0.0
            yield {
                "code": code,
                "name": self._said.country(code),
                "told": self._said.number(told),
                "of": self._said.number(len(asked)),
                "step": min(STEPS, 1 + int(share * STEPS)) if told else 0,
                "silent": code in quiet,
            }

    def _timeline(self) -> dict[str, Any]:
        first = end_of(self._plan.start) if self._plan.start else self._now
        days = [one.due for one in self._due if one.due]
        last = max([*days, self._now, first])
        first = min([*days, first])
        length = (last - first).total_seconds() or 1.0

        def place(at: datetime) -> float:
            return round(3 + 94 * min(1.0, max(0.0, (at - first).total_seconds() / length)), 2)

        lanes, countries = [], []
        for area in self._plan.areas:
            mine = [one for one in self._due if one.milestone.id.split("-")[1] == area.id]
            marks = [self._mark(one, at, place(at)) for one in mine if (at := one.due or one.reached)]
            if mine:
                undated = len(mine) - len(marks)
                said = self._said.counted("undated", undated) if undated else ""
                lanes.append({"id": area.id, "title": self._said.title(area.title), "marks": marks, "undated": said})
        for code in MEMBERS:
            asked = [one for one in self._due if code in one.milestone.parts and not one.withheld]
            marks = [self._mark(one, at, place(at), code) for one in asked if (at := one.due or one.reached)]
            countries.append({"id": code, "title": self._said.country(code), "marks": marks})
        return {
            "lanes": lanes,
            "countries": countries,
            "first": self._said.day(first),
            "last": self._said.day(last),
            "today": place(self._now),
        }

    def _mark(self, one: Occurrence, at: datetime, x: float, country: str = "") -> dict[str, Any]:
        """Return how a due date is drawn: as it stands, or as it stands with a country."""
        standing = one.standing(self._now)
        if country:
            late = one.due is not None and one.due < self._now
            standing = ("missed" if late else "open") if country in one.missing else "reached"
        said = f"{self._title(one)}{self._said.text['colon']} {self._said.day(at)}, {self._said.text[standing]}"
        return {"x": x, "standing": standing, "said": said}


def score_row(plan: Plan) -> Row | None:
    """Return the row that says how far the whole plan has come: the score that is made of most; None: there is none."""
    areas = {area.id for area in plan.areas}
    scores = [row for row in plan.rows.values() if row.kind == "score" and areas & row.inputs.keys()]
    return max(scores, key=lambda row: len(row.inputs), default=None)


def dated(said: Words, one: Occurrence, now: datetime) -> dict[str, Any]:
    """Return a due date in words, and how far it is from now."""
    assert one.due is not None
    days = abs((one.due.date() - now.date()).days)
    return {
        "id": one.milestone.id,
        "title": said.title(one.milestone.title),
        "day": said.day(one.due),
        "days": said.counted("days_late" if one.due < now else "days_left", days),
        "standing": one.standing(now),
    }


def whom(said: Words, one: Occurrence) -> dict[str, str]:
    """Say with whom a due date rests: the countries that have not done it, else who is responsible by the plan."""
    if not one.milestone.countries:
        return said.own(one.milestone.responsible)
    names = sorted(said.value("", name) for name in one.missing)
    everybody = {*one.missing} == {*MEMBERS}
    return {"original": said.text["all_countries"] if everybody else ", ".join(names), "lang": said.lang, "ours": ""}


def silent(said: Words, plan: Plan, state: State, now: datetime, *, public: bool) -> Iterator[dict[str, str]]:
    """Yield the members that have fallen silent, and those that were never heard."""
    quiet, heard = silence.silent(plan, state, now, public=public), state.heard_openly if public else state.heard
    for code in MEMBERS:
        if quiet.get(code, True):
            days = [at for (country, _), at in heard.items() if country == code]
            last = max(days, default=None)
            ago = said.counted("silent_days", (now.date() - last.date()).days) if last else said.text["never_heard"]
            yield {"code": code, "name": said.country(code), "ago": ago, "day": said.day(last)}


def _few(name: str, found: Iterator[dict[str, Any]], most: int = NEWS_MAX) -> dict[str, Any]:
    every = list(found)
    return {name: every[:most], "more": max(0, len(every) - most)}


def _value(found: Mapping[str, Figures], name: str) -> float | None:
    headline = found[name].headline
    return headline.value if headline else None


def _inputs(found: Mapping[str, Figures], row: Row) -> dict[str, float | None]:
    return {cell.labels["input"]: cell.value for cell in found[row.id].cells if "input" in cell.labels}


def _met(degree: Degree) -> float | None:
    return degree.met / degree.targets if degree.targets else None


def _figure(one: Figures) -> float:
    return (one.headline.value if one.headline else None) or 0.0


def _nearer(old: Figures, new: Figures) -> bool:
    """Say whether a figure has moved the way that its target asks for."""
    rising = new.row.direction in {"at_least", "above"}
    return (_figure(new) > _figure(old)) == rising


def _shift(old: Figures, new: Figures) -> float:
    """Return by how much of itself a figure has changed; 0: it has not, or one of both is not known."""
    was, now = (one.headline.value if one.headline else None for one in (old, new))
    if was is None or now is None or not was:
        return 0.0
    return abs(now - was) / abs(was)
