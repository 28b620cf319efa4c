"""Places: acknowledged in time or reminded of, answered by their country only, and what came of them."""

import itertools
from datetime import timedelta

import msgspec
import pytest

from shared.record.judgement import Unknown
from tests.harness.desk import HOUR, START, says


def reported(desk, country="GTM", place_ref="place-1", **more):
    return desk.event("intel.location.reported", by=country, place_ref=place_ref, target_country="MEX", **more)


def found(desk, country, because):
    """A victim identified because of another event."""
    return msgspec.structs.replace(desk.event("victims.victim.identified", by=country), causationid=because)


def answer(desk, act, country="MEX", **more):
    return desk.event(f"intel.location.{act}", by=country, place_ref="place-1", **more)


async def test_the_country_of_the_place_is_told_and_silence_is_told_to_both(desk):
    report = reported(desk)
    await desk.tell(report)
    (told,) = (await desk.mailboxes())["MEX"]
    assert (says(told), told.data.due) == ("location_reported place-1 GTM", START + timedelta(hours=72))
    await desk.pass_days(73 * HOUR)
    assert await desk.told("MEX") == ["location_overdue place-1 GTM", "location_reported place-1 GTM"]
    assert await desk.told("GTM") == ["location_overdue place-1 MEX"]
    await desk.tell(answer(desk, "acknowledged"))
    assert await desk.told("GTM") == ["location_acknowledged place-1 MEX", "location_overdue place-1 MEX"]


@pytest.mark.parametrize("act", ["acknowledged", "verified", "cleared"])
async def test_an_answer_in_time_stops_the_clock_and_its_retraction_starts_it_again(desk, act):
    said = answer(desk, act)
    await desk.tell_at_once(reported(desk), said)
    await desk.pass_days(71 * HOUR)
    assert await desk.told("GTM") == [f"location_{act} place-1 MEX"]
    await desk.tell(desk.retracted(said))
    await desk.pass_days(2 * HOUR)
    expected = [f"location_{act} place-1 MEX", "location_overdue place-1 MEX", "taken_back place-1"]
    assert await desk.told("GTM") == sorted(expected)


async def test_only_the_country_of_the_place_answers_and_only_for_what_was_reported(desk):
    assert isinstance((await desk.record(answer(desk, "verified")))[0], Unknown)
    await desk.tell(reported(desk))
    assert isinstance((await desk.record(answer(desk, "verified", "HND")))[0], Unknown)
    await desk.tell(answer(desk, "verified"))


CAUSES = {"report": 0, "notice": 1, "answer": 2}


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("cause", CAUSES)
async def test_a_victim_found_because_of_it_comes_back_to_the_reporter(desk, cause, early):
    report, verified = reported(desk), answer(desk, "verified")
    await desk.tell(report)
    (notice,) = (await desk.mailboxes())["MEX"]
    named = {"report": report.id, "notice": notice.id, "answer": verified.id}[cause]
    victim = found(desk, "MEX", named)
    for one in [victim, verified] if early else [verified, victim]:
        await desk.tell(one)
    assert await desk.told("GTM") == ["feedback place-1 MEX", "location_verified place-1 MEX"]
    drafted = [event for event in (await desk.mailboxes())["MEX"] if event.name == "intel.feedback.given"]
    assert [(event.data.to, event.data.used_for) for event in drafted] == [("GTM", "victim_identified")]
    await desk.tell(desk.retracted(victim))
    assert (await desk.told("GTM")).count("taken_back place-1") == 1
    assert (await desk.told("MEX")).count("taken_back place-1") == 1


async def test_victims_found_by_another_cause_or_country_are_no_feedback(desk):
    report = reported(desk)
    await desk.tell(report, found(desk, "MEX", "something-else"), found(desk, "HND", report.id))
    assert await desk.told("GTM") == []


async def test_victims_whose_reports_have_one_id_are_each_told_of(desk):
    places = [reported(desk), desk.event("intel.location.reported", by="HND", place_ref="p-2", target_country="CRI")]
    await desk.tell(*places)
    mexico, other, costa_rica = (
        msgspec.structs.replace(found(desk, country, report.id), id="2004-001", source=f"urn:crm:country:{system}")
        for country, report, system in (
            ("MEX", places[0], "MEX:b"),
            ("MEX", places[0], "MEX:a"),
            ("CRI", places[1], "CRI:a"),
        )
    )
    await desk.tell(mexico)
    await desk.tell(other, costa_rica)
    assert await desk.told("GTM") == ["feedback place-1 MEX"] * 2
    assert await desk.told("HND") == ["feedback p-2 CRI"]
    proven = [event.country for event in await desk.recorded("intel.location.proven")]
    assert sorted(proven) == ["CRI", "MEX", "MEX"]
    await desk.tell(desk.retracted(costa_rica))
    assert await desk.told("HND") == ["feedback p-2 CRI", "taken_back p-2"]
    assert "taken_back place-1" not in await desk.told("GTM")


async def test_two_reporters_are_both_told_each_order_alike(desk):
    said = [reported(desk), reported(desk, "USA", "GTM:place-1"), answer(desk, "cleared")]
    for one in said:
        await desk.tell(one)
    assert await desk.told("GTM") == ["location_cleared place-1 MEX"]
    assert await desk.told("USA") == ["location_cleared place-1 MEX"]
    assert await desk.told("MEX") == ["location_reported place-1 GTM", "location_reported place-1 USA"]


async def test_a_place_corrected_to_lie_elsewhere_is_another_countrys(desk):
    report = reported(desk)
    await desk.tell(report)
    await desk.tell(desk.corrected(report, target_country="HND"))
    assert await desk.told("MEX") == ["location_reported place-1 GTM", "taken_back place-1"]
    assert await desk.told("HND") == ["location_reported place-1 GTM"]
    await desk.pass_days(80 * HOUR)
    assert "location_overdue place-1 GTM" not in await desk.told("MEX")
    assert "location_overdue place-1 GTM" in await desk.told("HND")


async def test_a_newcomer_gets_what_is_open(desk):
    await desk.tell_at_once(
        reported(desk), desk.event("intel.location.reported", by="HND", place_ref="p-2", target_country="MEX")
    )
    await desk.tell(desk.event("intel.location.cleared", by="MEX", place_ref="p-2"))
    await desk.tell(
        desk.event("intel.information.requested", by="USA", exchange_id="ex-1", to="MEX", **{"from": "USA", "due": ...})
    )
    before = await desk.told("MEX")
    await desk.tell(desk.event("intel.contactpoint.replaced", by="MEX", country="MEX"))
    after = await desk.told("MEX")
    for one in before:
        after.remove(one)
    assert after == ["information_requested ex-1 USA", "location_reported place-1 GTM"]
    assert await desk.told("CAN") == ["contact_point_replaced thing MEX"]
    await desk.tell(desk.event("intel.contactpoint.vacated", by="MEX", country="MEX", days=HOUR))
    assert "contact_point_vacated thing MEX" in await desk.told("CAN")
    assert len(await desk.told("MEX")) == len(before) + 2


async def test_the_same_is_told_in_every_order(desk):
    """What ends in the mailboxes depends on what was reported, not on what came first (answers wait for reports)."""
    outcomes = set()
    for number, order in enumerate(itertools.permutations(range(3))):
        ref = f"place-{number}"
        reports = [
            desk.event("intel.location.reported", place_ref=ref, target_country="MEX"),
            desk.event("intel.location.reported", by="USA", place_ref=f"GTM:{ref}", target_country="MEX"),
            desk.event("intel.location.acknowledged", by="MEX", place_ref=ref),
        ]
        for index in order:
            if isinstance((await desk.record(reports[index]))[0], Unknown):
                continue
        await desk.record(*reports)
        boxes = await desk.mailboxes()
        told = sorted(
            (country, says(event).replace(ref, "place"))
            for country, events in boxes.items()
            for event in events
            if event.subject.endswith(ref)
        )
        outcomes.add(tuple(told))
    assert len(outcomes) == 1
