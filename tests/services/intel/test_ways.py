"""Routes confirmed by a second country, bands at work again, whom both concern."""

from itertools import permutations

import pytest

from shared.record.judgement import Unknown

LEGS = [
    {"from": "ECU", "to": "GTM", "mode": "boat", "point_kind": "Transit"},
    {"from": "GTM", "to": "MEX", "mode": "truck", "point_kind": "BorderCrossingPoint"},
]


def route(desk, country, route_id="rt-1", days=0, **more):
    named = route_id if country == "HND" else f"HND:{route_id}"
    return desk.event("intel.route.reported", by=country, route_id=named, legs=LEGS, days=-days, **more)


def band(desk, country, act, days=0, **more):
    countries = more.pop("countries", ["GTM", "MEX"])
    named = "band-1" if country == "GTM" else "GTM:band-1"
    return desk.event(f"intel.band.{act}", by=country, band_id=named, countries=countries, days=-days, **more)


async def test_a_route_is_told_to_the_countries_that_it_touches(desk):
    await desk.tell(route(desk, "HND"))
    assert {country: len(events) for country, events in (await desk.mailboxes()).items()} == {"GTM": 1, "MEX": 1}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_second_country_confirms_it(desk, order):
    reports = [route(desk, "HND", days=3), route(desk, "PAN", days=2)]
    for number in order:
        await desk.tell(reports[number])
    (confirmed,) = await desk.recorded("intel.route.confirmed")
    assert (confirmed.country, confirmed.data.route_id) == ("PAN", "HND:rt-1")
    assert await desk.told("HND") == ["route_confirmed rt-1 PAN"]
    assert "route_confirmed rt-1 HND" in await desk.told("PAN")
    await desk.tell(desk.retracted(reports[1]))
    assert "taken_back rt-1" in await desk.told("HND")


async def test_a_report_that_others_may_not_know_of_confirms_nothing_for_them(desk):
    await desk.tell_at_once(route(desk, "HND", days=3), route(desk, "PAN", days=2, tlp="red"))
    assert not any("route_confirmed" in one for one in await desk.told("HND"))


async def test_who_knows_a_route_hears_that_it_is_retired(desk):
    unknown = desk.event("intel.route.retired", by="MEX", route_id="rt-1")
    assert isinstance((await desk.record(unknown))[0], Unknown)
    await desk.tell_at_once(route(desk, "HND", days=3), unknown)
    assert "route_retired rt-1 MEX" in await desk.told("HND")
    assert "route_retired rt-1 MEX" in await desk.told("GTM")
    assert not any("retired" in one for one in await desk.told("MEX"))


async def test_a_confirmation_by_report_is_told_to_who_reported(desk):
    confirmed = desk.event("intel.route.confirmed", by="MEX", route_id="rt-1")
    await desk.tell_at_once(route(desk, "HND", days=3), confirmed)
    assert await desk.told("HND") == ["route_confirmed rt-1 MEX"]
    assert "intel.route.confirmed" not in await desk.told("MEX"), "nothing is derived where it was said"


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_a_band_detected_again_after_its_end_is_at_work_again(desk, order):
    reports = [
        band(desk, "GTM", "identified", 20),
        band(desk, "GTM", "dismantled", 10),
        desk.event("intel.trafficker.detected", by="HND", trafficker_pid="tr-1", band_id="GTM:band-1", days=-1),
    ]
    for number in order:
        await desk.tell(reports[number])
    assert await desk.told("HND") == ["intel.band.reactivated"]
    assert await desk.told("GTM") == ["band_reactivated band-1 HND"]
    assert await desk.told("MEX") == ["band_dismantled band-1 GTM", "band_identified band-1 GTM"]
    (again,) = (await desk.mailboxes())["HND"]
    assert (again.data.band_id, again.data.scope, again.data.reported_by) == ("band-1", "regional", "police")
    await desk.tell(desk.retracted(reports[2]))
    assert "taken_back band-1" in await desk.told("GTM")


async def test_detections_before_its_end_or_after_a_report_that_it_is_back_derive_nothing(desk):
    early = desk.event("intel.trafficker.detected", by="HND", trafficker_pid="tr-1", band_id="GTM:band-1", days=-12)
    await desk.tell_at_once(band(desk, "GTM", "dismantled", 10), early, band(desk, "MEX", "reactivated", 5))
    late = desk.event("intel.trafficker.detected", by="HND", trafficker_pid="tr-2", band_id="GTM:band-1", days=-1)
    await desk.tell(late)
    assert await desk.told("HND") == []
    assert "band_reactivated band-1 MEX" in await desk.told("GTM")


@pytest.mark.parametrize(("marked", "kept"), [({"handling": "H3"}, True), ({"tlp": "red"}, False)])
async def test_a_marked_band_goes_as_far_as_marked(desk, marked, kept):
    await desk.tell_at_once(band(desk, "GTM", "identified", **marked), band(desk, "HND", "identified", countries=[]))
    assert ("band_identified band-1 GTM" in await desk.told("MEX")) is not kept
    assert "band_identified band-1 GTM" not in await desk.told("HND"), "concerned, but not named"
    assert ("not_passed_on band-1" in await desk.told("GTM")) is kept
