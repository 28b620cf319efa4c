"""Whether a victim was cared for all the time until the migration status was settled (Plan row VA-4.1b)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from services.victims.judgements.notices import Told
from services.victims.judgements.people import identified
from services.victims.policy import POLICY
from shared.contracts import Data
from shared.contracts.victims import MigrationStatusResolved, ServiceEnded, ServiceProvided
from shared.record.judgement import Reading, Standing


@dataclass(frozen=True, slots=True)
class Report:
    """A report of a service: that it was given (`began`), that it ended, or both."""

    service: str
    began: datetime | None
    ended: datetime | None


class CareGaps(Told):
    """A settled status says whether there was a gap in the victim's care; the victim's services are read."""

    reports = (MigrationStatusResolved, ServiceEnded, ServiceProvided)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the victim's care, of a service."""
        if not isinstance(report.data, MigrationStatusResolved):
            yield _care(report)

    def fill(self, report: Standing[Any], read: Reading) -> Data:
        """Judge it once, by what is known now."""
        data: Data = report.data
        if not isinstance(data, MigrationStatusResolved):
            return data
        known = identified(report.country, data.victim_pid)
        since = min((one.time for one in read.about(known)), default=None)
        uncared = longest_without(since, [service(one) for one in read.about(_care(report))], report.time)
        gap = None if uncared is None else uncared > POLICY.uncared_tolerated
        return msgspec.structs.replace(data, care_gap=gap)

    def refill(self, report: Standing[Any], read: Reading) -> Data:
        """Judge a corrected one by what is known now: it may be another victim's."""
        return self.fill(report, read)

    def taken_out(self, report: Standing[Any], read: Reading) -> Data:
        """Return it as it was judged."""
        del read
        return report.data  # type: ignore[no-any-return]  # of any type


def _care(report: Standing[Any]) -> str:
    return f"care/{report.country}/{report.data.victim_pid}"


def service(report: Standing[ServiceEnded] | Standing[ServiceProvided]) -> Report:
    """Return what is told of a service: it began by its own word, or at the report's time."""
    data = report.data
    began = (data.started or report.time) if isinstance(data, ServiceProvided) else None
    return Report(data.service, began, data.ended)


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
