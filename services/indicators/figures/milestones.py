"""The Plan's schedule against what happened: due, reached, missed, by whom, and what of it is to be announced."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import msgspec
from msgspec import Struct

from services.indicators.folded.state import BASELINE, Groups, Levels, State
from services.indicators.planned.persons import reached_by_persons
from services.indicators.planned.plan import Plan
from services.indicators.planned.schedule import RECURRENCES, Milestone, end_of, months_after, quarter, quarter_end

Standing = Literal["open", "on_track", "reached", "late", "missed", "running", "withheld"]
Firsts = Mapping[str, datetime]
"""Group -> when it happened first."""
DUE = "due"
"""Under which name a day that the Conference set stands among what was settled."""


class Occurrence(Struct, frozen=True):
    """One due date of a milestone; a recurring one has one for each of its days."""

    key: str
    """`MS-LE-1`, or for a recurring one `MS-IE-4/2003-06-03`."""
    milestone: Milestone
    due: datetime | None
    """The last second of the day it is due; None: open, or counted from something that has not happened."""
    reached: datetime | None
    """The `time` of the event that completed it; of what has no end, that began it."""
    begun: bool = False
    """Something of it has happened."""
    done: int = 0
    """How many of those `needed` are done."""
    needed: int = 1
    missing: tuple[str, ...] = ()
    """The countries that have not done it, or what the region has not; nothing where only a number is asked for."""
    withheld: bool = False
    """A report about a person reaches it: whether it is reached, and when, is not public."""

    def standing(self, now: datetime) -> Standing:
        """Say how it stands: `late` is reached after it was due, `missed` is due and not reached.

        `running` has begun and has no end; `on_track` lies in its window and has begun.
        """
        if self.withheld:
            return "withheld"
        if self.reached is not None:
            if self.milestone.continuous:
                return "running"
            return "late" if self.due and self.reached > self.due else "reached"
        if self.due and self.due < now:
            return "missed"
        return "on_track" if self.milestone.window and self.begun else "open"

    @property
    def late_s(self) -> int:
        """Return how long after it was due it was reached, in whole seconds."""
        if self.reached is None or self.due is None:
            return 0
        return max(0, int((self.reached - self.due).total_seconds()))


def occurrences(
    plan: Plan, state: State, until: datetime | None = None, known: int | None = None, *, public: bool
) -> list[Occurrence]:
    """Return every due date of the plan, in its order, with what is known of it.

    `until`: what happened by then; `known`: by what was recorded by the end of a day (an ordinal). `public`: of those
    that a single report about a person moves only what the Plan says.
    """
    found = []
    for milestone in plan.milestones.values():
        if public and reached_by_persons(milestone):
            each = occurrences_of(milestone, State(state.digest, levels=state.levels), until, known)
            found += [msgspec.structs.replace(one, withheld=True, missing=()) for one in each]
        else:
            found += occurrences_of(milestone, state, until, known)
    return found


def occurrences_of(
    milestone: Milestone, state: State, until: datetime | None, known: int | None
) -> Iterator[Occurrence]:
    """Yield every due date of one milestone, as `occurrences` does of all."""
    firsts = _firsts(state, milestone.id, until, known)
    if milestone.recurring is None:
        ends = _due(milestone, state, until, known)
        reached, done, needed, missing = _progress(milestone, firsts)
        yield Occurrence(milestone.id, milestone, ends, reached, bool(firsts), done, needed, missing)
        return
    rule = milestone.recurring
    for day in RECURRENCES[rule.rule](rule.first, rule.last):
        # One report each quarter: that on a quarter is due until the next one is. A meeting is due on its own day, and
        # what is told of it later still happened then.
        quarterly = rule.rule == "quarter"
        name, due = (quarter(day), end_of(report_due(day))) if quarterly else (str(day), end_of(day))
        met = firsts.get(name)
        reached = met if met is None or quarterly else min(met, due)
        yield Occurrence(f"{milestone.id}/{name}", milestone, due, reached, done=int(met is not None))


def report_due(day: date) -> date:
    """Return until when the report on the quarter of a day is to be published: until the next quarter is over."""
    return quarter_end(quarter(quarter_end(quarter(day)) + timedelta(days=1)))


def _firsts(state: State, name: str, until: datetime | None, known: int | None) -> Firsts:
    """Return when each group of a milestone (or event that dates count from) happened first."""
    found = state.groups.get(name, Groups()).firsts(known)
    return {group: at for group, at in found.items() if until is None or at <= until}


def _progress(milestone: Milestone, firsts: Firsts) -> tuple[datetime | None, int, int, tuple[str, ...]]:
    """Return when it was completed, how many of how many needed are done, and who or what is missing."""
    parts = milestone.parts
    if not parts:
        times, needed = sorted(firsts.values()), milestone.needed
        return (times[needed - 1] if len(times) >= needed else None), min(len(times), needed), needed, ()
    done = {part: max(firsts[one] for one in groups) for part, groups in parts.items() if firsts.keys() >= {*groups}}
    missing = tuple(part for part in parts if part not in done)
    return (None if missing else max(done.values())), len(done), len(parts), missing


def _due(milestone: Milestone, state: State, until: datetime | None, known: int | None) -> datetime | None:
    if milestone.due is not None:
        return end_of(milestone.due)
    if milestone.window is not None:
        return end_of(milestone.window.last)
    if milestone.after is not None:
        firsts = _firsts(state, milestone.after.event, until, known)
        if firsts:
            return end_of(months_after(min(firsts.values()).astimezone(UTC).date(), milestone.after))
        return end_of(milestone.after.printed) if milestone.after.printed else None
    return _set(milestone, state, until, known) if milestone.open else None


def _set(milestone: Milestone, state: State, until: datetime | None, known: int | None) -> datetime | None:
    """Return the day that the Conference's latest act sets."""
    settled = state.levels.get(BASELINE, Levels()).upto(until.toordinal() if until else None, known)
    days = [day for key, day in settled if key == (milestone.id, DUE)]
    return end_of(date.fromordinal(days[0])) if days else None


def overdue(found: Sequence[Occurrence], now: datetime) -> list[Occurrence]:
    """Return what is due and not done, the oldest first; of what recurs only the last day that was due."""
    last = {one.milestone.id: one for one in found if one.due and one.due < now}
    return sorted((one for one in last.values() if one.standing(now) == "missed"), key=lambda one: one.due or now)


class Announcement(Struct, frozen=True):
    """A milestone event that is to be recorded: `indicators.milestone.<verb>`."""

    verb: Literal["reached", "missed", "due"]
    """`due`: it will be, before long."""
    one: Occurrence
    nth: int = 0
    """How often the same was told of it before."""


Told = tuple[str, datetime | None]
"""What was announced of a milestone: the verb, and when it was due then."""


def announcements(plan: Plan, state: State, now: datetime, told: Mapping[str, Sequence[Told]]) -> list[Announcement]:
    """Return what should be announced at `now` and was not told yet.

    A miss is announced when the day it was due is over; reaching it later is announced all the same. What no longer
    holds, because reports were taken back or the Plan asks for more, is told anew as it then stands.
    """
    found = []
    for one in occurrences(plan, state, public=False):
        before = told.get(one.key, ())
        verb = _verb(plan, one, now)
        if verb and _news(verb, one, before):
            found.append(Announcement(verb, one, sum(said == verb for said, _ in before)))
    return found


def _verb(plan: Plan, one: Occurrence, now: datetime) -> Literal["", "reached", "missed", "due"]:
    if one.reached is not None:
        return "reached"
    if one.due is None:
        return ""
    days = one.milestone.remind_days
    ahead = timedelta(days=plan.remind_days if days is None else days)
    if one.due < now:
        return "missed"
    return "due" if one.due - ahead <= now else ""


def _news(verb: str, one: Occurrence, before: Sequence[Told]) -> bool:
    """Say whether it is news: a reminder or miss once for each date, reaching it once until it is missed again."""
    if verb == "due":
        return (verb, one.due) not in before
    last = next((said for said in reversed(before) if said[0] != "due"), ("", None))
    return last[0] != verb or (verb == "missed" and last[1] != one.due)
