"""Complaints about officials, at the Migration Responsibility Unit (Plan IP 4.1.1)."""

from typing import Any

import msgspec

from services.training.policy import POLICY
from services.training.rules.certificates import settled
from services.training.rules.notices import SERVICE
from services.training.store import certificates, complaints
from shared import deadlines
from shared.contracts import Event
from shared.contracts.training import ComplaintOverdue, ComplaintReceived, ComplaintResolved
from shared.database import Connection
from shared.rules import derive, derived_id


async def on_complaint(event: Event[ComplaintReceived | ComplaintResolved], connection: Connection) -> list[Event[Any]]:
    """Watch that a complaint is decided in time (Plan IP 4.1.1); misconduct ends certificates (choreography 10)."""
    await _watch(event, event.country, event.data.complaint_id, connection)
    return await _conduct(event, [event], connection)


async def recomplained(
    told: Event[Any], before: Event[Any], after: Event[Any] | None, connection: Connection
) -> list[Event[Any]]:
    """Watch, and tell of certificates, what holds with the amended report (a `Follow`)."""
    if after is None or after.data.complaint_id != before.data.complaint_id:
        for complaint_id in {one.data.complaint_id for one in (before, after) if one}:
            await _watch(told, told.country, complaint_id, connection)
    return await _conduct(told, [one for one in (before, after) if one], connection)


async def _conduct(
    cause: Event[Any], reports: list[Event[ComplaintReceived | ComplaintResolved]], connection: Connection
) -> list[Event[Any]]:
    """Tell of the certificates of the officers whom these reports name."""
    keys = []
    for one in reports:
        if isinstance(one.data, ComplaintResolved) and one.data.officer_pid:
            keys += await certificates.of_officer(connection, one.country, one.data.officer_pid)
    return await settled(cause, keys, connection)


async def _watch(cause: Event[Any], country: Any, complaint_id: str, connection: Connection) -> None:
    """Let a complaint that waits for its decision become overdue: once, also if it gets another id by a correction."""
    first = await complaints.waiting(connection, country, complaint_id)
    name = f"complaint/{country}/{complaint_id}"
    if first is None:
        await deadlines.clear(connection, name)
        return
    due = first.known + POLICY.resolved_within
    overdue = derive(SERVICE, ComplaintOverdue(complaint_id=complaint_id, due=due), cause=cause, to=country, time=due)
    once = msgspec.structs.replace(overdue, id=derived_id(overdue.type, first.source, first.event_id))
    await deadlines.fire_at(connection, name, due, once)
