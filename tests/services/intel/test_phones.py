"""Address books: reminders, matches told to the two owners only, in whatever order the reports come."""

import itertools

import pytest

from tests.harness.desk import HOUR

MINUTE = HOUR / 60
HASHES = ["a" * 64, "b" * 64, "c" * 64]


def opened(desk, country, seizure, hashes, recipients, **marked):
    changes = {"seizure_id": seizure, "hashes": hashes, "recipients": recipients, "handling": ...} | marked
    return desk.event("intel.phonebook.disseminated", by=country, **changes)


def books(desk):
    return [
        opened(desk, "GTM", "sz-g", HASHES[:2], ["MEX", "USA"]),
        opened(desk, "MEX", "sz-m", HASHES[1:], ["GTM"]),
        opened(desk, "HND", "sz-h", HASHES, ["PAN"]),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_number_in_two_books_is_told_to_their_owners_only(desk, order):
    reports = books(desk)
    for number in order:
        await desk.tell(reports[number])
    boxes = await desk.mailboxes()
    matched = {
        country: [event for event in events if event.name == "intel.phonenumber.matched"]
        for country, events in boxes.items()
    }
    assert {country: len(events) for country, events in matched.items() if events} == {"GTM": 1, "MEX": 1}
    (gtm,), (mex,) = matched["GTM"], matched["MEX"]
    assert gtm.data.match_id == mex.data.match_id
    assert gtm.data.countries == ("GTM", "MEX")
    assert gtm.data.seizure_ids == ("sz-g", "sz-m")
    assert await desk.told("GTM") == [
        "intel.phonenumber.matched",
        "joint_operation_proposed sz-g MEX",
        "phonebook_disseminated sz-m MEX",
    ]
    assert await desk.told("PAN") == ["phonebook_disseminated sz-h HND"]
    assert await desk.told("HND") == []


async def test_a_match_is_taken_back_with_the_book_that_it_rests_on(desk):
    gtm, mex, _ = books(desk)
    await desk.tell_at_once(gtm, mex)
    await desk.tell(desk.retracted(mex))
    told = await desk.told("GTM")
    assert told.count("taken_back sz-g") == 1
    assert sum(one.startswith("taken_back") for one in told) == 3
    again = opened(desk, "MEX", "sz-m2", HASHES[1:2], ["GTM"])
    await desk.tell(again)
    assert (await desk.told("GTM")).count("intel.phonenumber.matched") == 2


async def test_a_match_stands_while_another_book_has_the_number_too(desk):
    gtm, mex, _ = books(desk)
    more = opened(desk, "MEX", "sz-m2", HASHES[1:2], ["GTM"])
    await desk.tell_at_once(gtm, mex, more)
    await desk.tell(desk.retracted(mex))
    assert (await desk.told("GTM")).count("intel.phonenumber.matched") == 1
    assert "taken_back ma" not in " ".join(await desk.told("GTM"))


async def test_one_side_may_know_and_the_other_not(desk):
    await desk.tell_at_once(
        opened(desk, "GTM", "sz-g", HASHES, ["PAN"]), opened(desk, "MEX", "sz-m", HASHES[:1], ["GTM"])
    )
    assert await desk.told("GTM") == ["intel.phonenumber.matched", "phonebook_disseminated sz-m MEX"]
    assert await desk.told("MEX") == []


async def test_numbers_closed_by_their_marking_match_nothing(desk):
    await desk.tell_at_once(
        opened(desk, "GTM", "sz-g", HASHES, ["MEX"], handling="H3"), opened(desk, "MEX", "sz-m", HASHES, ["GTM"])
    )
    assert await desk.told("MEX") == []
    assert "not_passed_on sz-g" in await desk.told("GTM")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_book_secured_at_the_detention_needs_no_reminder(desk, order):
    reports = [
        desk.event("legal.person.detained", offence="tip", detention_id="det-1"),
        desk.event("intel.phonebook.seized", seizure_id="sz-1", detention_id="det-1"),
    ]
    for number in order:
        await desk.tell(reports[number])
    await desk.pass_days(25 * HOUR)
    assert await desk.told("GTM") == []
    await desk.pass_days(48 * HOUR)
    assert await desk.told("GTM") == ["phonebook_not_disseminated sz-1"]


async def test_without_a_book_the_detaining_country_is_reminded_once(desk):
    await desk.tell(desk.event("legal.person.detained", offence="som", detention_id="det-1"))
    await desk.tell(desk.event("legal.person.detained", offence="corruption", detention_id="det-2"))
    mistaken = desk.event("legal.person.detained", offence="som", detention_id="det-3")
    await desk.tell(mistaken, desk.retracted(mistaken))
    await desk.pass_days(24 * HOUR - MINUTE)
    assert await desk.told("GTM") == []
    await desk.pass_days(2 * MINUTE)
    assert await desk.told("GTM") == ["phonebook_missing det-1"]
    await desk.pass_days(72 * HOUR)
    assert len(await desk.told("GTM")) == 1
