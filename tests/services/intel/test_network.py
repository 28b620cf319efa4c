"""Information asked and given, feedback, commitments, contact points."""

from datetime import timedelta

import msgspec
import pytest

from shared.contracts import Refused
from shared.contracts.vocabulary import MEMBERS
from shared.record.judgement import Unknown
from tests.harness.desk import START, says


def exchanged(desk, verb, sender="GTM", to="MEX", **more):
    return desk.event(f"intel.information.{verb}", by=sender, exchange_id="ex-1", to=to, **{"from": sender} | more)


async def test_a_request_is_due_in_seven_days_and_its_silence_told_to_both(desk):
    await desk.tell(exchanged(desk, "requested", due=...))
    (told,) = (await desk.mailboxes())["MEX"]
    assert told.data.due == START + timedelta(days=7)
    assert (told.data.kind, told.data.handling) == ("information_requested", "H1")
    await desk.pass_days(8)
    assert "information_overdue ex-1 GTM" in await desk.told("MEX")
    assert await desk.told("GTM") == ["information_overdue ex-1 MEX"]


@pytest.mark.parametrize(("verb", "reason"), [("answered", {}), ("refused", {"reason": "not_found"})])
async def test_an_answer_or_a_refusal_stops_the_clock(desk, verb, reason):
    await desk.tell(exchanged(desk, "requested", urgency="danger", due=...))
    reply = exchanged(desk, verb, "MEX", "GTM", **reason)
    await desk.tell(reply)
    await desk.pass_days(1)
    assert await desk.told("GTM") == [f"information_{verb} ex-1 MEX"]
    (told,) = (await desk.mailboxes())["GTM"]
    assert told.data.reason == reason.get("reason")
    assert told.causationid == reply.id


async def test_an_answer_waits_for_its_request_and_no_third_country_gives_it(desk):
    assert isinstance((await desk.record(exchanged(desk, "answered", "MEX", "GTM")))[0], Unknown)
    await desk.tell(exchanged(desk, "requested"))
    assert isinstance((await desk.record(exchanged(desk, "answered", "HND", "GTM")))[0], Unknown)


async def test_information_given_is_announced_and_its_use_told_back(desk):
    await desk.tell(exchanged(desk, "shared"))
    assert await desk.told("MEX") == ["information_shared ex-1 GTM"]
    await desk.tell(
        desk.event("intel.feedback.given", by="MEX", exchange_id="ex-1", to="GTM", useful=False, used_for=...)
    )
    (told,) = (await desk.mailboxes())["GTM"]
    assert (told.data.kind, told.data.reason, told.data.country) == ("feedback", "not_useful", "MEX")


@pytest.mark.parametrize("verb", ["shared", "requested"])
async def test_what_its_marking_keeps_with_the_owner_is_not_passed_on(desk, verb):
    await desk.tell(exchanged(desk, verb, handling="H3"))
    assert await desk.told("MEX") == []
    assert await desk.told("GTM") == ["not_passed_on ex-1"]
    await desk.pass_days(9)
    assert await desk.told("MEX") == []


def agreed(desk, due_days=5, **more):
    due = (START + timedelta(days=due_days)).isoformat()
    return desk.event("intel.commitment.agreed", by="MEX", commitment_id="co-1", country="GTM", due=due, **more)


async def test_a_commitment_not_kept_is_overdue_for_who_owes_it_and_who_recorded_it(desk):
    await desk.tell(agreed(desk))
    await desk.pass_days(6)
    boxes = await desk.mailboxes()
    assert [event.name for event in boxes["GTM"]] == ["intel.alert.issued", "intel.commitment.overdue"]
    assert await desk.told("MEX") == ["commitment_overdue co-1 GTM"]
    late = desk.event("intel.commitment.fulfilled", commitment_id="co-1", country="GTM", days=6)
    await desk.tell(late)
    assert (await desk.one("intel.commitment.fulfilled")).data.late is True


async def test_who_owes_a_commitment_is_reminded_a_week_before_it_is_due(desk):
    await desk.tell(agreed(desk, due_days=20))
    await desk.pass_days(12)
    assert await desk.told("GTM") == ["commitment_agreed co-1 MEX"]
    await desk.pass_days(2)
    assert await desk.told("GTM") == ["commitment_agreed co-1 MEX", "commitment_due co-1 MEX"]
    late = desk.event("intel.commitment.fulfilled", commitment_id="co-1", country="GTM", days=14)
    await desk.tell(late)
    await desk.pass_days(9)
    assert await desk.told("GTM") == ["commitment_agreed co-1 MEX", "commitment_due co-1 MEX"], "nothing is taken back"
    assert await desk.told("MEX") == ["commitment_fulfilled co-1 GTM"]


@pytest.mark.parametrize("days", [2, 12])
async def test_who_has_kept_a_commitment_is_not_reminded_of_it(desk, days):
    await desk.tell(agreed(desk, due_days=20))
    await desk.pass_days(days)
    await desk.tell(desk.event("intel.commitment.fulfilled", commitment_id="co-1", country="GTM", days=days))
    await desk.pass_days(25 - days)
    assert await desk.told("GTM") == ["commitment_agreed co-1 MEX"]


async def test_a_commitment_kept_in_time_is_never_overdue(desk):
    await desk.tell(agreed(desk))
    kept = desk.event("intel.commitment.fulfilled", commitment_id="co-1", country="GTM")
    await desk.tell(kept)
    await desk.pass_days(6)
    assert await desk.told("MEX") == ["commitment_fulfilled co-1 GTM"]
    assert (await desk.one("intel.commitment.fulfilled")).data.late is False
    await desk.tell(desk.retracted(kept))
    await desk.pass_days(0)
    told = ["commitment_fulfilled co-1 GTM", "commitment_overdue co-1 GTM", "taken_back co-1"]
    assert await desk.told("MEX") == told


async def test_one_kept_in_time_and_told_late_is_overdue_no_more(desk):
    await desk.tell(agreed(desk))
    await desk.pass_days(6)
    overdue = await desk.one("intel.commitment.overdue")
    await desk.tell(desk.event("intel.commitment.fulfilled", commitment_id="co-1", country="GTM", days=4))
    assert (await desk.one("intel.commitment.fulfilled")).data.late is False
    assert (await desk.one("intel.notice.retracted")).data.supersedes == overdue.id
    assert "taken_back co-1" in await desk.told("GTM")


async def lateness(desk):
    """Whether the commitment was kept late, as it stands; it is told once."""
    (kept,) = await desk.recorded("intel.commitment.fulfilled")
    corrections = await desk.recorded("intel.commitment.corrected")
    said = [one.data.data["late"] for one in corrections if one.data.original_id == kept.id]
    return said[-1] if said else kept.data.late


@pytest.mark.parametrize(("by", "body"), [("GTM", "immigration"), ("MEX", "ppt")])
@pytest.mark.parametrize(("due", "other"), [(5, 3), (3, 5)])
async def test_whether_a_commitment_was_kept_late_is_by_what_was_agreed_as_it_stands(desk, due, other, by, body):
    first, said = agreed(desk, due), {"commitment_id": "co-1", "country": "GTM", "reported_by": body}
    await desk.tell(first, desk.event("intel.commitment.fulfilled", by=by, days=4, **said))
    assert await lateness(desk) is (due < 4)
    await desk.tell(desk.corrected(first, due=(START + timedelta(days=other)).isoformat()))
    assert await lateness(desk) is (other < 4)
    later = agreed(desk, 9)
    await desk.tell(later)
    assert await lateness(desk) is False
    await desk.tell(desk.retracted(later))
    assert await lateness(desk) is (other < 4)
    told = [one for one in await desk.recorded("intel.commitment.corrected") if one.source == "urn:crm:service:intel"]
    assert [one.data.data["late"] for one in told] == ([True, False, True] if due > other else [False])


async def test_a_correction_says_no_more_than_a_report_that_another_countrys_commitment_was_kept(desk):
    said = {"commitment_id": "co-1", "country": "GTM", "reported_by": "ppt"}
    kept = desk.event("intel.commitment.fulfilled", by="MEX", days=4, **said)
    await desk.tell(agreed(desk), kept)
    (refused,) = await desk.record(desk.corrected(kept, country="HND"))
    assert [(one.pointer, one.code) for one in refused.problems] == [("/data/data/country", "wrong_reference")]


async def test_what_keeps_another_commitment_than_was_said_is_late_by_that_one(desk):
    other = agreed(desk, 3)
    other = msgspec.structs.replace(other, data=msgspec.structs.replace(other.data, commitment_id="co-2"))
    kept = desk.event("intel.commitment.fulfilled", commitment_id="co-1", country="GTM", days=4)
    await desk.tell(agreed(desk), other, kept)
    assert await lateness(desk) is False
    await desk.tell(desk.corrected(kept, commitment_id="co-2"))
    assert await lateness(desk) is True
    await desk.tell(agreed(desk, 9), desk.corrected(kept))
    assert await lateness(desk) is False


async def test_an_overdue_commitment_that_was_a_mistake_is_overdue_no_more(desk):
    report = agreed(desk)
    await desk.tell(report)
    await desk.pass_days(6)
    overdue = await desk.one("intel.commitment.overdue")
    await desk.tell(desk.retracted(report))
    assert (await desk.one("intel.notice.retracted")).data.supersedes == overdue.id


async def test_only_a_part_in_a_commitment_lets_one_say_that_it_is_kept(desk):
    def kept(country, owing):
        return desk.event("intel.commitment.fulfilled", by=country, commitment_id="co-1", country=owing)

    assert isinstance((await desk.record(kept("GTM", "GTM")))[0], Unknown)
    await desk.tell(agreed(desk))
    assert isinstance((await desk.record(kept("HND", "GTM")))[0], Unknown), "it has no part in it: to it, there is none"
    (outcome,) = await desk.record(kept("GTM", "HND"))
    assert isinstance(outcome, Refused)
    assert [problem.code for problem in outcome.problems] == ["wrong_reference"]
    await desk.tell(kept("MEX", "GTM"))


async def test_a_due_date_put_off_by_correction_counts_from_then(desk):
    report = agreed(desk)
    await desk.tell(report)
    await desk.tell(desk.corrected(report, due=(START + timedelta(days=9)).isoformat()))
    await desk.pass_days(6)
    assert await desk.told("MEX") == []
    await desk.pass_days(4)
    assert await desk.told("MEX") == ["commitment_overdue co-1 GTM"]


async def test_the_network_hears_of_contact_points_and_not_of_what_is_overtaken(desk):
    later = desk.event("intel.contactpoint.replaced", country="GTM")
    await desk.tell(later)
    await desk.tell(desk.event("intel.contactpoint.vacated", country="GTM", days=-1))
    assert await desk.told("PAN") == ["contact_point_replaced thing GTM"]
    assert await desk.told("GTM") == []
    await desk.tell(desk.retracted(later))
    assert await desk.told("PAN") == ["contact_point_replaced thing GTM", "taken_back thing"]


async def test_of_a_contact_point_overtaken_since_a_correction_takes_back_only_what_it_says_otherwise(desk):
    first = desk.event("intel.contactpoint.designated", -2, country="GTM", channel="email")
    await desk.tell(first, desk.event("intel.contactpoint.replaced", -1, country="GTM"))
    told = ["contact_point_designated thing GTM", "contact_point_replaced thing GTM"]
    await desk.tell(desk.corrected(first, channel="telephone"))
    assert await desk.told("PAN") == told
    await desk.tell(desk.corrected(first, body="police"))
    assert await desk.told("PAN") == sorted([*told, "contact_point_designated thing GTM", "taken_back thing"])
    overtaken = desk.event("intel.contactpoint.designated", -2, country="GTM", channel="email")
    await desk.tell(overtaken, desk.corrected(overtaken, channel="telephone"))
    assert await desk.told("PAN") == sorted([*told, "contact_point_designated thing GTM", "taken_back thing"])


async def test_a_contact_point_from_a_later_day_on_is_told_at_once_and_overtakes_nothing_till_then(desk):
    await desk.tell(desk.event("intel.contactpoint.designated", country="GTM", valid_from="2004-04-01"))
    (told,) = (await desk.mailboxes())["PAN"]
    assert (says(told), told.data.due.isoformat()) == (
        "contact_point_designated thing GTM",
        "2004-04-01T00:00:00+00:00",
    )
    await desk.tell(desk.event("intel.contactpoint.vacated", country="GTM"))
    assert await desk.told("PAN") == ["contact_point_designated thing GTM", "contact_point_vacated thing GTM"]


def seat(desk, holder, day, body="ppt"):
    return desk.event(
        "indicators.seat.assigned", by="MEX", body=body, reported_by=body, holder=holder, effective_from=day
    )


def for_the_presidency(events):
    return [says(event) for event in events if getattr(event.data, "body", None) == "ppt"]


async def test_the_presidency_follows_every_commitment_up_and_its_successor_goes_on(desk):
    """Panama presides; Mexico recorded it as the technical secretariat. El Salvador presides when it falls due."""
    await desk.tell(seat(desk, "PAN", "2004-02-01"), seat(desk, "SLV", "2004-03-05"))
    await desk.tell(agreed(desk, reported_by="st"))
    assert for_the_presidency((await desk.mailboxes())["PAN"]) == ["commitment_agreed co-1 GTM"]
    assert await desk.told("GTM") == ["commitment_agreed co-1 MEX"]
    await desk.pass_days(6)
    assert await desk.told("PAN") == ["commitment_agreed co-1 GTM"]
    assert for_the_presidency((await desk.mailboxes())["SLV"]) == ["commitment_overdue co-1 GTM"]
    assert await desk.told("MEX") == ["commitment_overdue co-1 GTM"], "as who recorded it"
    await desk.tell(desk.event("intel.commitment.fulfilled", commitment_id="co-1", country="GTM", days=6))
    assert await desk.told("SLV") == ["commitment_fulfilled co-1 GTM", "commitment_overdue co-1 GTM"]
    assert await desk.told("MEX") == ["commitment_fulfilled co-1 GTM", "commitment_overdue co-1 GTM"]


async def test_a_presidency_that_owes_it_itself_is_told_once(desk):
    await desk.tell(seat(desk, "GTM", "2004-02-01"), agreed(desk, reported_by="st"))
    await desk.pass_days(6)
    assert await desk.told("GTM") == ["commitment_agreed co-1 MEX", "intel.commitment.overdue"]


async def test_a_commitment_withdrawn_is_taken_back_from_the_presidency(desk):
    report = agreed(desk, reported_by="st")
    await desk.tell(seat(desk, "PAN", "2004-02-01"), report, desk.retracted(report))
    assert await desk.told("PAN") == ["commitment_agreed co-1 GTM", "taken_back co-1"]
    await desk.pass_days(6)
    assert await desk.told("PAN") == ["commitment_agreed co-1 GTM", "taken_back co-1"]


@pytest.mark.parametrize("verb", ["presented", "approved"])
async def test_every_country_is_told_of_the_manual_once(desk, verb):
    report = desk.event(f"intel.manual.{verb}", by="MEX", version="2")
    await desk.tell(report)
    assert [await desk.told(one) for one in MEMBERS] == [[f"manual_{verb} 2"]] * 11
    await desk.tell(desk.retracted(report))
    assert await desk.told("BLZ") == [f"manual_{verb} 2", "taken_back 2"]


def planned(desk, *others, **more):
    return desk.event("intel.operation.planned", operation_id="op-1", participants=["GTM", *others], **more)


async def test_a_planned_operation_reaches_its_participants_and_nobody_else(desk):
    report = planned(desk, "MEX", "HND")
    await desk.tell(report)
    boxes = await desk.mailboxes()
    assert sorted(boxes) == ["HND", "MEX"]
    (told,) = boxes["HND"]
    assert (says(told), told.data.due.isoformat()) == ("operation_planned op-1 GTM", "2004-03-01T06:00:00+00:00")
    await desk.tell(desk.corrected(report, participants=["GTM", "MEX", "PAN"]))
    assert await desk.told("PAN") == ["operation_planned op-1 GTM"]
    assert await desk.told("HND") == ["operation_planned op-1 GTM", "taken_back op-1"]
    assert await desk.told("MEX") == ["operation_planned op-1 GTM"], "told once"
    await desk.tell(desk.retracted(report))
    assert await desk.told("MEX") == ["operation_planned op-1 GTM", "taken_back op-1"]


async def test_a_planned_operation_goes_as_far_as_its_marking_allows(desk):
    await desk.tell(planned(desk, "MEX", handling="H3"))
    assert (await desk.told("MEX"), await desk.told("GTM")) == ([], ["not_passed_on op-1"])
    await desk.tell(planned(desk, "HND", tlp="red"))
    (told,) = (await desk.mailboxes())["HND"]
    assert (told.data.kind, told.data.tlp) == ("operation_planned", "red")
    await desk.tell(planned(desk))
    assert sorted(await desk.mailboxes()) == ["GTM", "HND"], "an operation of its own alone is told to nobody"


async def test_feedback_goes_to_another_country(desk):
    """What a country tells itself would have it count among those who reported for the row."""
    own = desk.event("intel.feedback.given", exchange_id="ex-1", to="GTM")
    (refusal,) = await desk.record(own)
    assert [(one.pointer, one.code) for one in refusal.problems] == [("/data/to", "same_country")]
    given = desk.event("intel.feedback.given", exchange_id="ex-1", to="MEX")
    await desk.tell(given)
    (refusal,) = await desk.record(desk.corrected(given, to="GTM"))
    assert [(one.pointer, one.code) for one in refusal.problems] == [("/data/data/to", "same_country")]
    await desk.tell_again(own)
