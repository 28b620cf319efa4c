"""Confirmed forgeries: many at one post raise a need (choreography 1), a new one makes certificates stale (2)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from services.training.policy import POLICY
from services.training.rules import needs as rules
from services.training.rules.certificates import settled
from services.training.store import certificates, needs
from shared.contracts import Data, Event
from shared.contracts.intel import DocumentConfirmed
from shared.database import Connection


async def on_document_confirmed(event: Event[DocumentConfirmed], connection: Connection) -> list[Event[Any]]:
    """Raise a training need at a post where the same forgery was confirmed often enough.

    The first confirmation in the region of a pattern makes the certificates given before stale, once.
    """
    one = _confirmation(event, event.data, event.recordedtime)
    await needs.add_confirmation(connection, one)
    outcome = await _counted(event, event, connection)
    if await certificates.first_known(connection, one.pattern, one.known):
        keys = await certificates.untold_in_forgery(connection, one.known)
        outcome += await settled(event, keys, connection)
    return outcome


async def amend_document_confirmed(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Amend what is known of the confirmation; needs and certificates follow in `reconfirmed`."""
    known, need_id = await needs.drop_confirmation(connection, root.id, root.source) or (root.recordedtime, None)
    if isinstance(new, DocumentConfirmed):
        one, was = (_confirmation(root, data, known) for data in (new, previous))
        await needs.add_confirmation(connection, msgspec.structs.replace(one, need_id=need_id if one == was else None))
    return previous, new


async def reconfirmed(
    told: Event[Any],
    before: Event[DocumentConfirmed],
    after: Event[DocumentConfirmed] | None,
    connection: Connection,
) -> list[Event[Any]]:
    """Bring needs and certificates to what the confirmations that stand ask for (a `Follow`)."""
    outcome = await _unfounded(told, before, connection)
    if after:
        outcome += await _counted(told, after, connection)
    for name in sorted({pattern(one.data) for one in (before, after) if one}):
        later = await certificates.reconsider(connection, name)
        if later is not None:
            outcome += await settled(told, await certificates.in_forgery(connection, later), connection)
    return outcome


async def _counted(cause: Event[Any], report: Event[DocumentConfirmed], connection: Connection) -> list[Event[Any]]:
    """Raise a need with the report, unless the forgery has one at this post that is not met yet."""
    place = report.country, report.data.bcp, pattern(report.data)
    found = await needs.open_confirmations(connection, *place)
    need_id = await needs.open_for(connection, *place)
    if need_id is not None:
        await needs.close_confirmations(connection, report.country, [one for one, _ in found], need_id)
        return []
    cluster = first_cluster(found, POLICY.confirmations, POLICY.confirmed_within)
    if not cluster:
        return []
    wanted = rules.Wanted(
        topic="false_document_detection",
        due=cause.recordedtime + POLICY.trained_within,
        priority="high",
        bcp=report.data.bcp,
        pattern=place[2],
        since=cluster[-1][1],
        detected=cluster[0][1],
    )
    outcome = await rules.raised(cause, report, wanted, connection)
    await needs.close_confirmations(connection, report.country, [one for one, _ in cluster], outcome[0].data.need_id)
    return outcome


async def _unfounded(cause: Event[Any], before: Event[DocumentConfirmed], connection: Connection) -> list[Event[Any]]:
    """Withdraw the need that the forgery has at the post, if too few confirmations are left of it."""
    place = before.country, before.data.bcp, pattern(before.data)
    need_id = await needs.open_for(connection, *place)
    need = await needs.need(connection, need_id) if need_id else None
    if need is None or need.state != "raised":
        return []
    await needs.release_confirmations(connection, need.need_id)
    found = await needs.open_confirmations(connection, *place)
    if first_cluster(found, POLICY.confirmations, POLICY.confirmed_within):
        await needs.close_confirmations(connection, before.country, [one for one, _ in found], need.need_id)
        return []
    return await rules.withdrawn(cause, need, connection)


def first_cluster(
    found: Sequence[tuple[str, datetime]], number: int, within: timedelta
) -> Sequence[tuple[str, datetime]]:
    """Return the first `number` entries (id, time; sorted by time) that lie `within` a span; else none."""
    for start in range(len(found) - number + 1):
        window = found[start : start + number]
        if window[-1][1] - window[0][1] <= within:
            return window
    return []


def _confirmation(event: Event[Any], data: Any, known: datetime) -> needs.Confirmation:
    return needs.Confirmation(
        event_id=event.id,
        source=event.source,
        country=event.country,
        bcp=data.bcp,
        pattern=pattern(data),
        confirmed=event.time,
        known=known,
    )


def pattern(data: DocumentConfirmed) -> str:
    """Name what makes two forgeries the same."""
    return f"{data.issuing}/{data.doc_code}/{data.fraud_type}"
