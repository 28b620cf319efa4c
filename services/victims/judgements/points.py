"""Contact points, as heard from intel: a newcomer gets what is open, somebody stands in where there is none."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from services.victims.judgements.notices import SERVICE, alert, latest_of, points, vacant
from services.victims.judgements.standing import Referral, offer, open_to
from shared.contracts import Event, identity
from shared.contracts.intel import ContactPointDesignated, ContactPointReplaced, ContactPointVacated
from shared.record.judgement import Judgement, Notice, Reading, Standing, derive


class ContactPoints(Judgement):
    """What news of a contact point sets off, once; an amendment of them is judged in a scope of its own."""

    reports = (ContactPointDesignated, ContactPointReplaced, ContactPointVacated)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the country's contact points."""
        yield points(report.data.country)

    def sets_off(self, report: Standing[Any], read: Reading) -> Iterable[Event[Any]]:
        """Offer a newcomer all that is open again, or have the secretariat look after it; late news change nothing."""
        country = report.data.country
        if latest_of(read.about(points(country)))[report.data.body].id != report.id:
            return []
        if isinstance(report.data, ContactPointVacated):
            return _looked_after(report.event, country, read)
        return [
            derive(SERVICE, offer(one.sent), cause=report.event, to=country, key=key)
            for one, key in _told_apart(open_to(read, country))
        ]

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return a scope of the amendment, where it leaves a country without what the report as it stood told.

        A post that nobody had left, after all, needs nothing: the country's mailbox has had everything.
        """
        after = read.judged
        if read.arriving or (after and _post(after) == _post(report)):
            return []
        left = report if isinstance(report.data, ContactPointDesignated) else after
        return [f"{points(left.data.country)}/{read.cause.source}/{read.cause.id}"] if left else []

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Have the secretariat look after the country's referrals, if it has no contact point left."""
        for one in _looked_after(read.cause, scope.split("/")[1], read):
            yield Notice(to=one.country, data=one.data, scope=scope, key=one.id, event_id=one.id)


def _post(report: Standing[Any]) -> tuple[str, str]:
    return report.data.country, report.data.body


def _looked_after(cause: Event[Any], country: str, read: Reading) -> list[Event[Any]]:
    holder = read.mailbox("st", cause.recordedtime)
    if holder == country or not vacant(read, country):
        return []
    return [
        alert(
            cause,
            "contact_point_vacant",
            holder,
            entity=one.referral_id,
            owner=one.sender,
            due=one.due,
            key=key,
        )
        for one, key in _told_apart(open_to(read, country))
    ]


def _told_apart(found: Sequence[Referral]) -> Iterator[tuple[Referral, str]]:
    """Yield each referral with what tells it from the others: its identifier, with its owner where it is not alone."""
    known: set[str] = set()
    for one in found:
        alone = one.referral_id not in known
        yield one, one.referral_id if alone else identity.whole(one.referral_id, one.sender)
        known.add(one.referral_id)
