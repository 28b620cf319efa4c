"""Consent: no referral without one, or an override, on record; once withdrawn, its holders say that they erased.

Choreography 12.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

from services.victims.judgements.notices import Told, alert, stands
from services.victims.judgements.standing import AnySent, held, resting
from services.victims.policy import POLICY
from shared.contracts import Event, Problem, Refused, identity
from shared.contracts.notice import Alert
from shared.contracts.victims import ConsentErased, ConsentRecorded, ConsentRecordedSealed, ConsentWithdrawn
from shared.record import references
from shared.record.judgement import Judgement, Notice, Reading, Standing, Unknown

AnyConsent: TypeAlias = ConsentRecorded | ConsentRecordedSealed


class Consents(Told):
    """Consents are kept by country and person; one that was given is withdrawn, not retracted."""

    reports = (ConsentRecorded, ConsentRecordedSealed)

    def things(self, report: Standing[AnyConsent]) -> Iterable[str]:
        """Return the consent, and the person's consents."""
        yield consent(report.country, report.data.consent_id)
        yield of_person(report.country, report.data.victim_pid)

    def admit(self, report: Standing[AnyConsent], read: Reading) -> None:
        """Refuse a second one with the same id."""
        if recorded(read, report.country, report.data.consent_id):
            raise Refused(Problem("/data/consent_id", "duplicate_entity", "a consent with this id was recorded before"))

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Have what a consent says put right, under its id."""
        del read
        if after is None or after.data.consent_id != before.data.consent_id:
            raise Refused(Problem("/data/supersedes", "not_amendable", "report that the consent is withdrawn"))


def consent(country: str, consent_id: str) -> str:
    """Return the thing that a consent is."""
    return f"consent/{country}/{consent_id}"


def of_person(country: str, victim_pid: str) -> str:
    """Return the thing that the consents of a person are."""
    return f"consents/{country}/{victim_pid}"


def recorded(read: Reading, country: str, consent_id: str) -> Standing[AnyConsent] | None:
    """Return the consent as it stands."""
    reports = read.about(consent(country, consent_id))
    return next((one for one in reports if isinstance(one.data, AnyConsent)), None)


def withdrawn(read: Reading, country: str, consent_id: str) -> Standing[ConsentWithdrawn] | None:
    """Return the report that a consent was withdrawn."""
    reports = read.about(consent(country, consent_id))
    return next((one for one in reports if isinstance(one.data, ConsentWithdrawn)), None)


def given(read: Reading, country: str, victim_pid: str) -> list[str]:
    """Return the ids of the consents of a person that are not withdrawn."""
    ids = sorted(one.data.consent_id for one in read.about(of_person(country, victim_pid)))
    return [one for one in ids if not withdrawn(read, country, one)]


def consented(sent: Standing[AnySent], read: Reading) -> None:
    """Raise Unknown or Refused unless the consent that a referral rests on, or the override in its place, holds."""
    consent_id = sent.data.consent_id
    if sent.data.authority is not None or consent_id is None:
        return
    found = recorded(read, sent.country, consent_id)
    if found is None:
        raise Unknown("/data/consent_id")
    if withdrawn(read, sent.country, consent_id):
        raise Refused(Problem("/data/consent_id", "consent_withdrawn", "the consent was withdrawn"))
    if not found.data.for_referral:
        raise Refused(Problem("/data/consent_id", "wrong_consent", "the consent is not for a referral"))
    if found.data.valid_until is not None and found.data.valid_until < sent.time.date():
        raise Refused(Problem("/data/consent_id", "consent_expired", "the consent is no longer valid"))


class Erasures(Judgement):
    """Each holder says in time that it has erased, or the consent's country hears that it did not."""

    reports = (ConsentErased, ConsentWithdrawn)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the consent, or what its holder has erased."""
        if isinstance(report.data, ConsentWithdrawn):
            yield consent(report.country, report.data.consent_id)
        else:
            yield erased(report.country, identity.parted(report.data.consent_id)[1])

    def admit(self, report: Standing[Any], read: Reading) -> None:
        """Hold a holder's word to a consent under which it was to erase."""
        if isinstance(report.data, ConsentErased):
            owner_of(report, read)

    def amendable(self, before: Standing[Any], after: Standing[Any] | None, read: Reading) -> None:
        """Refuse what is not a detail."""
        del read
        stands(before, after, "consent_id")

    def sets_off(self, report: Standing[Any], read: Reading) -> Iterable[Event[Any]]:
        """Tell the country whose consent it was that a holder has erased."""
        if isinstance(report.data, ConsentErased):
            owner = owner_of(report, read)
            yield alert(report.event, "data_erased", owner, owner=owner)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the consent's erasures."""
        owner = owner_of(report, read) if isinstance(report.data, ConsentErased) else report.country
        yield f"erasure/{owner}/{identity.parted(report.data.consent_id)[1]}"

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Let the owner hear of each holder that has not erased in time."""
        _, owner, consent_id = scope.split("/")
        report = withdrawn(read, owner, consent_id)
        if report is None:
            return
        for holder in holders(read, report):
            words = read.about(erased(holder, consent_id))
            later = (one for one in words if one.position > report.position)
            if not any(identity.parted(one.data.consent_id)[0] in {"", owner} for one in later):
                yield _overdue(report, holder, scope)


def _overdue(report: Standing[ConsentWithdrawn], holder: str, scope: str) -> Notice:
    due = report.known + POLICY.erased_within
    data = Alert(
        kind="erasure_overdue", about=report.id, about_type=report.event.type, entity=report.data.consent_id, due=due
    )
    return Notice(
        to=report.country,
        data=data,
        scope=scope,
        key=f"{scope}/{holder}",
        due=due,
        cause=report.event,
        event_key=f"overdue/{holder}",
    )


def erased(holder: str, consent_id: str) -> str:
    """Return the thing that a holder's words are that it has erased what it held under a consent's identifier."""
    return f"erased/{holder}/{consent_id}"


def holders(read: Reading, report: Standing[ConsentWithdrawn]) -> list[str]:
    """Return the countries that had referrals under a consent when it was withdrawn."""
    found = resting(read, report.country, [report.data.consent_id])
    return sorted({one.data.to for one in found if one.position < report.position})


def owner_of(report: Standing[ConsentErased], read: Reading) -> str:
    """Return whose withdrawn consent a holder means; raises Unknown or Refused."""
    named, consent_id = identity.parted(report.data.consent_id)
    found = {one.country for one in read.about(held(report.country, consent_id)) if named in {"", one.country}}
    ended = {one: withdrawn(read, one, consent_id) for one in sorted(found)}
    owners = [one for one, end in ended.items() if end and report.country in holders(read, end)]
    return references.meant(owners, "/data/consent_id")
