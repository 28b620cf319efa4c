"""Where a referral stands, by the reports about it; and which referrals a country may mean."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from services.victims.policy import POLICY
from shared.contracts import identity
from shared.contracts.victims import (
    ReferralDelivered,
    ReferralOffered,
    ReferralOfferedSealed,
    ReferralSent,
    ReferralSentSealed,
)
from shared.record import references
from shared.record.judgement import Reading, Standing

AnySent: TypeAlias = ReferralSent | ReferralSentSealed
AnyOffer: TypeAlias = ReferralOffered | ReferralOfferedSealed
OPEN = ("pending", "overdue")
ENDS = ("completed", "accepted", "rejected", "revoked", "lapsed")
"""What ends a referral, the last first."""


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral of a victim from one country to another."""

    sent: Standing[AnySent]
    state: str
    delivered: datetime | None
    """Since when the region knows that its receiver has it."""

    @property
    def sender(self) -> str:
        """Who sent it, and gave it its identifier."""
        return self.sent.country

    @property
    def referral_id(self) -> str:
        """Its identifier."""
        return self.sent.data.referral_id

    @property
    def receiver(self) -> str:
        """Who is to answer."""
        return self.sent.data.to

    @property
    def due(self) -> datetime:
        """When the answer is due."""
        return self.sent.data.due or due(self.sent)

    @property
    def open(self) -> bool:
        """Whether it may still be answered or revoked."""
        return self.state in OPEN


def referral(reports: Iterable[Standing[Any]]) -> Referral | None:
    """Return the referral that these reports are about; None: it was not sent."""
    by_verb = {one.verb: one for one in reports}
    if "sent" not in by_verb:
        return None
    state = next((verb for verb in (*ENDS, "overdue") if verb in by_verb), "pending")
    delivered: Standing[ReferralDelivered] | None = by_verb.get("delivered")
    return Referral(by_verb["sent"], state, delivered.data.delivered_at if delivered else None)


def due(sent: Standing[AnySent]) -> datetime:
    """Return when the answer is due: by urgency, or sooner if the sender asks so (`expirytime`)."""
    urgent = sent.data.urgency in {"child", "danger"}
    latest = sent.known + (POLICY.answered_within_urgent if urgent else POLICY.answered_within)
    asked = sent.event.expirytime
    return asked if asked is not None and sent.known < asked < latest else latest


def offer(sent: Standing[AnySent]) -> AnyOffer:
    """Return what the receiver is told of a referral: sealed as it came, where it came sealed."""
    data = sent.data
    told: dict[str, Any] = {
        "referral_id": data.referral_id,
        "case_id": data.case_id,
        "sender": data.sender,
        "urgency": data.urgency,
        "consent_id": data.consent_id,
        "due": data.due or due(sent),
    }
    if isinstance(data, ReferralSentSealed):
        return ReferralOfferedSealed(**told, sealed=data.sealed)
    return ReferralOffered(**told, needs=data.needs, preview=data.preview, dataref=data.dataref)


def named(sender: str, referral_id: str) -> str:
    """Return the thing that a referral is."""
    return f"referral/{sender}/{referral_id}"


def sent_to(receiver: str, referral_id: str) -> str:
    """Return the thing that the referrals of one identifier to a country are, whoever sent them."""
    return f"referral/to/{receiver}/{referral_id}"


def offered_to(receiver: str) -> str:
    """Return the thing that all offers to a country are."""
    return f"offers/{receiver}"


def under(sender: str, consent_id: str) -> str:
    """Return the thing that the referrals are that rest on a consent."""
    return f"under/{sender}/{consent_id}"


def held(receiver: str, consent_id: str) -> str:
    """Return the thing that the referrals are under which a country holds data, by the consent's identifier."""
    return f"held/{receiver}/{consent_id}"


def sender_of(report: Standing[Any]) -> str:
    """Return who sent the referral that a recorded report is about."""
    return getattr(report.data, "sender", None) or report.country


def plain(report: Standing[Any]) -> str:
    """Return the identifier of the referral that a report is about, without its owner."""
    return identity.parted(report.data.referral_id)[1]


def known(read: Reading, sender: str, referral_id: str) -> Referral | None:
    """Return a country's referral."""
    return referral(read.about(named(sender, referral_id)))


def senders(read: Reading, receiver: str, ref: str) -> list[str]:
    """Return whose referrals to a country that country may mean by an identifier, in order."""
    owner, referral_id = identity.parted(ref)
    return sorted(one.country for one in read.about(sent_to(receiver, referral_id)) if owner in {"", one.country})


def asked(read: Reading, receiver: str, ref: str) -> str:
    """Return whose referral to the country it means; raises Unknown or Refused."""
    return references.meant(senders(read, receiver, ref), "/data/referral_id")


def resting(read: Reading, sender: str, consent_ids: Sequence[str]) -> list[Standing[AnySent]]:
    """Return a country's referrals that rest on one of these consents, in order of id."""
    found = [one for consent_id in consent_ids for one in read.about(under(sender, consent_id))]
    return sorted(found, key=lambda one: one.data.referral_id)


def open_to(read: Reading, receiver: str) -> list[Referral]:
    """Return the referrals that await a country's answer, oldest first.

    Only what was offered in twice the time in which a referral lapses is read: a deadline may fire late.
    """
    longest = max(POLICY.answered_within, POLICY.answered_within_urgent) + POLICY.lapsed_after
    offers = read.about(offered_to(receiver), since=read.now - 2 * longest)
    pairs = {(one.data.sender, one.data.referral_id) for one in offers}
    found = [one for pair in pairs if (one := known(read, *pair)) and one.open and one.receiver == receiver]
    return sorted(found, key=lambda one: (one.sent.known, one.referral_id, one.sender))
