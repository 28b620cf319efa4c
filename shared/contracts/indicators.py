"""What the Plan's bodies report to the indicators service, and what it derives."""

from shared.contracts import Data, Ref, Time, contract
from shared.contracts.notice import rejects
from shared.contracts.sense import Fact


@contract(
    "indicators.plan.approved",
    good={"plan": "crm-2003", "reported_by": "ppt"},
    bad=("plan", "Plan of Action"),
    by=("ppt", "st"),
    entity="plan",
)
class PlanApproved(Fact, frozen=True, kw_only=True):
    """The vice-ministers approved the Plan: the zero of its relative dates."""

    plan: Ref


@contract(
    "indicators.milestone.reached",
    good={"milestone": "MS-IE-1", "due": "2003-08-31T00:00:00Z", "reached": "2003-08-20T00:00:00Z", "late_s": 0},
    bad=("reached", ...),
    entity="milestone",
)
class MilestoneReached(Data, frozen=True, kw_only=True):
    """Tells that a milestone of the Plan was reached, and how late."""

    milestone: str
    """Its id, or for a recurring one `id/date`: `MS-IE-4/2003-06-03`."""
    reached: Time
    late_s: int
    due: Time | None = None


@contract(
    "indicators.milestone.missed",
    good={"milestone": "MS-IE-4/2003-06-03", "due": "2003-06-03T00:00:00Z"},
    bad=("due", ...),
    entity="milestone",
)
class MilestoneMissed(Data, frozen=True, kw_only=True):
    """Tells that a milestone's due date passed without its being reached."""

    milestone: str
    due: Time


rejects("indicators")
