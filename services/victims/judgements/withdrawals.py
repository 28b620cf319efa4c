"""Consent withdrawn, or the person dead: what rests on it ends (choreographies 12 and 15)."""

from collections.abc import Iterable
from typing import Any

from services.victims.judgements.consents import AnyConsent, given, holders, recorded, withdrawn
from services.victims.judgements.notices import SERVICE, Told, alert
from services.victims.judgements.standing import AnySent, known, resting
from services.victims.policy import POLICY
from shared.contracts import Event, Problem, Refused
from shared.contracts.victims import ConsentWithdrawn, ReferralRevoked, VictimDeceased
from shared.record.judgement import Reading, Standing, Unknown, derive


class Withdrawals(Told):
    """What is pending is revoked, and every holder is asked to erase; figures stay as they are.

    An open referral is offered again only from its report, so that nothing more of the person is kept than that.
    """

    reports = (ConsentWithdrawn,)

    def admit(self, report: Standing[ConsentWithdrawn], read: Reading) -> None:
        """Hold it to a consent of this person, withdrawn once."""
        consent_id = report.data.consent_id
        found = recorded(read, report.country, consent_id)
        if found is None:
            raise Unknown("/data/consent_id")
        _of_its_person(report, found, "/data/victim_pid")
        if withdrawn(read, report.country, consent_id):
            raise Refused(Problem("/data/consent_id", "already_withdrawn", "the consent was withdrawn before"))

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Hold a corrected one to the person, too: whose keys are forgotten, the consent says."""
        found = recorded(read, before.country, before.data.consent_id)
        if after and found and not read.again:
            _of_its_person(after, found, "/data/data/victim_pid")

    def sets_off(self, report: Standing[ConsentWithdrawn], read: Reading) -> Iterable[Event[Any]]:
        """Revoke, and ask."""
        due = report.event.recordedtime + POLICY.erased_within
        yield from _revoked(report, resting(read, report.country, [report.data.consent_id]), "consent_withdrawn", read)
        for holder in holders(read, report):
            yield alert(report.event, "erase_data", holder, due=due)


def _of_its_person(report: Standing[ConsentWithdrawn], found: Standing[AnyConsent], at: str) -> None:
    """Refuse the withdrawal of a consent in another person's name; `at`: where the report says whose it is."""
    if found.data.victim_pid != report.data.victim_pid:
        raise Refused(Problem(at, "wrong_reference", "the consent is another person's"))


class Deaths(Told):
    """The next of kin become eligible for services (the Plan's definition of a victim); the victim's referrals end.

    Straight line to the second degree, and spouse: choreography 15.
    """

    reports = (VictimDeceased,)

    def sets_off(self, report: Standing[VictimDeceased], read: Reading) -> Iterable[Event[Any]]:
        """Revoke, and tell the countries that have to do with the victim."""
        found = resting(read, report.country, given(read, report.country, report.data.victim_pid))
        yield from _revoked(report, found, "deceased", read)
        if report.data.indirect_victims:
            for country in sorted({report.country, *(one.data.to for one in found)}):
                yield alert(report.event, "indirect_victims_eligible", country)


def _revoked(
    report: Standing[Any], found: Iterable[Standing[AnySent]], reason: Any, read: Reading
) -> Iterable[Event[Any]]:
    """Return the revocations, because of a report, of those of its country's referrals that are still open."""
    ids = dict.fromkeys(one.data.referral_id for one in found)
    standing = [known(read, report.country, referral_id) for referral_id in ids]
    for one in standing:
        if one and one.open:
            data = ReferralRevoked(referral_id=one.referral_id, reason=reason, reported_by=report.data.reported_by)
            yield derive(SERVICE, data, cause=report.event, to=report.country, key=one.referral_id)
