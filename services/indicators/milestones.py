"""The Plan's schedule against what happened: due, reached, missed, and what of it is to be announced."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from services.indicators.plan import RECURRENCES, Milestone, Plan, end_of, months_after
from services.indicators.state import State, when

Standing = Literal["open", "reached", "late", "missed"]


class Occurrence(Struct, frozen=True):
    """One due date of a milestone; a recurring one has one for each of its days."""

    key: str
    """`MS-LE-1`, or for a recurring one `MS-IE-4/2003-06-03`."""
    milestone: Milestone
    due: datetime | None
    """The last second of the day it is due; None: open, or counted from something that has not happened."""
    reached: datetime | None
    """The `time` of the event that completed it."""

    def standing(self, now: datetime) -> Standing:
        """Say how it stands: `late` is reached after it was due, `missed` is due and not reached."""
        if self.reached is not None:
            return "late" if self.due and self.reached > self.due else "reached"
        return "missed" if self.due and self.due < now else "open"

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
    if milestone.recurring is None:
        yield Occurrence(milestone.id, milestone, _due(milestone, state), _reached(milestone, state))
        return
    groups = state.groups.get(milestone.id, {})
    recurring = milestone.recurring
    for day in RECURRENCES[recurring.rule](recurring.first, recurring.last):
        met = groups.get(f"{day:%Y-%m}")
        reached = when(met.kept[0]) if met and met.kept else None
        yield Occurrence(f"{milestone.id}/{day}", milestone, end_of(day), reached)


def _reached(milestone: Milestone, state: State) -> datetime | None:
    """Return when the last of as many different groups as needed came in."""
    firsts = sorted(group.kept[0] for group in state.groups.get(milestone.id, {}).values() if group.kept)
    return when(firsts[milestone.needed - 1]) if len(firsts) >= milestone.needed else None


def _due(milestone: Milestone, state: State) -> datetime | None:
    if milestone.due is not None:
        return end_of(milestone.due)
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
        if standing == "open":
            continue
        verb: Literal["reached", "missed"] = "missed" if standing == "missed" else "reached"
        if (verb, one.key) not in announced and ("reached", one.key) not in announced:
            found.append(Announcement(verb, one.key, one.due, one.reached, one.late_s))
    return found
