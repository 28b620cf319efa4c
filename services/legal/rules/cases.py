"""Resolved cases and their witnesses, and conduct that calls for a case."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec

from services.legal import store
from services.legal.policy import POLICY
from services.legal.rules import witnesses
from services.legal.rules.notices import SERVICE, alert
from shared import deadlines
from shared.contracts import Data, Event
from shared.contracts.legal import (
    CaseResolved,
    WitnessEnded,
    WitnessReviewed,
    WitnessReviewOpened,
    WitnessReviewOverdue,
)
from shared.contracts.training import ComplaintResolved, ReportFiled
from shared.database import Connection
from shared.rules import derive, derived_id, enriched

CORRUPT = ("bribery", "embezzlement", "abuse_of_function", "trading_in_influence")
"""Categories of complaint that are corruption (ICCS 07031 to 07034; UNTOC article 8)."""
PROSECUTED = ("corruption", "tip", "som")
"""Crimes by an official that States parties make criminal (UNTOC article 8; TIP article 5; SOM article 6)."""


async def on_case_resolved(event: Event[CaseResolved], connection: Connection) -> Iterable[Event[Any]]:
    """Open the review of the witnesses' protection; where their care is not documented, that comes first.

    A case is regional when two or more countries are in it (Plan row IP-e).
    """
    told = enriched(await witnesses.counted(event, connection), regional=_regional(event, event.data))
    return [told, *await _review(event, event, connection)]


async def _review(cause: Event[Any], case: Event[CaseResolved], connection: Connection) -> list[Event[Any]]:
    """Ask for the review, or first for the care of the witnesses to be documented, unless it was done before."""
    due = await _watch(cause, case.country, case.data.case_id, connection, since=cause.recordedtime)
    if due is None:
        return []
    task: Literal["review", "document_care"] = "review" if case.data.witness_care_documented else "document_care"
    opened = WitnessReviewOpened(case_id=case.data.case_id, due=due, task=task)
    return [derive(SERVICE, opened, cause=cause, to=case.country)]


async def _watch(
    cause: Event[Any], country: Any, case_id: str, connection: Connection, since: datetime | None = None
) -> datetime | None:
    """Let the review that a case still waits for become overdue, and none other; return when it is due.

    The time for it runs from when the case was known, or from `since`, where it is asked for then.
    """
    name = f"witness_review/{country}/{case_id}"
    known = await store.unreviewed_since(connection, country, case_id)
    if known is None:
        await deadlines.clear(connection, name)
        return None
    due = (since or known) + POLICY.witness_review_within
    overdue = derive(SERVICE, WitnessReviewOverdue(case_id=case_id, due=due), cause=cause, to=country, time=due)
    # Whatever has it watched again, a day that passed is told once: the log takes no id twice.
    once = msgspec.structs.replace(overdue, id=derived_id(overdue.type, name, due.isoformat()))
    await deadlines.fire_at(connection, name, due, once)
    return due


async def amend_case_resolved(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Say anew whether the case is regional, and what changes for its witnesses."""
    if isinstance(new, CaseResolved):
        new = msgspec.structs.replace(new, regional=_regional(root, new))
    return await witnesses.amend_case_act(root, previous, new, connection)


async def reopened(
    told: Event[Any], before: Event[CaseResolved], after: Event[CaseResolved] | None, connection: Connection
) -> list[Event[Any]]:
    """Ask for the review that the amended case needs, in place of the one before (a `Follow`)."""
    wanted = (after.data.case_id, after.data.witness_care_documented) if after else None
    if wanted == (before.data.case_id, before.data.witness_care_documented):
        return []
    await _watch(told, before.country, before.data.case_id, connection)
    return await _review(told, after, connection) if after else []


async def on_witness_seen_to(event: Event[WitnessReviewed | WitnessEnded], connection: Connection) -> list[Event[Any]]:
    """Close the review that the case opened, or will open: the two reports may arrive in either order."""
    await _watch(event, event.country, event.data.case_id, connection)
    return [await witnesses.counted(event, connection)]


async def unseen(
    told: Event[Any], before: Event[Any], after: Event[Any] | None, connection: Connection
) -> list[Event[Any]]:
    """Wait for the review again where the one reported was not, or was of another case (a `Follow`)."""
    for one in (before, after):
        if one is not None:
            await _watch(told, one.country, one.data.case_id, connection)
    return []


def on_complaint_resolved(event: Event[ComplaintResolved]) -> Iterable[Event[Any]]:
    """Suggest a proceeding where conduct found true is corruption, trafficking or smuggling (choreography 10)."""
    return [alert(event, "proceeding_suggested", event.data.complaint_id)] if is_crime(event.data) else []


async def reconsidered(
    told: Event[Any],
    before: Event[ComplaintResolved],
    after: Event[ComplaintResolved] | None,
    _connection: Connection,
) -> list[Event[Any]]:
    """Suggest the proceeding, or take the suggestion back, as the amended complaint has it (a `Follow`)."""
    was, now = is_crime(before.data), after is not None and is_crime(after.data)
    if was == now:
        return []
    return [alert(told, "proceeding_suggested" if now else "proceeding_not_suggested", before.data.complaint_id)]


def on_report_filed(event: Event[ReportFiled]) -> Iterable[Event[Any]]:
    """Tell the justice body of an offence that an official reported: which, and nothing of who did."""
    return [alert(event, "offence_reported", None, reason=event.data.offence)]


def is_crime(data: ComplaintResolved) -> bool:
    """Return whether conduct was found true and is a crime that the treaties have prosecuted."""
    return data.outcome == "substantiated" and (data.category in CORRUPT or data.offence in PROSECUTED)


def _regional(event: Event[Any], data: CaseResolved) -> bool:
    return len({*data.countries, event.country}) > 1
