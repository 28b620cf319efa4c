"""What is derived counts in the figures: once in the region, and no more when what it rests on is amended."""

import itertools

import msgspec
import pytest

from tests.harness.desk import HOUR
from tests.harness.figuring import folded


async def counts(desk, row, **labels):
    """The row's figures by country, the region among them, where they are not 0."""
    found = folded(row, await desk.recorded(), desk.clock.at.date())
    cells = [cell for cell in found.cells if labels.items() <= cell.labels.items()]
    return {cell.country: cell.value for cell in cells if cell.value}


async def headline(desk, row):
    return folded(row, await desk.recorded(), desk.clock.at.date()).headline.value


def book(desk, country, seizure, *numbers, recipients=("GTM", "MEX", "HND")):
    changes = {"seizure_id": seizure, "hashes": [number * 64 for number in numbers], "recipients": [*recipients]}
    return desk.event("intel.phonebook.disseminated", by=country, handling=..., **changes)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_match_counts_for_each_owner_and_once_in_the_region(desk, order):
    books = [book(desk, "GTM", "sz-g", "a", "b"), book(desk, "MEX", "sz-m", "b"), book(desk, "HND", "sz-h", "b", "c")]
    for number in order:
        await desk.tell(books[number])
    row = "IE-1.2.3.matches"
    assert await counts(desk, row) == {"GTM": 2, "MEX": 2, "HND": 2, "REG": 3}
    assert await headline(desk, row) == 3
    await desk.tell(desk.corrected(books[2], hashes=["c" * 64]))
    assert await counts(desk, row) == {"GTM": 1, "MEX": 1, "REG": 1}
    await desk.tell(desk.retracted(books[0]))
    assert await counts(desk, row) == {}
    await desk.tell(book(desk, "GTM", "sz-g2", "b"))
    assert await counts(desk, row) == {"GTM": 1, "MEX": 1, "REG": 1}


async def test_a_match_that_only_one_owner_may_know_of_counts_in_the_region_too(desk):
    await desk.tell(book(desk, "GTM", "sz-g", "a", recipients=["HND"]), book(desk, "MEX", "sz-m", "a"))
    assert await counts(desk, "IE-1.2.3.matches") == {"GTM": 1, "REG": 1}


async def test_a_hit_counts_for_issuer_and_finder_once_in_the_region_and_goes_with_its_listing(desk):
    listed = desk.event("intel.document.listed", by="HND", doc_ref="doc-1", days=-3 * HOUR)
    found = [desk.event("intel.document.flagged", by=by, doc_ref="doc-1", bcp="bcp-1") for by in ("MEX", "GTM")]
    own = desk.event("intel.document.flagged", by="HND", doc_ref="doc-1", bcp="bcp-2")
    await desk.tell(listed, *found, own)
    assert await counts(desk, "IE-3.1ii.lists", stage="hit") == {"HND": 3, "MEX": 1, "GTM": 1, "REG": 3}
    assert await headline(desk, "IE-3.1ii.lists") == 3
    await desk.tell(desk.retracted(found[1]))
    assert await counts(desk, "IE-3.1ii.lists", stage="hit") == {"HND": 2, "MEX": 1, "REG": 2}
    await desk.tell(desk.retracted(listed))
    assert await counts(desk, "IE-3.1ii.lists", stage="hit") == {}
    assert await counts(desk, "IE-3.1ii.lists", stage="listed") == {}


async def test_profiles_and_merges_are_subtracted(desk):
    ways = {"GTM": ("band-1", "rt-1"), "MEX": ("GTM:band-1", "GTM:rt-1")}
    traits = {by: {"band_id": band, "route_id": route, "role": "Transporter"} for by, (band, route) in ways.items()}
    detected = [
        desk.event("intel.trafficker.detected", by=by, trafficker_pid=pid, **traits[by])
        for by, pid in (("GTM", "tr-1"), ("GTM", "tr-1"), ("MEX", "tr-9"))
    ]
    await desk.tell(*detected)
    assert (await counts(desk, "IE-1.2d.profiles", stage="profiled")) == {"GTM": 1, "REG": 1}
    before = await counts(desk, "IE-1.2d.profiles", stage="merged")
    assert before["REG"] == 1
    await desk.tell(desk.retracted(detected[0]))
    assert (await counts(desk, "IE-1.2d.profiles", stage="profiled")) == {}
    assert await counts(desk, "IE-1.2d.profiles", stage="merged") == before
    await desk.tell(desk.retracted(detected[2]))
    assert await counts(desk, "IE-1.2d.profiles", stage="merged") == {}


async def test_feedback_given_in_a_countrys_name_is_taken_back_with_the_victim_it_was_about(desk):
    place = desk.event("intel.location.reported", by="GTM", place_ref="place-1", target_country="MEX")
    await desk.tell(place)
    (told,) = (await desk.mailboxes())["MEX"]
    victim = msgspec.structs.replace(desk.event("victims.victim.identified", by="MEX"), causationid=told.id)
    await desk.tell(victim)
    given = await desk.recorded("intel.feedback.given")
    assert len(given) == 1
    await desk.tell(desk.retracted(victim))
    proven = await desk.one("intel.location.proven")
    back = await desk.recorded("intel.notice.retracted")
    assert {(one.data.supersedes, one.country) for one in back} == {(given[0].id, "MEX"), (proven.id, "MEX")}
    assert {one.data.previous["change"]["by"] for one in back} == {1}
    for row in ("PC-1.1.3", "IE-3.2.1.victims"):
        found = folded(row, await desk.recorded(), desk.clock.at.date())
        assert not [cell for cell in found.cells if cell.value]


async def test_what_is_told_and_taken_back_at_once_counts_for_nothing(desk):
    listed = desk.event("intel.document.listed", by="HND", doc_ref="doc-1", days=-3 * HOUR)
    seen = desk.event("intel.document.flagged", by="MEX", doc_ref="doc-1")
    delisted = desk.event("intel.document.delisted", by="HND", doc_ref="doc-1", days=-2 * HOUR)
    await desk.tell_at_once(listed, seen, delisted)
    assert await desk.told("HND") == ["intel.document.hit", "intel.notice.retracted", "taken_back doc-1"]
    assert await counts(desk, "IE-3.1ii.lists", stage="hit") == {}
