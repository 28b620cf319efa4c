"""Resolved cases and their witnesses, and conduct that calls for a case."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal

import msgspec

from services.legal import store
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
from shared.contracts.training import ComplaintResolved
from shared.database import Connection
from shared.rules import derive, enriched

WITNESS_REVIEW_WITHIN = timedelta(days=30)
"""How soon after a case is resolved its witnesses' protection is reviewed (Plan VA 6.1; domain choreography 9)."""
CORRUPT = ("bribery", "embezzlement", "abuse_of_function", "trading_in_influence")
"""Categories of complaint that are corruption (ICCS 07031 to 07034; UNTOC article 8)."""
PROSECUTED = ("corruption", "tip", "som")
"""Crimes by an official that States parties make criminal (UNTOC article 8; TIP article 5; SOM article 6)."""


async def on_case_resolved(event: Event[CaseResolved], connection: Connection) -> Iterable[Event[Any]]:
    """Open the review of the witnesses' protection; where their care is not documented, that comes first.

    A case is regional when two or more countries are in it (Plan row IP-e).
    """
    return [enriched(event, regional=_regional(event, event.data)), *await _review(event, event, connection)]


async def _review(cause: Event[Any], case: Event[CaseResolved], connection: Connection) -> list[Event[Any]]:
    data = case.data
    due = cause.recordedtime + WITNESS_REVIEW_WITHIN
    task: Literal["review", "document_care"] = "review" if data.witness_care_documented else "document_care"
    opened = WitnessReviewOpened(case_id=data.case_id, due=due, task=task)
    overdue = WitnessReviewOverdue(case_id=data.case_id, due=due)
    if not await store.reviewed_since(connection, case.country, data.case_id, case.time):
        await deadlines.fire_at(
            connection,
            _name(case.country, data.case_id),
            due,
            derive(SERVICE, overdue, cause=cause, to=case.country, time=due),
        )
    return [derive(SERVICE, opened, cause=cause, to=case.country)]


async def amend_case_resolved(
    root: Event[Any], previous: Data, new: Data | None, _connection: Connection
) -> tuple[Data, Data | None]:
    """Say anew whether the case is regional."""
    if isinstance(new, CaseResolved):
        new = msgspec.structs.replace(new, regional=_regional(root, new))
    return previous, new


async def reopened(
    told: Event[Any], before: Event[CaseResolved], after: Event[CaseResolved] | None, connection: Connection
) -> list[Event[Any]]:
    """Open the review that the amended case asks for, in place of the one before (a `Follow`)."""
    wanted = (after.data.case_id, after.data.witness_care_documented) if after else None
    if wanted == (before.data.case_id, before.data.witness_care_documented):
        return []
    await deadlines.clear(connection, _name(before.country, before.data.case_id))
    return await _review(told, after, connection) if after else []


async def on_witness_seen_to(
    event: Event[WitnessReviewed | WitnessEnded], connection: Connection
) -> Iterable[Event[Any]]:
    """Close the review that the case opened, or will open: the two reports may arrive in either order."""
    await deadlines.clear(connection, _name(event.country, event.data.case_id))
    await store.set_reviewed(connection, event.country, event.data.case_id, event.time)
    return []


def on_complaint_resolved(event: Event[ComplaintResolved]) -> Iterable[Event[Any]]:
    """Suggest a proceeding where conduct found true is corruption, trafficking or smuggling (choreography 10)."""
    if event.data.outcome != "substantiated" or not is_crime(event.data):
        return []
    return [alert(event, "proceeding_suggested", event.data.complaint_id)]


def is_crime(data: ComplaintResolved) -> bool:
    """Return whether what was found is a crime that the treaties have prosecuted."""
    return data.category in CORRUPT or data.offence in PROSECUTED


def _regional(event: Event[Any], data: CaseResolved) -> bool:
    return len({*data.countries, event.country}) > 1


def _name(country: str, case_id: str) -> str:
    return f"witness_review/{country}/{case_id}"
