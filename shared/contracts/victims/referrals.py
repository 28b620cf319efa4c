"""Referrals from country to country, and what becomes of them."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, field

from shared.contracts import Count, Data, Problem, Ref, Time, Value, contract
from shared.contracts.sense import Fact, contradiction
from shared.contracts.tallies import Tallied, Tally
from shared.contracts.vocabulary import (
    AgeBand,
    Country,
    DataRef,
    EscalationReason,
    Offence,
    OneOrMore,
    Organisation,
    OverrideReason,
    ReferralReason,
    ReferralRefusal,
    ReferralRevocation,
    Service,
    Sex,
    Urgency,
)

REFERRAL = ("referral_id",)
SENT = (Tally("referral", REFERRAL, "pending", regional=True, known=True),)
ANSWERED = (Tally("referral", REFERRAL, "pending", opens=False, regional=True, known=True),)


def other_country(sender: Country, to: Country) -> Iterator[Problem]:
    """Yield `same_country`, unless a referral goes to another country."""
    if to == sender:
        yield Problem("/data/to", "same_country", "a referral goes to another country")


class ConsentOverride(Value, frozen=True, kw_only=True):
    """Why a person is referred without consent, and on whose authority."""

    reason: OverrideReason
    authority: Organisation


class Preview(Value, frozen=True, kw_only=True):
    """What the receiving country may know before it accepts: bands only."""

    sex: Sex
    age_band: AgeBand
    offence: Offence | None = None


@contract(
    "victims.referral.sent",
    good={
        "referral_id": "ref-88",
        "case_id": "case-12",
        "from": "GTM",
        "to": "MEX",
        "reason": "Repatriation",
        "urgency": "child",
        "override": {"reason": "child", "authority": "child_welfare"},
        "needs": ["shelter", "Legal"],
        "preview": {"sex": "female", "age_band": "minor"},
        "dataref": "urn:crm:vault:GTM:ref-88",
        "reported_by": "child_welfare",
    },
    bad=("urgency", "whenever"),
    privacy="S",
    owner="sender",
    entity="referral_id",
    derived=("due",),
    tallies=SENT,
    rows=("VA-5.1b",),
)
class ReferralSent(Fact, frozen=True, kw_only=True):
    """A country asks another to take on a victim; the answer is due in 8 h (child, danger) or 72 h (2023/977)."""

    referral_id: Ref
    case_id: Ref
    sender: Country = field(name="from")
    to: Country
    reason: ReferralReason
    urgency: Urgency
    needs: OneOrMore[Service]
    org_type: Organisation | None = None
    consent_id: Ref | None = None
    override: ConsentOverride | None = None
    preview: Preview | None = None
    dataref: DataRef | None = None
    due: Time | None = None
    pending: Tallied | None = None

    @property
    def authority(self) -> Organisation | None:
        """On whose authority the person is referred without consent."""
        return self.override.authority if self.override else None

    def check(self) -> Iterator[Problem]:
        """Yield `same_country`, `contradiction` and `missing_consent`, too."""
        yield from super().check()
        yield from other_country(self.sender, self.to)
        adult = self.preview is not None and self.preview.age_band == "adult"
        if adult and self.urgency == "child":
            yield contradiction("urgency", "the preview says that the person is an adult")
        if adult and self.override is not None and self.override.reason == "child":
            yield contradiction("override/reason", "the preview says that the person is an adult")
        if self.consent_id is None and self.override is None:
            yield Problem("/data/consent_id", "missing_consent", "name the consent, or an override with its authority")


@contract(
    "victims.referral.accepted",
    good={"referral_id": "ref-88", "receiving_org": "shelter", "reported_by": "consulate"},
    bad=("referral_id", ...),
    privacy="P",
    entity="referral_id",
    derived=("sender", "receiver", "latency_s", "late"),
    tallies=ANSWERED,
    rows=("VA-5.1b",),
)
class ReferralAccepted(Fact, frozen=True, kw_only=True):
    """The receiving country takes the victim on; late acceptance is still valid, and counted late."""

    referral_id: Ref
    receiving_org: Organisation | None = None
    sender: Country | None = None
    receiver: Country | None = None
    latency_s: Count | None = None
    """Seconds from the region knowing of the referral to its knowing of the answer."""
    late: bool | None = None
    pending: Tallied | None = None


@contract(
    "victims.referral.rejected",
    good={"referral_id": "ref-88", "reason": "no_capacity", "reported_by": "consulate"},
    bad=("reason", "no"),
    privacy="P",
    entity="referral_id",
    derived=("sender", "receiver", "latency_s", "late"),
    tallies=ANSWERED,
    rows=("VA-5.1b",),
)
class ReferralRejected(Fact, frozen=True, kw_only=True):
    """The receiving country does not take the victim on; the need is open again."""

    referral_id: Ref
    reason: ReferralRefusal
    sender: Country | None = None
    receiver: Country | None = None
    latency_s: Count | None = None
    late: bool | None = None
    pending: Tallied | None = None


@contract(
    "victims.referral.revoked",
    good={"referral_id": "ref-88", "reason": "consent_withdrawn", "reported_by": "child_welfare"},
    bad=("reason", "no"),
    privacy="P",
    entity="referral_id",
    derived=("late",),
    tallies=ANSWERED,
    rows=("VA-5.1b",),
)
class ReferralRevoked(Fact, frozen=True, kw_only=True):
    """The sending country takes its referral back; not possible once it is accepted."""

    referral_id: Ref
    reason: ReferralRevocation
    pending: Tallied | None = None
    late: bool | None = None
    """Its answer was overdue by then."""


@contract(
    "victims.referral.offered",
    good={
        "referral_id": "ref-88",
        "case_id": "case-12",
        "sender": "GTM",
        "urgency": "child",
        "needs": ["shelter"],
        "due": "2004-03-01T18:00:00Z",
    },
    bad=("due", "soon"),
    privacy="S",
    entity="referral_id",
)
class ReferralOffered(Data, frozen=True, kw_only=True):
    """Tells the receiving country of a referral that awaits its answer."""

    referral_id: Ref
    case_id: Ref
    sender: Country
    urgency: Urgency
    needs: tuple[Service, ...]
    due: Time
    preview: Preview | None = None
    dataref: DataRef | None = None
    consent_id: Ref | None = None
    """The consent under which the receiver holds what it is told; without it, an override."""


@contract(
    "victims.referral.overdue",
    good={"referral_id": "ref-88", "sender": "GTM", "receiver": "MEX", "due": "2004-03-01T18:00:00Z"},
    bad=("due", ...),
    entity="referral_id",
    rows=("VA-5.1b",),
)
class ReferralOverdue(Data, frozen=True, kw_only=True):
    """Tells the sending country that its referral was not answered in time."""

    referral_id: Ref
    sender: Country
    receiver: Country
    due: Time


@contract(
    "victims.referral.delivered",
    good={"referral_id": "ref-88", "receiver": "MEX", "delivered_at": "2004-03-01T10:00:06Z"},
    bad=("delivered_at", ...),
    entity="referral_id",
    rows=("VA-5.1b",),
)
class ReferralDelivered(Data, frozen=True, kw_only=True):
    """Tells the sending country that the receiving country's system has the referral: acknowledged in its mailbox.

    Or answered, if that was known first. Told once for each referral, also when it is offered again.
    """

    referral_id: Ref
    receiver: Country
    delivered_at: Time
    """When the region knew; the receiver acknowledged it shortly before, and not earlier than it was offered."""


@contract(
    "victims.referral.completed",
    good={"referral_id": "ref-88", "reported_by": "ngo"},
    bad=("referral_id", ...),
    privacy="P",
    entity="referral_id",
    derived=("sender", "receiver"),
    rows=("VA-5.1b",),
)
class ReferralCompleted(Fact, frozen=True, kw_only=True):
    """What a referral asked for is done."""

    referral_id: Ref
    sender: Country | None = None
    receiver: Country | None = None


@contract(
    "victims.referral.escalated",
    good={
        "referral_id": "ref-88",
        "sender": "GTM",
        "receiver": "MEX",
        "due": "2004-03-01T18:00:00Z",
        "late_s": 86400,
        "level": 2,
    },
    bad=("level", 4),
    entity="referral_id",
    rows=("VA-5.1b",),
)
class ReferralEscalated(Data, frozen=True, kw_only=True):
    """An unanswered referral goes up: 1 contact point, 2 both contact points, 3 the presidency.

    Or a victim who was taken home has joined no programme there (`not_enrolled`; then level 1 is the last).
    """

    referral_id: Ref
    sender: Country
    receiver: Country
    due: Time
    late_s: Count
    level: Annotated[int, Meta(ge=1, le=3)]
    reason: EscalationReason = "unanswered"


@contract(
    "victims.referral.lapsed",
    good={"referral_id": "ref-88", "sender": "GTM", "receiver": "MEX", "due": "2004-03-01T18:00:00Z"},
    bad=("receiver", "EU"),
    entity="referral_id",
    tallies=ANSWERED,
    rows=("VA-5.1b",),
)
class ReferralLapsed(ReferralOverdue, frozen=True, kw_only=True):
    """A referral is no longer awaited: the last level passed without an answer."""

    pending: Tallied | None = None
