"""The Plan's schedule against what happened: due, reached, missed, and what of it is to be announced."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from services.indicators.plan import RECURRENCES, After, Milestone, Plan, end_of, months_after, quarter
from services.indicators.state import Groups, State, when

Standing = Literal["open", "on_track", "reached", "late", "missed", "running"]


REPORTED_WITHIN = After("", months=1, end_of_month=True)
"""A quarter's report is due by the end of the month after it."""


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

    def standing(self, now: datetime) -> Standing:
        """Say how it stands: `late` is reached after it was due, `missed` is due and not reached.

        `running` has begun and has no end; `on_track` lies in its window and has begun.
        """
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


class Announcement(Struct, frozen=True):
    """A milestone event that is to be recorded: `indicators.milestone.<verb>`."""

    verb: Literal["reached", "missed"]
    key: str
    due: datetime | None
    reached: datetime | None
    late_s: int


def occurrences(plan: Plan, state: State) -> list[Occurrence]:
    """Return every due date of the plan with what is known of it, in the plan's order."""
    return [one for milestone in plan.milestones.values() for one in _occurrences(milestone, state)]


def _occurrences(milestone: Milestone, state: State) -> Iterator[Occurrence]:
    groups = state.groups.get(milestone.id, Groups())
    recurring = milestone.recurring
    if recurring is None:
        begun = any(group.kept for group in groups.values())
        yield Occurrence(milestone.id, milestone, _due(milestone, state), _reached(milestone, state), begun)
        return
    for day in RECURRENCES[recurring.rule](recurring.first, recurring.last):
        name, due = str(day), day
        group = f"{day:%Y-%m}"
        if recurring.rule == "quarter":
            name = group = quarter(day)
            due = months_after(day, REPORTED_WITHIN)
        met = groups.get(group)
        reached = when(met.kept[0]) if met and met.kept else None
        yield Occurrence(f"{milestone.id}/{name}", milestone, end_of(due), reached)


def _reached(milestone: Milestone, state: State) -> datetime | None:
    """Return when the last of as many different groups as needed came in."""
    firsts = sorted(group.kept[0] for group in state.groups.get(milestone.id, {}).values() if group.kept)
    return when(firsts[milestone.needed - 1]) if len(firsts) >= milestone.needed else None


def _due(milestone: Milestone, state: State) -> datetime | None:
    if milestone.due is not None:
        return end_of(milestone.due)
    if milestone.window is not None:
        return end_of(milestone.window.last)
    if milestone.after is None:
        return None
    firsts = [group.kept[0] for group in state.groups.get(milestone.after.event, {}).values() if group.kept]
    return end_of(months_after(when(min(firsts)).astimezone(UTC).date(), milestone.after)) if firsts else None


def announcements(
    plan: Plan, state: State, now: datetime, announced: AbstractSet[tuple[str, str]]
) -> list[Announcement]:
    """Return what should be announced at `now` and is not among the (verb, key) announced.

    A miss is announced when the day it was due is over; reaching it later is announced all the same.
    """
    found = []
    for one in occurrences(plan, state):
        standing = one.standing(now)
        if standing in {"open", "on_track"}:
            continue
        verb: Literal["reached", "missed"] = "missed" if standing == "missed" else "reached"
        if (verb, one.key) not in announced and ("reached", one.key) not in announced:
            found.append(Announcement(verb, one.key, one.due, one.reached, one.late_s))
    return found
