"""The way home."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from msgspec import field

from shared.contracts import Data, Problem, Ref, Time, contract
from shared.contracts.notice import TAKEN_BACK, TakenBack
from shared.contracts.sense import Fact
from shared.contracts.vocabulary import AgeBand, Country, Organisation, RepatriationFailure, Sex


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
    privacy="P",
    owner="sender",
    entity="case_id",
    rows=(
        "VA-5.1b",
        "XC-2",
    ),
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


@contract(
    "victims.repatriation.lost",
    good={"case_id": "case-12", "from": "GTM", "to": "MEX", "due": "2004-06-01T00:00:00Z"},
    bad=("due", ...),
    privacy="P",
    entity="case_id",
    rows=("VA-5.1b",),
)
class RepatriationLost(Data, frozen=True, kw_only=True):
    """Of a victim who was taken home without a referral no programme is known in time (Plan VA 5.1)."""

    case_id: Ref
    sender: Country = field(name="from")
    to: Country
    due: Time


@contract(
    "victims.notice.retracted",
    good=TAKEN_BACK
    | {
        "original": "crm.victims.repatriation.lost.v1",
        "previous": {"case_id": "case-12", "from": "GTM", "to": "MEX", "due": "2004-06-01T00:00:00Z"},
    },
    bad=("supersedes", ...),
    privacy="P",
)
class NoticeRetracted(TakenBack, frozen=True, kw_only=True):
    """Takes back that a victim taken home was lost: the return was amended; figures subtract it."""


class Journey(Fact, frozen=True, kw_only=True):
    """A victim's way home (Plan VA 5.1)."""

    case_id: Ref
    sender: Country = field(name="from")
    to: Country
    referral_id: Ref | None = None

    def check(self) -> Iterator[Problem]:
        """Yield `same_country`, too."""
        yield from super().check()
        if self.to == self.sender:
            yield Problem("/data/to", "same_country", "a way home leads to another country")


JOURNEY = {"case_id": "case-12", "from": "GTM", "to": "MEX", "referral_id": "ref-88", "reported_by": "consulate"}


JOURNEYS: dict[str, Any] = {"privacy": "P", "owner": "sender", "entity": "case_id"}


@contract(
    "victims.repatriation.planned",
    good=JOURNEY,
    bad=("to", "EU"),
    **JOURNEYS,
    rows=("VA-5.1b",),
)
class RepatriationPlanned(Journey, frozen=True, kw_only=True):
    """A victim's return was planned."""

    planned_for: date | None = None
    escort: Organisation | None = None


@contract(
    "victims.repatriation.failed",
    good=JOURNEY | {"reason": "victim_declined"},
    bad=("reason", "x"),
    **JOURNEYS,
    rows=("VA-5.1b",),
)
class RepatriationFailed(Journey, frozen=True, kw_only=True):
    """A planned return did not come about."""

    reason: RepatriationFailure
