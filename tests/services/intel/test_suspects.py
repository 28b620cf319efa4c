"""Presumed traffickers: profiled from several detections, merged on explained evidence, told as marked."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intel.gate import Marking
from services.intel.judgements.suspects import Detection, link, merged, profile
from services.intel.policy import POLICY
from tests.harness.desk import START

grades = st.builds(
    Marking,
    tlp=st.sampled_from([None, "red", "amber", "green"]),
    handling=st.sampled_from([None, "H0", "H2", "H3"]),
    srceval=st.sampled_from([None, "A", "B", "C", "X"]),
    infoeval=st.sampled_from([None, "1", "2", "3", "4"]),
)


def detections(country, pid):
    return st.lists(
        st.builds(
            Detection,
            event_id=st.uuids().map(str),
            country=st.just(country),
            pid=st.just(pid),
            sex=st.sampled_from(["male", "male", "female", "unknown"]),
            age_band=st.sampled_from(["adult", "adult", "unknown"]),
            role=st.sampled_from(["Leader", "Smuggler"]),
            nationality=st.sampled_from([None, "HND", "GTM"]),
            band_id=st.sampled_from([None, "band-1", "band-1"]),
            route_id=st.sampled_from([None, "rt-1"]),
            modus_operandi=st.sampled_from([(), ("a",), ("a", "b")]),
            marking=grades,
            detected=st.just(START),
        ),
        max_size=4,
        unique_by=lambda one: one.event_id,
    )


def said(notices):
    return sorted((str(one.to), one.key, str(one.data)) for one in notices)


@given(detections("GTM", "tr-1"), detections("MEX", "tr-9"), st.randoms())
def test_order_does_not_matter(own, theirs, chance):
    before = said([*merged(own, theirs), *profile(("GTM", "tr-1"), own)])
    chance.shuffle(own)
    chance.shuffle(theirs)
    assert said([*merged(theirs, own), *profile(("GTM", "tr-1"), own)]) == before


@given(detections("GTM", "tr-1"), detections("MEX", "tr-9"))
def test_a_link_is_the_same_seen_from_either_side_and_sure_enough(own, theirs):
    for one, other in itertools.product(own, theirs):
        found = link(one, other)
        assert found == link(other, one)
        if found:
            assert POLICY.merged_at <= found.confidence <= 100
            assert {"same_band", "same_route"} & {*found.reasons}
            for trait in ("sex", "age_band", "nationality"):
                values = {getattr(one, trait), getattr(other, trait)} - {None, "unknown"}
                assert len(values) <= 1, trait


@given(detections("GTM", "tr-1"), detections("MEX", "tr-9"), detections("MEX", "tr-9"))
def test_more_evidence_never_unlinks(own, theirs, more):
    if merged(own, theirs):
        assert merged(own, [*theirs, *more])


@given(detections("GTM", "tr-1"), detections("MEX", "tr-9"))
def test_the_region_is_told_of_one_person_and_no_country_more_than_marked(own, theirs):
    for notice in merged(own, theirs):
        if notice.to != "REG":
            other = theirs if notice.to == "GTM" else own
            assert any(one.marking.tlp != "red" and one.marking.handling not in {"H2", "H3"} for one in other)
            assert "tr-" + {"GTM": "1", "MEX": "9"}[notice.to] == notice.data.entity


def detected(desk, country, pid, **more):
    band_id = "band-1" if country == "GTM" else "GTM:band-1"
    traits = {"band_id": band_id, "nationality": "HND", "role": "Leader", "sex": "male", "age_band": "adult"} | more
    return desk.event("intel.trafficker.detected", by=country, trafficker_pid=pid, **traits)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_two_identifiers_become_one_person_in_any_order(desk, order):
    reports = [
        detected(desk, "GTM", "tr-1", days=-9),
        detected(desk, "GTM", "tr-1", nationality=...),
        detected(desk, "MEX", "tr-9"),
    ]
    for number in order:
        await desk.tell(reports[number])
    assert await desk.told("GTM") == ["intel.trafficker.profiled", "trafficker_matched tr-1 MEX"]
    assert await desk.told("MEX") == ["trafficker_matched tr-9 GTM"]
    (one,) = (await desk.mailboxes())["REG"]
    assert (one.data.pids, one.data.into) == (("tr-1", "tr-9"), "tr-1")
    assert {"same_band", "same_nationality", "same_role"} <= {*one.data.reasons}
    assert {*one.data.evidence} >= {reports[0].id, reports[2].id}


@pytest.mark.parametrize(
    "change",
    [
        {"sex": "female"},
        {"nationality": "GTM"},
        {"band_id": "GTM:band-2"},
        {"band_id": "band-1"},
        {"srceval": "X", "infoeval": "4"},
    ],
)
async def test_what_differs_or_is_hearsay_merges_nobody(desk, change):
    await desk.tell_at_once(detected(desk, "GTM", "tr-1"), detected(desk, "MEX", "tr-9", **change))
    assert await desk.mailboxes() == {}


async def test_each_side_is_told_only_what_the_other_allows(desk):
    await desk.tell_at_once(detected(desk, "GTM", "tr-1", tlp="red"), detected(desk, "MEX", "tr-9"))
    assert await desk.told("GTM") == ["trafficker_matched tr-1 MEX"]
    assert await desk.told("MEX") == []


async def test_a_merge_is_taken_back_with_its_evidence(desk):
    report = detected(desk, "MEX", "tr-9")
    await desk.tell_at_once(detected(desk, "GTM", "tr-1"), report)
    await desk.tell(desk.corrected(report, nationality="GTM"))
    assert await desk.told("GTM") == ["taken_back tr-1", "trafficker_matched tr-1 MEX"]
    assert await desk.told("MEX") == ["taken_back tr-9", "trafficker_matched tr-9 GTM"]
    await desk.tell(desk.retracted(report))
    assert len(await desk.told("GTM")) == 2


async def test_one_countrys_two_identifiers_are_merged_for_itself(desk):
    await desk.tell_at_once(detected(desk, "GTM", "tr-1"), detected(desk, "GTM", "tr-2", tlp="red"))
    assert await desk.told("GTM") == ["intel.trafficker.merged"]
