"""Listed documents that turn up, specimens that are missing, entry rules that change."""

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intel.judgements.documents import Confirmation, Listing, OnFile, Sighting, hits, unmatched
from tests.harness.desk import HOUR, START

TIMES = st.integers(0, 8).map(lambda hours: START + timedelta(hours=hours))


def flagged(desk, country="MEX", **more):
    return desk.event("intel.document.flagged", by=country, doc_ref="doc-1", bcp="bcp-1", **more)


def listed(desk, verb="listed", **more):
    return desk.event(f"intel.document.{verb}", by="HND", doc_ref="doc-1", **more)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_issuer_and_finder_are_told_once_also_when_it_is_listed_only_afterwards(desk, order):
    reports = [flagged(desk, days=-HOUR), listed(desk, days=-3 * HOUR)]
    for number in order:
        await desk.tell(reports[number])
    boxes = await desk.mailboxes()
    assert {country: [event.name for event in events] for country, events in boxes.items()} == {
        "HND": ["intel.document.hit"],
        "MEX": ["intel.document.hit"],
    }
    (hit,) = boxes["HND"]
    assert (hit.data.where, hit.data.latency_s) == ("bcp-1", 7200)
    assert hit.data.list_event == reports[1].id
    assert hit.causationid == reports[order[1]].id
    await desk.tell(desk.event("intel.document.delisted", by="HND", doc_ref="doc-1"))
    assert await desk.told("MEX") == ["intel.document.hit"], "what was told while it was listed stays"


async def test_a_delisted_document_is_hit_no_more(desk):
    await desk.tell_at_once(listed(desk, days=-3 * HOUR), listed(desk, "delisted", days=-2 * HOUR))
    await desk.tell(flagged(desk))
    assert await desk.told("HND") == []


async def test_a_hit_is_taken_back_with_the_listing_and_told_again_with_another(desk):
    mistaken = listed(desk, days=-3 * HOUR)
    await desk.tell_at_once(flagged(desk), mistaken)
    await desk.tell(desk.retracted(mistaken))
    assert await desk.told("MEX") == ["intel.document.hit", "intel.notice.retracted", "taken_back doc-1"]
    await desk.tell(listed(desk, days=HOUR))
    assert await desk.told("MEX") == ["intel.document.hit"] * 2 + ["intel.notice.retracted", "taken_back doc-1"]


async def test_a_correction_of_something_else_changes_nothing_told(desk):
    report = listed(desk, days=-3 * HOUR)
    await desk.tell_at_once(flagged(desk), report)
    await desk.tell(desk.corrected(report, status="lost"))
    assert await desk.told("MEX") == ["intel.document.hit"]
    await desk.tell(desk.corrected(report, doc_ref="doc-9"))
    assert await desk.told("MEX") == ["intel.document.hit", "intel.notice.retracted", "taken_back doc-1"]


@given(
    st.lists(st.tuples(TIMES, st.sampled_from(["stolen", None])), max_size=5),
    st.lists(TIMES, max_size=4),
    st.randoms(),
)
def test_hits_do_not_depend_on_order_and_each_sighting_hits_once_at_most(acts, seen, chance):
    listings = [Listing(f"l{number}", status, acted) for number, (acted, status) in enumerate(acts)]
    sightings = [Sighting(f"s{number}", "MEX", "bcp", when) for number, when in enumerate(seen)]
    found = hits(sightings, listings)
    chance.shuffle(listings)
    chance.shuffle(sightings)
    assert hits(sightings, listings) == found
    assert len({sighting.event_id for sighting, _ in found}) == len(found)
    for sighting, listing in found:
        assert listing.status
        later = [one for one in listings if sighting.seen >= one.acted > listing.acted]
        assert all(one.status for one in later)
    silent = {one.event_id for one in sightings} - {sighting.event_id for sighting, _ in found}
    for one in sightings:
        if one.event_id in silent:
            assert not any(listing.status and listing.acted > one.seen for listing in listings)


def confirmed(desk, country="GTM", **more):
    return desk.event("intel.document.confirmed", by=country, issuing="HND", doc_code="PP", **more)


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_missing_specimen_is_asked_for_once_until_it_is_deposited(desk, order):
    fakes = [confirmed(desk, days=number * HOUR) for number in range(3)]
    for number in order:
        await desk.tell(fakes[number])
    assert await desk.told("HND") == ["specimen_wanted HND:PP"]


async def test_with_a_specimen_on_file_nobody_is_asked_and_without_it_again(desk):
    await desk.tell(desk.event("intel.specimen.deposited", by="HND", specimen_id="sp-1", days=-9 * HOUR))
    await desk.tell(confirmed(desk, days=-8 * HOUR))
    assert await desk.told("HND") == []
    await desk.tell(desk.event("intel.specimen.withdrawn", by="HND", specimen_id="sp-1", days=-7 * HOUR))
    await desk.tell(confirmed(desk, days=-6 * HOUR))
    assert await desk.told("HND") == ["specimen_wanted HND:PP"]
    await desk.tell(desk.event("intel.specimen.deposited", by="HND", specimen_id="sp-2", days=-5 * HOUR))
    await desk.tell(confirmed(desk, days=-4 * HOUR))
    assert await desk.told("HND") == ["specimen_wanted HND:PP"]


async def test_a_specimen_is_wanted_no_more_when_the_fake_is_retracted(desk):
    fake = confirmed(desk)
    await desk.tell(fake)
    await desk.tell(desk.retracted(fake))
    assert await desk.told("HND") == ["specimen_wanted HND:PP", "taken_back HND:PP"]


@given(st.lists(TIMES, max_size=4), st.lists(st.tuples(TIMES, st.none() | TIMES), max_size=3), st.randoms())
def test_who_is_asked_does_not_depend_on_order(fakes, specimens, chance):
    confirmations = [Confirmation(f"c{number}", when) for number, when in enumerate(fakes)]
    on_file = [
        OnFile(f"o{number}", deposited, max(deposited, ended) if ended else None)
        for number, (deposited, ended) in enumerate(specimens)
    ]
    found = unmatched(confirmations, on_file)
    chance.shuffle(confirmations)
    chance.shuffle(on_file)
    assert unmatched(confirmations, on_file) == found
    for _, fake in found:
        assert not any(one.deposited <= fake.confirmed and one.withdrawn is None for one in on_file)


async def test_a_changed_entry_rule_reaches_every_country_and_is_taken_back(desk):
    changed = desk.event("intel.entryrequirement.changed", effective_from="2004-06-01")
    await desk.tell(changed)
    boxes = await desk.mailboxes()
    assert len(boxes) == 11
    assert {event.data.due.isoformat() for events in boxes.values() for event in events} == {
        "2004-06-01T00:00:00+00:00"
    }
    await desk.tell(desk.corrected(changed, effective_from="2004-07-01"))
    assert await desk.told("PAN") == ["entry_requirement_changed thing GTM"] * 2 + ["taken_back thing"]
    await desk.tell(desk.retracted(changed))
    assert (await desk.told("PAN")).count("taken_back thing") == 2
