"""Resolved cases and their witnesses, and conduct that calls for a case."""

from collections.abc import Iterable
from datetime import UTC
from typing import Any, Literal

import msgspec

from services.legal.judgements.notices import SERVICE, about, alert
from services.legal.judgements.witnesses import case
from services.legal.policy import POLICY
from shared import contracts
from shared.contracts import Corrected, Data, Event
from shared.contracts.legal import (
    CaseResolved,
    WitnessEnded,
    WitnessReviewed,
    WitnessReviewOpened,
    WitnessReviewOverdue,
)
from shared.contracts.training import ComplaintResolved, ReportFiled
from shared.record.judgement import Judgement, Notice, Notified, Reading, Standing, derive, derived_id

CORRUPT = ("bribery", "embezzlement", "abuse_of_function", "trading_in_influence")
"""Categories of complaint that are corruption (ICCS 07031 to 07034; UNTOC article 8)."""
PROSECUTED = ("corruption", "tip", "som")
"""Crimes by an official that States parties make criminal (UNTOC article 8; TIP article 5; SOM article 6)."""
SUGGESTED = "proceeding_suggested"


class Regional(Judgement):
    """A case is regional when two or more countries are in it (Plan row IP-e)."""

    reports = (CaseResolved,)

    def fill(self, report: Standing[CaseResolved], read: Reading) -> Data:
        """Say whether it is."""
        del read
        regional = len({*report.data.countries, report.country}) > 1
        return msgspec.structs.replace(report.data, regional=regional)

    def refill(self, report: Standing[CaseResolved], read: Reading) -> Data:
        """Say it anew."""
        return self.fill(report, read)


class Reviews(Judgement):
    """A resolved case asks for a review of its witnesses' protection, in time (Plan row VA-6.1b, choreography 9).

    Where their care is not documented, that comes first. A case asks when it is told, or asks for something else as
    corrected, unless the witnesses were seen to after it: the two reports may arrive in either order.
    """

    reports = (CaseResolved, WitnessEnded, WitnessReviewed)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the case's review."""
        del read
        yield f"witness_review/{report.country}/{report.data.case_id}"

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Ask for the review, and tell when it is overdue: after the time that was given last."""
        _, country, case_id = scope.split("/", 2)
        reports = read.about(case(country, case_id))
        cases = [one for one in reports if isinstance(one.data, CaseResolved)]
        seen_to = [one.time for one in reports if one.verb in {"reviewed", "ended"}]
        waits = any(not any(at >= one.time for at in seen_to) for one in cases)
        told = {one.key: one for one in read.notified(scope)}
        dues = []
        for one in cases:
            task: Literal["review", "document_care"] = "review" if one.data.witness_care_documented else "document_care"
            key = f"{scope}/{task}/{one.source}/{one.id}"
            opened = read.event(told[key].event_id) if key in told else None
            asks = waits and key not in told and _asks(one, read)
            due = opened.data.due if opened else (read.now if asks else one.known) + POLICY.witness_review_within
            dues.append(due.astimezone(UTC))
            if asks or key in told:
                data = WitnessReviewOpened(case_id=case_id, due=due, task=task)
                yield Notice(to=country, data=data, scope=scope, key=key, event_key="")
        if waits:
            due = max(dues)
            overdue = WitnessReviewOverdue(case_id=case_id, due=due)
            # Whatever has it watched again, a day that passed is told once: the log takes no id twice.
            once = derived_id(contracts.of(type(overdue), SERVICE).type, scope, due.isoformat())
            key = next((one.key for one in told.values() if one.event_id == once), f"{scope}/{due.isoformat()}")
            yield Notice(to=country, data=overdue, scope=scope, key=key, due=due, event_id=once)


def _asks(report: Standing[CaseResolved], read: Reading) -> bool:
    """Say whether a case is just told, or just corrected in what it asks for."""
    if read.judged is None or read.judged.position != report.position:
        return False
    told = read.cause.data
    if not isinstance(told, Corrected) or told.previous is None:
        return read.arriving
    return any(told.previous[name] != told.data[name] for name in ("case_id", "witness_care_documented"))


class Complaints(Judgement):
    """A proceeding is suggested, once, where conduct found true is a crime (choreography 10)."""

    reports = (ComplaintResolved,)

    def things(self, report: Standing[ComplaintResolved]) -> Iterable[str]:
        """Return the complaint."""
        yield f"complaint/{report.country}/{report.data.complaint_id}"

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Suggest it."""
        if any(is_crime(one.data) for one in read.about(scope)):
            _, country, complaint_id = scope.split("/", 2)
            yield Notice(
                to=country,
                data=about(read.cause, SUGGESTED, complaint_id),
                scope=scope,
                key=f"{SUGGESTED}/{country}/{complaint_id}",
                event_key=SUGGESTED,
                subject=complaint_id,
            )

    def take_back(self, notified: Notified, read: Reading) -> Iterable[Event[Any]]:
        """Return that it is not suggested any more."""
        data = about(read.cause, "proceeding_not_suggested", notified.entity)
        yield derive(SERVICE, data, cause=read.cause, to=notified.country, key=data.kind, subject=notified.entity)


class Offences(Judgement):
    """The justice body is told of an offence that an official reported: which, and nothing of who did.

    The report is about no thing, so that nothing of it is kept here.
    """

    reports = (ReportFiled,)

    def sets_off(self, report: Standing[ReportFiled], read: Reading) -> Iterable[Event[Any]]:
        """Tell it."""
        del read
        yield alert(report.event, "offence_reported", None, reason=report.data.offence)


def is_crime(data: ComplaintResolved) -> bool:
    """Return whether conduct was found true and is a crime that the treaties have prosecuted."""
    return data.outcome == "substantiated" and (data.category in CORRUPT or data.offence in PROSECUTED)
