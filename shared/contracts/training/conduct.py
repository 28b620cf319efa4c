"""What officials report of crimes, and what is complained of them (Plan IP 4.1.1)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from shared.contracts import Count, Data, Problem, Ref, Time, contract
from shared.contracts.sense import Fact, contradiction
from shared.contracts.tallies import ByLabel, Once, Parts, Since, Tallied, Tally
from shared.contracts.vocabulary import (
    Channel,
    ComplaintCategory,
    ComplaintOutcome,
    ComplaintSource,
    InstitutionType,
    Offence,
    Token,
)


@contract(
    "training.report.filed",
    good={
        "report_id": "rp-1",
        "offence": "tip",
        "channel": "hotline",
        "institution_type": "migration",
        "reported_by": "mru",
    },
    bad=("channel", "x"),
    privacy="S",
    entity="report_id",
    tallies=(Once("official_report", ("report_id",), said=("offence", "institution_type"), regional=False),),
    rows=("IP-b",),
)
class ReportFiled(Fact, frozen=True, kw_only=True):
    """An official reported smuggling or trafficking, by name or anonymously (Plan IP)."""

    report_id: Ref
    offence: Offence
    channel: Channel
    institution_type: InstitutionType
    once: Parts | None = None


class OfficialComplaint(Fact, frozen=True, kw_only=True):
    """A complaint about an official's conduct (Plan IP 4.1.1)."""

    complaint_id: Ref
    category: ComplaintCategory
    source: ComplaintSource


COMPLAINT = {"complaint_id": "cp-1", "category": "bribery", "source": "migrant", "reported_by": "mru"}


COMPLAINTS: dict[str, Any] = {"privacy": "S", "entity": "complaint_id"}
TOLD = Once("conduct_complaint", ("complaint_id",), said=("category", "source"), regional=False)
DECIDED = replace(TOLD, said=("category", "outcome", "sanction"))
"""A complaint is decided once; a decision is changed by a correction."""


@contract(
    "training.complaint.received",
    good=COMPLAINT,
    bad=("category", "x"),
    **COMPLAINTS,
    tallies=(Tally("complaint", ("complaint_id",), "change", said=("category",)), TOLD),
    rows=("IP-4.1.1",),
)
class ComplaintReceived(OfficialComplaint, frozen=True, kw_only=True):
    """The Migration Responsibility Unit received a complaint."""

    change: Tallied | None = None
    once: Parts | None = None
    by_label: ByLabel | None = None


@contract(
    "training.complaint.investigated",
    good=COMPLAINT,
    bad=("source", "x"),
    **COMPLAINTS,
    tallies=(TOLD,),
    rows=("IP-4.1.1",),
)
class ComplaintInvestigated(OfficialComplaint, frozen=True, kw_only=True):
    """A complaint is being looked into."""

    once: Parts | None = None


@contract(
    "training.complaint.resolved",
    good=COMPLAINT
    | {"outcome": "substantiated", "sanction": "dismissal", "officer_pid": "of-7", "offence": "corruption"},
    bad=("outcome", "x"),
    derived=("latency_s",),
    **COMPLAINTS,
    tallies=(
        Tally("complaint", ("complaint_id",), "change", opens=False, said=("category",)),
        DECIDED,
        Tally("complaint_resolved", ("complaint_id",)),
        Since("complaint", ("complaint_id",), "latency_s", only="complaint_resolved"),
    ),
    rows=("IP-4.1.1",),
)
class ComplaintResolved(OfficialComplaint, frozen=True, kw_only=True):
    """A complaint was decided; a substantiated one ends the official's certificates."""

    outcome: ComplaintOutcome
    sanction: Token | None = None
    officer_pid: Ref | None = None
    offence: Offence | None = None
    """The crime that the conduct amounts to, if it does; bribery and its like are corruption without saying so."""
    latency_s: Count | None = None
    """Seconds since the complaint was recorded."""
    change: Tallied | None = None
    once: Parts | None = None
    by_label: ByLabel | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `contradiction`, too."""
        yield from super().check()
        if self.outcome == "unfounded":
            for name in ("sanction", "offence"):
                if getattr(self, name) is not None:
                    yield contradiction(name, "the complaint was unfounded")


@contract(
    "training.complaint.overdue",
    good={"complaint_id": "cp-1", "due": "2004-06-01T00:00:00Z"},
    bad=("due", ...),
    entity="complaint_id",
    rows=("IP-4.1.1",),
)
class ComplaintOverdue(Data, frozen=True, kw_only=True):
    """A complaint was not decided in time."""

    complaint_id: Ref
    due: Time
