"""Services to victims: what each got, their status, programmes, whether they have work again."""

from collections.abc import Iterator
from typing import Any, ClassVar, get_args

from shared.contracts import Count, Months, Problem, Ref, Time, contract
from shared.contracts.sense import Fact, contradiction
from shared.contracts.tallies import ByLabel, Once, Opens, Parts, Shifts, Since, Tallied, Tally
from shared.contracts.victims.people import of_a_victim
from shared.contracts.vocabulary import (
    AgeBand,
    Country,
    Industry,
    Offence,
    Organisation,
    Relation,
    Service,
    ServiceRefusal,
    Sex,
    StatusOutcome,
)

KIN = get_args(Relation)


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
    privacy="P",
    entity="victim_pid",
    derived=("first_service_this_year",),
    tallies=(
        Tally(
            "assisted",
            ("victim_pid",),
            "change",
            period="year",
            flag="first_service_this_year",
            said=("offence", "sex", "age_band"),
        ),
        Tally("served", ("victim_pid",), "served", opens=Opens("relation", (None,), others_close=False)),
        Tally("kin_served", ("victim_pid",), shifts="kin_served", opens=Opens("relation", KIN, others_close=False)),
        Tally(
            "communicated",
            ("victim_pid",),
            "communicated",
            opens=Opens("to_victim", ("communication",), others_close=False),
        ),
        Tally("service", ("victim_pid", "service"), "running", opens=Opens("ended", (None,), others_close=False)),
        Since("victim", ("victim_pid",), "latency_s"),
        Since("victim", ("victim_pid",), "first_delay_s", only="served"),
    ),
    rows=(
        "IP-f",
        "VA-4.1",
        "VA-4.1c",
        "XC-2",
        "MS-VA-4",
    ),
)
class ServiceProvided(Fact, frozen=True, kw_only=True):
    """A victim was given a service (Plan VA 4.1); each victim counts once a year in IP-f."""

    happened: ClassVar[tuple[str, ...]] = ("started", "ended")

    victim_pid: Ref
    offence: Offence
    service: Service
    sex: Sex
    age_band: AgeBand
    provider_type: Organisation | None = None
    started: Time | None = None
    ended: Time | None = None
    first_service_this_year: bool | None = None
    change: Tallied | None = None
    served: Tallied | None = None
    communicated: Tallied | None = None
    running: Tallied | None = None
    latency_s: Count | None = None
    first_delay_s: Count | None = None
    """From the identification to the first service after it, of that service."""
    relation: Relation | None = None
    """To a victim who died: the person is an indirect victim (next of kin or spouse); absent: a direct one."""
    kin_served: Shifts | None = None
    by_label: ByLabel | None = None

    @property
    def to_victim(self) -> Service | None:
        """The service, if a direct victim was given it."""
        return self.service if self.relation is None else None

    def check(self) -> Iterator[Problem]:
        """Yield `no_victims`, too."""
        yield from super().check()
        yield from of_a_victim(self.offence)


class VictimService(Fact, frozen=True, kw_only=True):
    """A service to a victim (Plan VA 4.1)."""

    victim_pid: Ref
    service: Service


SERVICE = {"victim_pid": "vi-5a0", "service": "shelter", "reported_by": "ngo"}


SERVED: dict[str, Any] = {"privacy": "P", "entity": "victim_pid"}


@contract(
    "victims.service.requested",
    good=SERVICE,
    bad=("service", "spa"),
    **SERVED,
    rows=("VA-4.1",),
)
class ServiceRequested(VictimService, frozen=True, kw_only=True):
    """A service was asked for, for a victim."""


@contract(
    "victims.service.refused",
    good=SERVICE | {"reason": "no_capacity"},
    bad=("reason", "no"),
    **SERVED,
    rows=("VA-4.1",),
)
class ServiceRefused(VictimService, frozen=True, kw_only=True):
    """A service could not be given, or the victim did not want it."""

    reason: ServiceRefusal


@contract(
    "victims.service.ended",
    good=SERVICE | {"ended": "2004-02-29T10:00:00Z"},
    bad=("ended", ...),
    **SERVED,
    tallies=(Tally("service", ("victim_pid", "service"), "running", opens=False),),
    rows=("VA-4.1",),
)
class ServiceEnded(VictimService, frozen=True, kw_only=True):
    """A service came to its end."""

    happened: ClassVar[tuple[str, ...]] = ("ended",)

    ended: Time
    running: Tallied | None = None


@contract(
    "victims.migrationstatus.resolved",
    good={"victim_pid": "vi-5a0", "outcome": "regularised", "reported_by": "immigration"},
    bad=("outcome", "gone"),
    privacy="P",
    entity="victim_pid",
    derived=("care_gap",),
    tallies=(
        Tally("status", ("victim_pid",), "unsettled", opens=False),
        Once("settlement", ("victim_pid",), said=("outcome", "care_gap"), regional=False),
        Tally("status_resolved", ("victim_pid",)),
        Since("victim", ("victim_pid",), "latency_s", only="status_resolved"),
    ),
    rows=("VA-4.1b",),
)
class MigrationStatusResolved(Fact, frozen=True, kw_only=True):
    """A victim's migration status was settled; until then care goes on (Plan VA 4.1)."""

    victim_pid: Ref
    outcome: StatusOutcome
    once: Parts | None = None
    """A person's status is settled once; a correction changes how."""
    unsettled: Tallied | None = None
    latency_s: Count | None = None
    care_gap: bool | None = None
    """Between the identification and this, no service was running for longer than is tolerated. Judged once, by what
    was known when this was recorded; None: neither the identification nor any service was."""


@contract(
    "victims.programme.enrolled",
    good={"victim_pid": "vi-5a0", "programme": "Livelihood", "referral_id": "ref-88", "reported_by": "ngo"},
    bad=("programme", "x"),
    privacy="P",
    entity="victim_pid",
    derived=("sender", "home", "first_enrolment", "found"),
    tallies=(
        Tally("enrolment", ("home|referral_id",), "change", regional=True),
        Tally(
            "enrolment_of_case",
            ("case_id",),
            shifts="of_case",
            opens=Opens("home|referral_id", (None,), others_close=False),
            regional=True,
        ),
        Tally("programme", ("victim_pid", "programme"), "running"),
    ),
    rows=("VA-5.1b",),
)
class ProgrammeEnrolled(Fact, frozen=True, kw_only=True):
    """A returned victim joined a local programme (Plan VA 5.1)."""

    victim_pid: Ref
    programme: Service
    referral_id: Ref | None = None
    """The referral by which the victim was taken home."""
    case_id: Ref | None = None
    """The case of the return, where there was no referral."""
    sender: Country | None = None
    """The country that sent the victim home, where it is known."""
    home: Ref | None = None
    """The referral of the return whose case it names, where it does not name that referral itself."""
    first_enrolment: bool | None = None
    """Nobody was enrolled under this referral or case before; without either, not known."""
    found: bool | None = None
    """First, and after the region had given notice that the returned victim was enrolled nowhere."""
    change: Tallied | None = None
    of_case: Shifts | None = None
    running: Tallied | None = None


@contract(
    "victims.programme.left",
    good={"victim_pid": "vi-5a0", "programme": "Livelihood", "months": 9, "reported_by": "ngo"},
    bad=("months", "nine"),
    privacy="P",
    entity="victim_pid",
    tallies=(Tally("programme", ("victim_pid", "programme"), "running", opens=False),),
    rows=("VA-5.1b",),
)
class ProgrammeLeft(Fact, frozen=True, kw_only=True):
    """A victim left a local programme."""

    victim_pid: Ref
    programme: Service
    months: Months
    running: Tallied | None = None


THEN = ("victim_pid", "months_since_return")


@contract(
    "victims.occupation.assessed",
    good={
        "victim_pid": "vi-5a0",
        "months_since_return": 6,
        "occupied": True,
        "sex": "female",
        "reported_by": "intersectoral_commission",
    },
    bad=("occupied", "partly"),
    privacy="P",
    entity="victim_pid",
    tallies=(
        Tally("assessed", ("victim_pid",), shifts="assessed", said=("sex",), latest=True),
        Tally("occupied", ("victim_pid",), shifts="in_work", opens=Opens("occupied", (True,)), said=("sex",)),
        Tally("assessed_then", THEN, shifts="assessed_then"),
        Tally("occupied_then", THEN, shifts="in_work_then", opens=Opens("occupied", (True,))),
    ),
    rows=("VA-5.2",),
)
class OccupationAssessed(Fact, frozen=True, kw_only=True):
    """Whether a returned victim has work: asked after 3, 6 and 12 months (Plan VA 5.2)."""

    victim_pid: Ref
    months_since_return: Months
    occupied: bool
    sex: Sex
    sector: Industry | None = None
    assessed: Shifts | None = None
    in_work: Shifts | None = None
    """By the person's latest assessment."""
    assessed_then: Shifts | None = None
    in_work_then: Shifts | None = None
    """By the person's latest assessment after so many months."""
    by_label: ByLabel | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `contradiction`, too."""
        yield from super().check()
        if self.sector is not None and not self.occupied:
            yield contradiction("sector", "who has no work has it in no sector")
