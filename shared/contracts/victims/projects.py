"""Projects of reintegration, evaluations by who returned, campaigns."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from shared.contracts import Count, Data, Problem, Ref, Share, Time, contract
from shared.contracts.means import Money
from shared.contracts.sense import Fact, contradiction
from shared.contracts.tallies import ByLabel, Level, Once, Parts, Shifts, Since, Tallied, Tally
from shared.contracts.vocabulary import (
    CampaignChannel,
    EvaluationSubject,
    Evaluator,
    Industry,
    Language,
    OneOrMore,
    Rating,
)


class Project(Fact, frozen=True, kw_only=True):
    """A project of reintegration (Plan VA 5.2)."""

    project_id: Ref
    budget: Money | None = None
    places: Count | None = None
    sector: Industry | None = None


PROJECT = {"project_id": "pj-1", "places": 40, "reported_by": "intersectoral_commission"}


PROJECTS: dict[str, Any] = {"entity": "project_id"}
TOLD = Once("project", ("project_id",))
"""One that several institutions or countries tell of is one."""


@contract(
    "victims.project.presented",
    good=PROJECT,
    bad=("places", "many"),
    **PROJECTS,
    tallies=(Tally("project", ("project_id",)), TOLD),
    rows=("VA-5.2b",),
)
class ProjectPresented(Project, frozen=True, kw_only=True):
    """A project was presented; due six months after the Plan's approval."""

    once: Parts | None = None


@contract(
    "victims.project.approved",
    good=PROJECT,
    bad=("project_id", ...),
    entity="project_id",
    tallies=(
        TOLD,
        Tally("project_approved", ("project_id",)),
        Since("project", ("project_id",), "latency_s", only="project_approved"),
    ),
    rows=(
        "VA-5.2b",
        "MS-VA-5.2",
    ),
)
class ProjectApproved(Project, frozen=True, kw_only=True):
    """A project was approved."""

    once: Parts | None = None
    latency_s: Count | None = None


@contract(
    "victims.project.started",
    good=PROJECT,
    bad=("sector", "farms"),
    **PROJECTS,
    tallies=(Tally("project_running", ("project_id",), "running"),),
    rows=("VA-5.2b",),
)
class ProjectStarted(Project, frozen=True, kw_only=True):
    """A project began."""

    running: Tallied | None = None


@contract(
    "victims.project.closed",
    good=PROJECT,
    bad=("budget", 5),
    **PROJECTS,
    tallies=(Tally("project_running", ("project_id",), "running", opens=False),),
    rows=("VA-5.2b",),
)
class ProjectClosed(Project, frozen=True, kw_only=True):
    """A project ended."""

    running: Tallied | None = None


@contract(
    "victims.evaluation.submitted",
    good={"subject": "repatriation", "rating": "bueno", "evaluator": "victim", "reported_by": "ngo"},
    bad=("rating", "fine"),
    privacy="P",
    derived=("late",),
    rows=(
        "VA-5.1",
        "MS-VA-5",
    ),
)
class EvaluationSubmitted(Fact, frozen=True, kw_only=True):
    """Someone involved judged a repatriation or a service (Plan VA 5.1)."""

    subject: EvaluationSubject
    rating: Rating
    evaluator: Evaluator
    case_id: Ref | None = None
    late: bool | None = None


@contract(
    "victims.evaluation.overdue",
    good={"subject": "repatriation", "case_id": "case-12", "due": "2004-06-01T00:00:00Z"},
    bad=("due", ...),
    entity="case_id",
    rows=("VA-5.1",),
)
class EvaluationOverdue(Data, frozen=True, kw_only=True):
    """An evaluation was not submitted in time."""

    subject: EvaluationSubject
    case_id: Ref
    due: Time


RUNNING = Once("campaign", ("campaign_id",), act="running", before="running")
"""Countries that run one campaign name it by the identifier of whoever gave it: `GTM:ca-1`. It runs in the region while
it runs anywhere."""


CAMPAIGN = {"campaign_id": "ca-1", "channels": ["radio"], "languages": ["es"], "reported_by": "central_government"}


class Campaign(Fact, frozen=True, kw_only=True):
    """A campaign to make potential victims aware (Plan VA 2.1.1)."""

    campaign_id: Ref
    channels: OneOrMore[CampaignChannel]
    languages: OneOrMore[Language]


@contract(
    "victims.campaign.launched",
    good=CAMPAIGN,
    bad=("channels", []),
    entity="campaign_id",
    tallies=(Tally("campaign", ("campaign_id",), "running"), RUNNING),
    rows=(
        "VA-2.1c",
        "MS-VA-2",
    ),
)
class CampaignLaunched(Campaign, frozen=True, kw_only=True):
    """A campaign began."""

    running: Tallied | None = None
    """As if each country's campaigns were its own: it counts in what was recorded before there was `once`."""
    once: Parts | None = None
    """What it changes for the country, and for the region."""


@contract(
    "victims.campaign.measured",
    good=CAMPAIGN | {"reach": 250000, "recall": 0.31, "sample_n": 1200},
    bad=("recall", 31),
    entity="campaign_id",
    tallies=(Level("campaign_reach", ("campaign_id",), "reach", "reached", said=("channels",)),),
    rows=("VA-2.1c",),
)
class CampaignMeasured(Campaign, frozen=True, kw_only=True):
    """How many a campaign reached, and what share of a sample remembers it."""

    reach: Count
    recall: Share
    sample_n: Count
    reached: Shifts | None = None
    """What it changes of how many are reached, by each campaign's latest measurement."""
    by_label: ByLabel | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `contradiction`, too."""
        yield from super().check()
        if self.recall and not (self.reach and self.sample_n):
            yield contradiction("recall", "nobody was reached, or nobody asked, who could remember")


@contract(
    "victims.campaign.ended",
    good=CAMPAIGN,
    bad=("languages", ["Spanish"]),
    entity="campaign_id",
    tallies=(Tally("campaign", ("campaign_id",), "running", opens=False), replace(RUNNING, opens=False)),
    rows=("VA-2.1c",),
)
class CampaignEnded(Campaign, frozen=True, kw_only=True):
    """A campaign ended."""

    running: Tallied | None = None
    once: Parts | None = None
