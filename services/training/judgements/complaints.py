"""Complaints about officials, at the Migration Responsibility Unit (Plan IP 4.1.1)."""

from collections.abc import Iterable
from typing import Any

from services.training.judgements.notices import TrainingJudgement
from services.training.policy import POLICY
from shared.contracts.training import ComplaintOverdue, ComplaintReceived, ComplaintResolved
from shared.record.judgement import Notice, Reading, Standing, derived_id

OVERDUE = "crm.training.complaint.overdue.v1"


class Complaints(TrainingJudgement):
    """A complaint is to be decided in time (Plan IP 4.1.1); that it was not is told once, whatever follows."""

    reports = (ComplaintOverdue, ComplaintReceived, ComplaintResolved)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the complaint."""
        yield f"complaint/{report.country}/{report.data.complaint_id}"

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Let a complaint that waits for its decision become overdue, also if a correction gives it another id."""
        reports = read.about(scope)
        received = [one for one in reports if isinstance(one.data, ComplaintReceived)]
        if not received or len(received) < len(reports):
            return
        first = min(received, key=lambda one: (one.known, one.id))
        due = first.known + POLICY.resolved_within
        yield Notice(
            to=first.country,
            data=ComplaintOverdue(complaint_id=first.data.complaint_id, due=due),
            scope=scope,
            key=scope,
            due=due,
            event_id=derived_id(OVERDUE, first.source, first.id),
        )
