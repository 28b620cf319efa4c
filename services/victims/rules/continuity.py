"""Whether a victim was cared for all the time until the migration status was settled (Plan row VA-4.1b)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from services.victims.policy import POLICY
from services.victims.store import services
from services.victims.store.services import Report
from shared.contracts import Data, Event
from shared.contracts.victims import MigrationStatusResolved
from shared.database import Connection


async def on_migrationstatus_resolved(
    event: Event[MigrationStatusResolved], connection: Connection
) -> Iterable[Event[Any]]:
    """Say whether there was a gap in the victim's care."""
    return [msgspec.structs.replace(event, data=await _judged(event, event.data, connection))]


async def amend_migrationstatus_resolved(
    root: Event[Any], previous: Data, new: Data | None, connection: Connection
) -> tuple[Data, Data | None]:
    """Judge a corrected resolution by what is known now: it may be another victim's."""
    if isinstance(new, MigrationStatusResolved):
        new = await _judged(root, new, connection)
    return previous, new


async def _judged(event: Event[Any], data: MigrationStatusResolved, connection: Connection) -> MigrationStatusResolved:
    since = await services.victim_since(connection, event.country, data.victim_pid)
    reports = await services.of_victim(connection, event.country, data.victim_pid)
    uncared = longest_without(since, reports, event.time)
    gap = None if uncared is None else uncared > POLICY.uncared_tolerated
    return msgspec.structs.replace(data, care_gap=gap)


def longest_without(since: datetime | None, reports: Sequence[Report], until: datetime) -> timedelta | None:
    """Return the longest time between `since` (None: the first service) and `until` in which no service was running.

    None: there is no such time, or nothing tells when it began.
    """
    running = sorted((one.began, _end(one, reports) or until) for one in reports if one.began is not None)
    since = since or (running[0][0] if running else None)
    if since is None or since > until:
        return None
    covered, longest = since, timedelta(0)
    for began, ended in running:
        longest = max(longest, min(began, until) - covered)
        covered = max(covered, min(ended, until))
    return max(longest, until - covered)


def _end(given: Report, reports: Sequence[Report]) -> datetime | None:
    """Return when a service ended: by its own report, or by the first end of the same service after it began."""
    if given.ended or given.began is None:
        return given.ended
    ends = [
        one.ended
        for one in reports
        if one.began is None and one.ended and one.service == given.service and one.ended >= given.began
    ]
    return min(ends, default=None)
