"""What countries report to the victims service, and what it derives."""

from collections.abc import Iterator
from datetime import date

from msgspec import field

from shared.contracts import Count, Data, Problem, Ref, Time, Value, contract
from shared.contracts.notice import alerts, rejects
from shared.contracts.sense import Fact
from shared.contracts.vocabulary import (
    Act,
    AgeBand,
    Control,
    Country,
    DataRef,
    DecidedBy,
    DurationBand,
    Exploitation,
    IdentifiedBy,
    Industry,
    Listed,
    Means,
    Mechanism,
    Offence,
    OneOrMore,
    Organisation,
    OverrideReason,
    Purpose,
    Recruitment,
    ReferralReason,
    ReferralRefusal,
    ReferralRevocation,
    Service,
    Sex,
    State,
    Urgency,
    VictimStatus,
)


@contract(
    "victims.victim.identified",
    good={
        "victim_pid": "vi-5a0",
        "offence": "tip",
        "status": "ActualVictimOfTrafficking",
        "decided_by": "CourtOrProsecution",
        "mechanism": "statement",
        "identified_by": "ngo",
        "act": ["recruitment"],
        "means": ["deception"],
        "purpose": ["forced_labour"],
        "exploitation": ["ForcedLabour"],
        "industry": "A_AgricultureForestryAndFishing",
        "sex": "male",
        "age_band": "adult",
        "reported_by": "prosecution",
    },
    bad=("means", ["trickery"]),
    rows=("VA-2.1", "VA-3.1c", "XC-2"),
    privacy="S",
    entity="victim_pid",
)
class VictimIdentified(Fact, frozen=True, kw_only=True):
    """A person was identified as a victim; trafficking by act, means and purpose (Palermo Protocol art. 3)."""

    victim_pid: Ref
    offence: Offence
    status: VictimStatus
    decided_by: DecidedBy
    mechanism: Mechanism
    identified_by: IdentifiedBy
    sex: Sex
    age_band: AgeBand
    act: Listed[Act] = ()
    means: Listed[Means] = ()
    """Not needed for a minor (art. 3 (c))."""
    purpose: Listed[Purpose] = ()
    exploitation: Listed[Exploitation] = ()
    control: Listed[Control] = ()
    recruitment: Listed[Recruitment] = ()
    industry: Industry | None = None
    duration_band: DurationBand | None = None
    exploitation_country: State | None = None
    occurred_from: date | None = None
    occurred_to: date | None = None

    def check(self) -> Iterator[Problem]:
        """Yield what the definition of trafficking lacks, too."""
        yield from super().check()
        if self.offence != "tip" or self.status == "NotAVictimOfTrafficking":
            return
        for name, values in (("act", self.act), ("means", self.means), ("purpose", self.purpose)):
            if not values and not (name == "means" and self.age_band == "minor"):
                yield Problem(
                    f"/data/{name}",
                    f"missing_{name}",
                    f"trafficking in persons needs at least one {name} (Palermo Protocol, article 3)",
                )


@contract(
    "victims.service.provided",
    good={
        "victim_pid": "vi-5a0",
        "offence": "tip",
        "service": "shelter",
        "provider_type": "ngo",
        "started": "2004-03-01T10:00:00Z",
        "sex": "male",
        "age_band": "adult",
        "reported_by": "ngo",
    },
    bad=("service", "spa"),
    rows=("VA-4.1", "VA-4.1c", "IP-f", "XC-2"),
    privacy="P",
    entity="victim_pid",
    derived=("first_service_this_year",),
)
class ServiceProvided(Fact, frozen=True, kw_only=True):
    """A victim was given a service (Plan VA 4.1); each victim counts once a year in IP-f."""

    victim_pid: Ref
    offence: Offence
    service: Service
    sex: Sex
    age_band: AgeBand
    provider_type: Organisation | None = None
    started: Time | None = None
    ended: Time | None = None
    first_service_this_year: bool | None = None


class Override(Value, frozen=True, kw_only=True):
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
    rows=("VA-5.1b",),
    privacy="S",
    owner="sender",
    entity="referral_id",
    derived=("due",),
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
    override: Override | None = None
    preview: Preview | None = None
    dataref: DataRef | None = None
    due: Time | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `same_country` and `missing_consent`, too."""
        yield from super().check()
        if self.to == self.sender:
            yield Problem("/data/to", "same_country", "a referral goes to another country")
        if self.consent_id is None and self.override is None:
            yield Problem("/data/consent_id", "missing_consent", "name the consent, or an override with its authority")


@contract(
    "victims.referral.accepted",
    good={"referral_id": "ref-88", "receiving_org": "shelter", "reported_by": "consulate"},
    bad=("referral_id", ...),
    rows=("VA-5.1b",),
    privacy="P",
    entity="referral_id",
    derived=("sender", "receiver", "latency_s", "late"),
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


@contract(
    "victims.referral.rejected",
    good={"referral_id": "ref-88", "reason": "no_capacity", "reported_by": "consulate"},
    bad=("reason", "no"),
    rows=("VA-5.1b",),
    privacy="P",
    entity="referral_id",
    derived=("sender", "receiver", "latency_s", "late"),
)
class ReferralRejected(Fact, frozen=True, kw_only=True):
    """The receiving country does not take the victim on; the need is open again."""

    referral_id: Ref
    reason: ReferralRefusal
    sender: Country | None = None
    receiver: Country | None = None
    latency_s: Count | None = None
    late: bool | None = None


@contract(
    "victims.referral.revoked",
    good={"referral_id": "ref-88", "reason": "consent_withdrawn", "reported_by": "child_welfare"},
    bad=("reason", "no"),
    privacy="P",
    entity="referral_id",
)
class ReferralRevoked(Fact, frozen=True, kw_only=True):
    """The sending country takes its referral back; not possible once it is accepted."""

    referral_id: Ref
    reason: ReferralRevocation


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


@contract(
    "victims.referral.overdue",
    good={"referral_id": "ref-88", "sender": "GTM", "receiver": "MEX", "due": "2004-03-01T18:00:00Z"},
    bad=("due", ...),
    rows=("VA-5.1b",),
    entity="referral_id",
)
class ReferralOverdue(Data, frozen=True, kw_only=True):
    """Tells the sending country that its referral was not answered in time."""

    referral_id: Ref
    sender: Country
    receiver: Country
    due: Time


@contract(
    "victims.repatriation.completed",
    good={
        "referral_id": "ref-88",
        "case_id": "case-12",
        "from": "GTM",
        "to": "MEX",
        "voluntary": True,
        "risk_assessment": True,
        "sex": "female",
        "age_band": "minor",
        "reported_by": "consulate",
    },
    bad=("voluntary", "yes"),
    rows=("VA-5.1b", "XC-2"),
    privacy="P",
    owner="sender",
    entity="case_id",
)
class RepatriationCompleted(Fact, frozen=True, kw_only=True):
    """A victim was taken home (Plan VA 5.1)."""

    case_id: Ref
    sender: Country = field(name="from")
    to: Country
    voluntary: bool
    risk_assessment: bool
    sex: Sex
    age_band: AgeBand
    referral_id: Ref | None = None
    escort: Organisation | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `same_country`, too."""
        yield from super().check()
        if self.to == self.sender:
            yield Problem("/data/to", "same_country", "a repatriation goes to another country")


alerts("victims")
rejects("victims")
