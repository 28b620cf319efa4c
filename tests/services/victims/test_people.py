"""What is decided of a person fits the crime; next of kin are told apart from direct victims; returns that are lost."""

import pytest

from services.victims.__main__ import SERVICE
from shared.contracts import Refused
from tests.harness.desk import desk
from tests.services.indicators.making import folded, row

PAYLOADS = "select payload from log order by position"
HARMED = {"offence": "som", "status": "SmuggledMigrantHarmed", "harm": ["physical"]}


@pytest.fixture
async def victims(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


async def figure(victims, identity, day=""):
    rows = await victims.log.pool.fetch(PAYLOADS)
    found = row(folded(*(bytes(one["payload"]) for one in rows)), identity, day).headline
    return found and ((found.numerator, found.denominator) if found.denominator else found.value)


async def test_a_status_of_another_crime_is_refused_until_the_identification_is_corrected(victims):
    identified = victims.event("victims.victim.identified")
    await victims.tell(identified)
    changed = victims.event("victims.victim.status_changed", 1, to="SmuggledMigrantHarmed")
    (outcome,) = await victims.record(changed)
    assert isinstance(outcome, Refused)
    assert [(one.pointer, one.code) for one in outcome.problems] == [("/data/to", "contradiction")]
    await victims.tell(victims.corrected(identified, **HARMED))
    await victims.tell(changed)
    (outcome,) = await victims.record(victims.corrected(changed, to="ActualVictimOfTrafficking"))
    assert isinstance(outcome, Refused)
    await victims.tell(victims.event("victims.victim.status_changed", 2, to="NotAVictimOfTrafficking"))
    await victims.tell(victims.event("victims.victim.status_changed", 3, victim_pid="vi-9"))  # not identified here


async def test_services_to_next_of_kin_count_as_services_and_not_as_victims_identified(victims):
    await victims.tell(
        victims.event("victims.victim.identified"),
        victims.event("victims.victim.deceased", 1),
        victims.event("victims.service.provided", 2, started=...),
        victims.event("victims.service.provided", 3, victim_pid="kin-1", relation="parent", started=...),
        victims.event("victims.service.provided", 4, victim_pid="kin-1", relation="parent", started=...),
    )
    assert await figure(victims, "VA-2.1.indirect") == 1
    assert await figure(victims, "VA-4.1") == 3
    assert await figure(victims, "VA-4.1.indirect") == 1
    assert await figure(victims, "VA-4.1.reached") == (1, 1)
    assert await figure(victims, "VA-4.1c") == (0, 1)
    assert await figure(victims, "IP-f", "2004-12-31") == 2


async def test_a_return_without_a_referral_is_lost_until_an_enrolment_names_its_case(victims):
    home = victims.event("victims.repatriation.completed", referral_id=...)
    await victims.tell(home)
    await victims.pass_days(31)
    assert await figure(victims, "VA-5.1b.lost") == 1
    lost = await victims.recorded("victims.repatriation.lost")
    [notice] = await victims.recorded("victims.alert.issued")
    assert ([one.country for one in lost], notice.country) == (["MEX"], "GTM")
    assert (notice.data.kind, notice.data.entity, notice.data.owner) == ("victim_not_enrolled", "case-12", "GTM")
    enrolled = victims.event("victims.programme.enrolled", 32, by="MEX", referral_id=..., case_id="GTM:case-12")
    await victims.tell(enrolled)
    assert await figure(victims, "VA-5.1b.lost") == 0
    assert await figure(victims, "VA-5.1b.enrolled") == (1, 1)
    await victims.tell(victims.retracted(enrolled))
    assert await figure(victims, "VA-5.1b.lost") == 1
    assert await figure(victims, "VA-5.1b.enrolled") == (0, 1)


@pytest.mark.parametrize("by_referral", [True, False])
async def test_a_return_that_is_corrected_is_lost_and_evaluated_as_it_was(victims, by_referral):
    named = {} if by_referral else {"referral_id": ...}
    home = victims.event("victims.repatriation.completed", **named)
    await victims.tell(home, victims.event("victims.evaluation.submitted", 1, case_id="case-12"))
    await victims.tell(victims.corrected(home, to="SLV"))
    await victims.pass_days(100)
    kind = "victims.referral.escalated" if by_referral else "victims.repatriation.lost"
    assert (await victims.one(kind)).country == "SLV"
    assert await victims.told("MEX") == []
    assert await victims.recorded("victims.evaluation.overdue") == [], "it was evaluated"


@pytest.mark.parametrize("by_referral", [True, False])
@pytest.mark.parametrize("end", ["withdrawn", "of another", "to another", "and back"])
@pytest.mark.parametrize("enrolled", [False, True])
async def test_a_return_amended_after_it_was_lost_is_lost_as_it_stands(victims, by_referral, end, enrolled):
    """Nobody is lost of a return that was none; of one person taken home one at most is, in the country it was to."""
    named = "referral_id" if by_referral else "case_id"
    home = victims.event("victims.repatriation.completed", **({} if by_referral else {"referral_id": ...}))
    was = getattr(home.data, named)
    away = {} if by_referral else {"referral_id": ...}
    joined = victims.event("victims.programme.enrolled", 32, by="MEX", **away | {named: was})
    await victims.tell(home)
    await victims.pass_days(31)
    await victims.tell(*[joined] * enrolled)
    assert await figure(victims, "VA-5.1b.lost") == 1 - enrolled
    amended = {
        "withdrawn": [victims.retracted(home)],
        "of another": [victims.corrected(home, **{named: "ref-99"})],
        "to another": [victims.corrected(home, to="SLV")],
        "and back": [victims.corrected(home, **{named: "ref-99"}), victims.corrected(home)],
    }[end]
    for one in amended:
        await victims.tell(one)
        await victims.pass_days(1)
    lost = {("SLV" if end == "to another" else "MEX"): 1, "REG": 1}
    none = end == "withdrawn" or (enrolled and end == "and back")
    assert await lost_by_country(victims) == ({} if none else lost)
    told = await victims.told("MEX")
    assert ("taken_back case-12" in told or "taken_back ref-88" in told) is True
    await victims.pass_days(60)
    assert await lost_by_country(victims) == ({} if none else lost)
    if enrolled:
        await victims.tell(victims.retracted(joined))
        await victims.pass_days(1)
        assert await lost_by_country(victims) == ({} if end == "withdrawn" else lost)


async def lost_by_country(victims):
    found = row(folded(*[bytes(one["payload"]) for one in await victims.log.pool.fetch(PAYLOADS)]), "VA-5.1b.lost")
    return {cell.country: cell.value for cell in found.cells if cell.value}


async def test_of_two_enrolled_after_their_return_was_lost_one_is_found(victims):
    """The first is withdrawn, then the return: nobody is lost, and nobody found."""
    home = victims.event("victims.repatriation.completed")
    first, second = (
        victims.event("victims.programme.enrolled", day, by="MEX", victim_pid=f"vi-{day}") for day in (32, 33)
    )
    await victims.tell(home)
    await victims.pass_days(31)
    await victims.tell(first, second)
    assert await lost_by_country(victims) == {}
    for one in (first, home, second):
        await victims.tell(victims.retracted(one))
        assert await lost_by_country(victims) == {}


async def test_an_evaluation_told_before_its_return_ends_its_clock(victims):
    await victims.tell(
        victims.event("victims.evaluation.submitted", 1, case_id="case-12"),
        victims.event("victims.repatriation.completed"),
        victims.event("victims.repatriation.completed", case_id="case-13", referral_id="ref-89"),
    )
    await victims.pass_days(91)
    overdue = await victims.one("victims.evaluation.overdue")
    assert (overdue.country, overdue.data.case_id) == ("GTM", "case-13")


async def test_a_person_of_whom_two_reports_tell_is_harmed_once_in_each_way_that_either_names(victims):
    first = victims.event("victims.victim.identified", act=..., means=..., purpose=..., exploitation=..., **HARMED)
    again = victims.event("victims.victim.identified", 2, **HARMED | {"harm": ["moral", "physical"]})
    other = victims.event("victims.victim.identified", 3, victim_pid="vi-6", **HARMED)
    await victims.tell(first, again, other)

    async def by_kind():
        found = row(folded(*[bytes(one["payload"]) for one in await victims.log.pool.fetch(PAYLOADS)]), "VA-2.1.harm")
        return {cell.labels["harm"]: cell.value for cell in found.cells if cell.country == "REG" and cell.value}

    assert (await by_kind(), await figure(victims, "VA-2.1.harm")) == ({"physical": 2, "moral": 1}, 2)
    await victims.tell(victims.corrected(again, harm=["other"]))
    assert (await by_kind(), await figure(victims, "VA-2.1.harm")) == ({"physical": 2, "other": 1}, 2)
    await victims.tell(victims.retracted(first))
    assert (await by_kind(), await figure(victims, "VA-2.1.harm")) == ({"physical": 1, "other": 1}, 2)
