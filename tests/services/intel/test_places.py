"""Places: acknowledged in time or reminded of, answered by their country only, and what came of them."""

import itertools
from datetime import timedelta

import pytest

from shared.contracts import Refused
from shared.rules import NotYet
from tests.services.intel.desk import NOW, says


def reported(desk, country="GTM", **more):
    return desk.report(country, "intel.location.reported", place_ref="place-1", target_country="MEX", **more)


def answer(desk, act, country="MEX", **more):
    return desk.report(country, f"intel.location.{act}", place_ref="place-1", **more)


async def test_the_country_of_the_place_is_told_and_silence_is_told_to_both(desk):
    report = reported(desk)
    await desk.record(report)
    (told,) = (await desk.mailboxes())["MEX"]
    assert (says(told), told.data.due) == ("location_reported place-1 GTM", NOW + timedelta(hours=72))
    await desk.pass_time(hours=73)
    assert await desk.told("MEX") == ["location_overdue place-1 GTM", "location_reported place-1 GTM"]
    assert await desk.told("GTM") == ["location_overdue place-1 MEX"]
    await desk.record(answer(desk, "acknowledged"))
    assert await desk.told("GTM") == ["location_acknowledged place-1 MEX", "location_overdue place-1 MEX"]


@pytest.mark.parametrize("act", ["acknowledged", "verified", "cleared"])
async def test_an_answer_in_time_stops_the_clock_and_its_retraction_starts_it_again(desk, act):
    said = answer(desk, act)
    await desk.record(reported(desk), said)
    await desk.pass_time(hours=71)
    assert await desk.told("GTM") == [f"location_{act} place-1 MEX"]
    await desk.record(desk.amended(said))
    await desk.pass_time(hours=2)
    expected = [f"location_{act} place-1 MEX", "location_overdue place-1 MEX", "taken_back place-1"]
    assert await desk.told("GTM") == sorted(expected)


async def test_only_the_country_of_the_place_answers_and_only_for_what_was_reported(desk):
    assert isinstance(await desk.outcome(answer(desk, "verified")), NotYet)
    await desk.record(reported(desk))
    outcome = await desk.outcome(answer(desk, "verified", "HND"))
    assert isinstance(outcome, Refused)
    assert [problem.code for problem in outcome.problems] == ["not_permitted"]
    await desk.record(answer(desk, "verified"))


CAUSES = {"report": 0, "notice": 1, "answer": 2}


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("cause", CAUSES)
async def test_a_victim_found_because_of_it_comes_back_to_the_reporter(desk, cause, early):
    report, verified = reported(desk), answer(desk, "verified")
    await desk.record(report)
    (notice,) = (await desk.mailboxes())["MEX"]
    named = {"report": report.id, "notice": notice.id, "answer": verified.id}[cause]
    victim = desk.report("MEX", "victims.victim.identified", causationid=named)
    for one in [victim, verified] if early else [verified, victim]:
        await desk.record(one)
    assert await desk.told("GTM") == ["feedback place-1 MEX", "location_verified place-1 MEX"]
    drafted = [event for event in (await desk.mailboxes())["MEX"] if event.name == "intel.feedback.given"]
    assert [(event.data.to, event.data.used_for) for event in drafted] == [("GTM", "victim_identified")]
    await desk.record(desk.amended(victim))
    assert (await desk.told("GTM")).count("taken_back place-1") == 1
    assert (await desk.told("MEX")).count("taken_back place-1") == 1


async def test_victims_found_by_another_cause_or_country_are_no_feedback(desk):
    report = reported(desk)
    await desk.record(report)
    await desk.tell("MEX", "victims.victim.identified", causationid="something-else")
    await desk.tell("HND", "victims.victim.identified", causationid=report.id)
    assert await desk.told("GTM") == []


async def test_two_reporters_are_both_told_each_order_alike(desk):
    said = [reported(desk), reported(desk, "USA"), answer(desk, "cleared")]
    for one in said:
        await desk.record(one)
    assert await desk.told("GTM") == ["location_cleared place-1 MEX"]
    assert await desk.told("USA") == ["location_cleared place-1 MEX"]
    assert await desk.told("MEX") == ["location_reported place-1 GTM", "location_reported place-1 USA"]


async def test_a_place_corrected_to_lie_elsewhere_is_another_countrys(desk):
    report = reported(desk)
    await desk.record(report)
    await desk.record(desk.amended(report, target_country="HND"))
    assert await desk.told("MEX") == ["location_reported place-1 GTM", "taken_back place-1"]
    assert await desk.told("HND") == ["location_reported place-1 GTM"]
    await desk.pass_time(hours=80)
    assert "location_overdue place-1 GTM" not in await desk.told("MEX")
    assert "location_overdue place-1 GTM" in await desk.told("HND")


async def test_a_newcomer_gets_what_is_open(desk):
    await desk.record(
        reported(desk), desk.report("HND", "intel.location.reported", place_ref="p-2", target_country="MEX")
    )
    await desk.record(desk.report("MEX", "intel.location.cleared", place_ref="p-2"))
    await desk.tell("USA", "intel.information.requested", exchange_id="ex-1", to="MEX", **{"from": "USA", "due": ...})
    before = await desk.told("MEX")
    await desk.tell("MEX", "intel.contactpoint.replaced", country="MEX")
    after = await desk.told("MEX")
    for one in before:
        after.remove(one)
    assert after == ["information_requested ex-1 USA", "location_reported place-1 GTM"]
    assert await desk.told("CAN") == ["contact_point_replaced thing MEX"]
    await desk.tell("MEX", "intel.contactpoint.vacated", country="MEX", time=NOW + timedelta(hours=1))
    assert "contact_point_vacated thing MEX" in await desk.told("CAN")
    assert len(await desk.told("MEX")) == len(before) + 2


async def test_the_same_is_told_in_every_order(desk):
    """What ends in the mailboxes depends on what was reported, not on what came first (answers wait for reports)."""
    outcomes = set()
    for number, order in enumerate(itertools.permutations(range(3))):
        ref = f"place-{number}"
        reports = [
            desk.report("GTM", "intel.location.reported", place_ref=ref, target_country="MEX"),
            desk.report("USA", "intel.location.reported", place_ref=ref, target_country="MEX"),
            desk.report("MEX", "intel.location.acknowledged", place_ref=ref),
        ]
        for index in order:
            if isinstance(await desk.outcome(reports[index]), NotYet):
                continue
        await desk.desk.record(*reports)
        boxes = await desk.mailboxes()
        told = sorted(
            (country, says(event).replace(ref, "place"))
            for country, events in boxes.items()
            for event in events
            if event.subject == ref
        )
        outcomes.add(tuple(told))
    assert len(outcomes) == 1
