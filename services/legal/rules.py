"""What legal does with what it records, beyond recording it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal

from shared import deadlines
from shared.contracts import Event
from shared.contracts.legal import CaseResolved, WitnessReviewed, WitnessReviewOpened, WitnessReviewOverdue
from shared.database import Connection
from shared.rules import Rules, derive, enriched

SERVICE = "legal"

WITNESS_REVIEW_WITHIN = timedelta(days=30)
"""How soon after a case is resolved its witnesses' protection is reviewed (Plan VA 6.1; domain choreography 9)."""


async def on_case_resolved(event: Event[CaseResolved], connection: Connection) -> Iterable[Event[Any]]:
    """Open the review of the witnesses' protection; where their care is not documented, that comes first.

    A case is regional when two or more countries are in it (Plan row IP-e).
    """
    data = event.data
    due = event.recordedtime + WITNESS_REVIEW_WITHIN
    task: Literal["review", "document_care"] = "review" if data.witness_care_documented else "document_care"
    opened = WitnessReviewOpened(case_id=data.case_id, due=due, task=task)
    overdue = WitnessReviewOverdue(case_id=data.case_id, due=due)
    await deadlines.fire_at(
        connection,
        _review(event.country, data.case_id),
        due,
        derive(SERVICE, overdue, cause=event, to=event.country, time=due),
    )
    return [
        enriched(event, regional=len({*data.countries, event.country}) > 1),
        derive(SERVICE, opened, cause=event, to=event.country),
    ]


async def on_witness_reviewed(event: Event[WitnessReviewed], connection: Connection) -> Iterable[Event[Any]]:
    """Close the review that the case opened."""
    await deadlines.clear(connection, _review(event.country, event.data.case_id))
    return []


def _review(country: str, case_id: str) -> str:
    return f"witness_review/{country}/{case_id}"


RULES: Rules = {
    CaseResolved: on_case_resolved,
    WitnessReviewed: on_witness_reviewed,
}
