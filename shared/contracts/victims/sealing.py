"""Version 2 of what says something sensitive of a person: sealed, and the region works with what is in the clear.

Nobody in the region opens `sealed`. What judgements need stands beside it: how urgent a referral is, what it rests on,
whether a consent is for referrals. Sealed are, as JSON, the fields of version 1 that version 2 does not have.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from msgspec import field

from shared.contracts import Data, Problem, Ref, Time, contract
from shared.contracts.sealed import EXAMPLE, Sealed
from shared.contracts.sense import Fact
from shared.contracts.tallies import Tallied
from shared.contracts.victims.consent import ConsentRecorded
from shared.contracts.victims.referrals import SENT, ReferralOffered, ReferralSent, other_country
from shared.contracts.vocabulary import Country, Organisation, ReferralReason, Urgency


@contract(
    "victims.consent.recorded",
    version=2,
    good={
        "consent_id": "con-1",
        "victim_pid": "vi-5a0",
        "for_referral": True,
        "valid_until": "2005-03-01",
        "sealed": EXAMPLE,
        "reported_by": "ngo",
    },
    bad=("sealed", "x"),
    privacy="P",
    entity="consent_id",
)
class ConsentRecordedSealed(Fact, frozen=True, kw_only=True):
    """A victim consented to something; sealed are `scope`, `purpose` and `guardian` of version 1, for the sender."""

    consent_id: Ref
    victim_pid: Ref
    for_referral: bool
    """Whether a referral may rest on it (`scope` is `referral`)."""
    sealed: Sealed
    valid_until: date | None = None


@contract(
    "victims.referral.sent",
    version=2,
    good={
        "referral_id": "ref-88",
        "case_id": "case-12",
        "from": "GTM",
        "to": "MEX",
        "reason": "Repatriation",
        "urgency": "child",
        "authority": "child_welfare",
        "sealed": EXAMPLE,
        "reported_by": "child_welfare",
    },
    bad=("sealed", ...),
    privacy="S",
    owner="sender",
    entity="referral_id",
    derived=("due",),
    tallies=SENT,
    rows=("VA-5.1b",),
)
class ReferralSentSealed(Fact, frozen=True, kw_only=True):
    """A country asks another to take on a victim; sealed are `needs`, `preview`, `override`, `dataref` of version 1."""

    referral_id: Ref
    case_id: Ref
    sender: Country = field(name="from")
    to: Country
    reason: ReferralReason
    urgency: Urgency
    sealed: Sealed
    org_type: Organisation | None = None
    consent_id: Ref | None = None
    authority: Organisation | None = None
    """On whose authority the person is referred without consent; why, is sealed."""
    due: Time | None = None
    pending: Tallied | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `same_country` and `missing_consent`, too."""
        yield from super().check()
        yield from other_country(self.sender, self.to)
        if self.consent_id is None and self.authority is None:
            yield Problem("/data/consent_id", "missing_consent", "name the consent, or the authority that overrides it")


@contract(
    "victims.referral.offered",
    version=2,
    good={
        "referral_id": "ref-88",
        "case_id": "case-12",
        "sender": "GTM",
        "urgency": "child",
        "due": "2004-03-01T18:00:00Z",
        "sealed": EXAMPLE,
    },
    bad=("sealed", "x"),
    privacy="S",
    entity="referral_id",
)
class ReferralOfferedSealed(Data, frozen=True, kw_only=True):
    """Tells the receiving country of a referral of version 2 that awaits its answer."""

    referral_id: Ref
    case_id: Ref
    sender: Country
    urgency: Urgency
    due: Time
    sealed: Sealed
    consent_id: Ref | None = None
    """The consent under which the receiver holds what it is told; without it, an override."""


PLAIN: Mapping[type[Data], type[Data]] = {
    ConsentRecordedSealed: ConsentRecorded,
    ReferralOfferedSealed: ReferralOffered,
    ReferralSentSealed: ReferralSent,
}
"""Sealed -> what it is to those who open it: version 1 of the same type."""
SEALED: Mapping[str, type[Data]] = {
    "victims.consent.recorded": ConsentRecordedSealed,
    "victims.referral.sent": ReferralSentSealed,
}
"""Names of types that countries report sealed -> version 2."""
