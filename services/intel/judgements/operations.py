"""Operations and the manual: who is told of them, and which operations are joint."""

from collections.abc import Iterable
from typing import Any

import msgspec

from services.intel.gate import Relation, marking, may_know
from services.intel.judgements.notices import IntelAnnouncement, IntelJudgement, alert
from shared.contracts import Data
from shared.contracts.intel import (
    ManualApproved,
    ManualPresented,
    OperationExecuted,
    OperationPlanned,
)
from shared.contracts.vocabulary import MEMBERS
from shared.record.judgement import Notice, Reading, Standing


class Manuals(IntelAnnouncement):
    """Every country is told of the manual that was presented or approved (IE 1.1.1, "con los países miembros")."""

    reports = (ManualApproved, ManualPresented)

    def notices(self, report: Standing[Any], scope: str, read: Reading) -> Iterable[Notice]:
        """Tell them."""
        del read
        about = report.id, report.name
        data = alert(f"manual_{report.verb}", about, report.data.version, reason=report.data.reported_by)
        return [Notice(to=to, data=data, scope=scope) for to in MEMBERS]


class PlannedOperations(IntelAnnouncement):
    """The other participants of a planned operation are told (Plan PC 1, "difundir"), and nobody else.

    Where its marking leaves that to the planner, the planner is told so.
    """

    reports = (OperationPlanned,)

    def notices(self, report: Standing[OperationPlanned], scope: str, read: Reading) -> Iterable[Notice]:
        """Tell them."""
        del read
        data, marked, which = report.data, marking(report.data), (report.id, report.name)
        others = sorted({str(one) for one in data.participants} - {report.country})
        if others and not may_know(marked, Relation.NAMED):
            kept = alert("not_passed_on", which, data.operation_id, marked=marked)
            return [Notice(to=report.country, data=kept, scope=scope)]
        said = alert(
            "operation_planned", which, data.operation_id, due=data.started, country=report.country, marked=marked
        )
        return [Notice(to=to, data=said, scope=scope) for to in others]


class JointOperations(IntelJudgement):
    """An operation is joint when two or more countries took part (Plan rows IE-3.1iii, PC-1a)."""

    reports = (OperationExecuted,)

    def fill(self, report: Standing[OperationExecuted], read: Reading) -> Data:
        """Mark it."""
        del read
        return msgspec.structs.replace(report.data, joint=len(report.data.participants) > 1)

    def refill(self, report: Standing[OperationExecuted], read: Reading) -> Data:
        """Mark it anew."""
        return self.fill(report, read)
