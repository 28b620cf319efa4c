"""Confirmed forgeries: many of one kind at one post raise a need (choreography 1)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from services.training.judgements import needs
from services.training.judgements.certificates import FORGERY, pattern
from services.training.judgements.needs import Need, Wanted
from services.training.judgements.notices import TrainingJudgement
from services.training.policy import POLICY
from shared.contracts.intel import DocumentConfirmed
from shared.contracts.training import NeedRetracted
from shared.record.judgement import Notice, Reading, Standing


class Forgeries(TrainingJudgement):
    """A training need is raised at a post where the same forgery was confirmed often enough.

    Not all confirmations there are read, but those around the one that is judged, while the post has no need; all of
    them only where an amendment left too few of those that raised the need. What was known when a need was met counts
    no more.
    """

    reports = (DocumentConfirmed, NeedRetracted)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the forgery at the post."""
        if isinstance(report.data, DocumentConfirmed):
            yield _scope(report).replace("forgery", "confirmed", 1)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the scope of the forgery at the post; also of a need for which nothing is done any more."""
        if isinstance(report.data, NeedRetracted):
            return [one for one in needs.asking(report, read) if one.startswith("forgery/")]
        return [_scope(report)]

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Raise a need, unless there is one that is not met yet; withdraw one for which too few are left."""
        found = needs.raised_before(scope, read)
        met = max((one.met for one in found if one.met), default=None)
        yield from (needs.kept(one) for one in found if met and one.met == met)
        left = sorted((one for one in found if not one.met), key=lambda one: one.since)
        need = left[0] if left else None
        # One that is open again took the place of those raised since.
        yield from (needs.kept(one) if one.planned else needs.withdrawn(scope, one) for one in left[1:])
        confirmed = read.judged if read.judged and isinstance(read.judged.data, DocumentConfirmed) else None
        if need and (need.planned or (confirmed and read.arriving) or _founded(need, met, read)):
            yield needs.kept(need)
        elif need:
            yield needs.withdrawn(scope, need)
        elif confirmed and _scope(confirmed) == scope:
            yield from _counted(scope, confirmed, met, read)


def _counted(scope: str, report: Standing[DocumentConfirmed], met: datetime | None, read: Reading) -> Iterable[Notice]:
    within = POLICY.confirmed_within
    cluster = _cluster(scope, met, read, report.time - within, report.time + within)
    if cluster:
        wanted = Wanted(
            topic=FORGERY,
            due=read.now + POLICY.trained_within,
            priority="high",
            bcp=report.data.bcp,
            since=cluster[-1][1],
            detected=cluster[0][1],
        )
        yield from needs.raised(scope, report, wanted, read)


def _founded(need: Need, met: datetime | None, read: Reading) -> bool:
    """Say whether enough confirmations are left of those that raised a need, or of all."""
    scope = need.row.scope
    return bool(_cluster(scope, met, read, need.detected, need.since) or _cluster(scope, met, read))


def _cluster(
    scope: str, met: datetime | None, read: Reading, since: datetime | None = None, until: datetime | None = None
) -> Sequence[tuple[str, datetime]]:
    found = read.about(scope.replace("forgery", "confirmed", 1), since, until) if read.sure() else ()
    counting = [(one.id, one.time) for one in found if met is None or one.known > met]
    return first_cluster(counting, POLICY.confirmations, POLICY.confirmed_within)


def first_cluster(
    found: Sequence[tuple[str, datetime]], number: int, within: timedelta
) -> Sequence[tuple[str, datetime]]:
    """Return the first `number` entries (id, time; sorted by time) that lie `within` a span; else none."""
    for start in range(len(found) - number + 1):
        window = found[start : start + number]
        if window[-1][1] - window[0][1] <= within:
            return window
    return []


def _scope(report: Standing[Any]) -> str:
    return f"forgery/{report.country}/{report.data.bcp}/{pattern(report.data)}"
