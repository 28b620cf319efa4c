"""Two countries give bands, routes, places, requests, commitments and documents' reports equal identifiers."""

from datetime import timedelta

import msgspec
import pytest

from services.intel.__main__ import SERVICE
from shared.contracts import Refused
from shared.record.judgement import Unknown
from tests.harness.desk import START, says
from tests.harness.olden import olden

LEGS = [{"from": "ECU", "to": "MEX", "mode": "boat", "point_kind": "Transit"}]


def band(desk, by, act="identified", named="band-1", days=0, **more):
    return desk.event(f"intel.band.{act}", days, by, band_id=named, countries=[], **more)


def place(desk, by, named="p-1", target="MEX"):
    return desk.event("intel.location.reported", by=by, place_ref=named, target_country=target)


def answer(desk, act="acknowledged", by="MEX", named="p-1"):
    return desk.event(f"intel.location.{act}", by=by, place_ref=named)


def route(desk, by, named="r-1", act="reported", **more):
    return desk.event(
        f"intel.route.{act}", by=by, route_id=named, **({"legs": LEGS} if act == "reported" else {}), **more
    )


async def codes(desk, event):
    (outcome,) = await desk.record(event)
    assert isinstance(outcome, Refused), outcome
    return [(one.pointer, one.code) for one in outcome.problems]


async def steps(desk, field="change", **of):
    """What was counted, in order: 1, -1 or nothing."""
    told = [event.data for event in await desk.recorded() if hasattr(event.data, field)]
    return [one.by if (one := getattr(data, field)) else None for data in told]


async def test_bands_are_apart_unless_one_names_the_others(desk):
    await desk.tell(band(desk, "GTM"), band(desk, "HND"))
    assert await steps(desk) == [1, 1]
    assert await desk.mailboxes() == {}
    await desk.tell(band(desk, "HND", "dismantled", days=1))
    assert await steps(desk) == [1, 1, -1]
    await desk.tell(band(desk, "MEX", named="GTM:band-1"))
    assert await steps(desk) == [1, 1, -1, None], "it joins Guatemala's"
    [told] = (await desk.mailboxes())["GTM"]
    assert (says(told), told.data.owner) == ("band_identified band-1 MEX", "GTM")
    assert await desk.told("HND") == []


async def test_a_detection_with_ones_own_band_is_no_sign_of_life_of_anothers(desk):
    await desk.tell(
        band(desk, "GTM", "dismantled"),
        desk.event("intel.trafficker.detected", 1, "HND", trafficker_pid="t-1", band_id="band-1"),
    )
    assert await desk.recorded("intel.band.reactivated") == []
    await desk.tell(desk.event("intel.trafficker.detected", 1, "HND", trafficker_pid="t-1", band_id="GTM:band-1"))
    again = await desk.one("intel.band.reactivated")
    assert (again.country, again.data.band_id, again.data.owners) == ("HND", "band-1", {"band_id": "GTM"})
    assert again.data.change.by == 1


async def test_suspects_of_equal_bands_are_not_matched(desk):
    traits = {"trafficker_pid": "t-1", "band_id": "b-1", "role": "Leader", "nationality": "HND", "sex": "male"}
    await desk.tell(*(desk.event("intel.trafficker.detected", by=by, **traits) for by in ("GTM", "MEX")))
    assert await desk.mailboxes() == {}
    await desk.tell(desk.event("intel.trafficker.detected", by="MEX", **traits | {"band_id": "GTM:b-1"}))
    merged = await desk.one("intel.trafficker.merged")
    assert (merged.data.pids, merged.data.into) == (("GTM:t-1", "MEX:t-1"), "GTM:t-1")


async def test_a_route_is_confirmed_by_who_means_the_same(desk):
    await desk.tell(route(desk, "GTM"), route(desk, "HND"))
    assert await steps(desk) == [1, 1]
    assert await desk.recorded("intel.route.confirmed") == []
    assert await codes(desk, route(desk, "MEX", act="retired")) == [("/data/route_id", "ambiguous_reference")]
    await desk.tell(route(desk, "MEX", "HND:r-1", "retired"))
    assert await steps(desk) == [1, 1, -1]
    assert await desk.told("GTM") == []
    assert await desk.told("HND") == ["route_retired r-1 MEX"]
    await desk.tell(route(desk, "PAN", "GTM:r-1"))
    confirmed = await desk.one("intel.route.confirmed")
    assert (confirmed.country, confirmed.data.route_id, confirmed.data.owners) == (
        "PAN",
        "GTM:r-1",
        {"route_id": "GTM"},
    )
    assert isinstance((await desk.record(route(desk, "CRI", act="retired")))[0], Unknown), "it was not told of any"


async def test_a_place_is_answered_by_its_country_for_the_one_that_it_means(desk):
    await desk.tell(place(desk, "GTM"), place(desk, "HND"), place(desk, "USA", target="PAN"))
    assert await codes(desk, answer(desk)) == [("/data/place_ref", "ambiguous_reference")]
    await desk.tell(answer(desk, named="HND:p-1"))
    acknowledged = await desk.one("intel.location.acknowledged")
    assert (acknowledged.data.owners, acknowledged.data.change.by) == ({"place_ref": "HND"}, 1)
    assert acknowledged.data.latency_s == 0
    await desk.tell(answer(desk, "verified", "PAN"))
    assert await desk.told("HND") == ["location_acknowledged p-1 MEX"]
    assert await desk.told("USA") == ["location_verified p-1 PAN"]
    await desk.pass_days(4)
    assert await desk.told("GTM") == ["location_overdue p-1 MEX"]
    assert "location_overdue p-1 HND" not in await desk.told("MEX")


async def test_corrections_and_merges_of_one_leave_the_other_alone(desk):
    first, second = place(desk, "GTM"), place(desk, "HND")
    said = answer(desk)
    await desk.tell(first, said, second)
    corrected = desk.corrected(said, outcome_ref="urn:crm:vault:MEX:x")
    await desk.tell(corrected)
    assert (await desk.one("intel.location.corrected")).data.data["owners"] == {"place_ref": "GTM"}
    await desk.tell(desk.retracted(first))
    assert await desk.told("HND") == []
    await desk.pass_days(4)
    assert await desk.told("HND") == ["location_overdue p-1 MEX"]
    await desk.tell(answer(desk, named="HND:p-1"))
    moved = desk.corrected(second, place_ref="p-2")
    await desk.tell(moved)
    assert "taken_back p-1" in await desk.told("HND")
    assert "location_reported p-2 HND" in await desk.told("MEX")


async def test_a_band_merged_by_one_country_is_the_others_still(desk):
    await desk.tell(band(desk, "GTM"), band(desk, "HND"), band(desk, "HND", named="band-2"))
    merged = desk.event("intel.band.merged", by="HND", entity="band-1", into="band-2", reported_by="police")
    await desk.tell(merged)
    corrected = await desk.one("intel.band.corrected")
    assert (corrected.country, corrected.data.data["band_id"]) == ("HND", "band-2")
    assert corrected.data.data["owners"] == {"band_id": "HND"}
    await desk.tell(band(desk, "GTM", "dismantled", days=1))
    dismantled = await desk.one("intel.band.dismantled")
    assert (dismantled.data.change.by, dismantled.data.dismantled.by) == (-1, 1)


def exchanged(desk, verb, by, to, **more):
    return desk.event(f"intel.information.{verb}", by=by, exchange_id="x-1", to=to, **{"from": by} | more)


async def test_requests_and_their_answers_are_between_two_countries(desk):
    asked = [exchanged(desk, "requested", one, "MEX", due=...) for one in ("GTM", "HND")]
    await desk.tell(*asked, exchanged(desk, "answered", "MEX", "GTM"))
    assert await steps(desk) == [1, 1, -1]
    await desk.pass_days(8)
    assert await desk.told("GTM") == ["information_answered x-1 MEX"]
    assert await desk.told("HND") == ["information_overdue x-1 MEX"]


async def test_information_of_two_givers_is_counted_each(desk):
    for giver in ("GTM", "HND"):
        await desk.tell(exchanged(desk, "received", "MEX", "MEX", **{"from": giver}))
        await desk.tell(desk.event("intel.feedback.given", 1, "MEX", exchange_id="x-1", to=giver))
    told = await desk.recorded("intel.feedback.given")
    assert [(one.data.change.by, one.data.latency_s) for one in told] == [(1, 86400), (1, 86400)]


SEATED = {"MEX": "ppt", "GTM": "st", "PAN": "sv"}


async def seated(desk):
    """Have three countries each hold a seat."""
    for holder, body in SEATED.items():
        await desk.log.pool.execute(
            "insert into seat (body, since, holder, recorded, event_id) values ($1, $2, $3, $2, $1)",
            body,
            START - timedelta(days=1),
            holder,
        )


def agreed(desk, by, owing):
    due = "2004-03-06T12:00:00Z"
    said = {"commitment_id": "co-1", "country": owing, "due": due, "reported_by": SEATED[by]}
    return desk.event("intel.commitment.agreed", by=by, **said)


def kept(desk, by, owing, named="co-1"):
    return desk.event("intel.commitment.fulfilled", by=by, commitment_id=named, country=owing)


async def test_commitments_are_of_the_body_that_recorded_them(desk):
    await seated(desk)
    await desk.tell(agreed(desk, "GTM", "NIC"), agreed(desk, "MEX", "NIC"), agreed(desk, "PAN", "CRI"))
    assert await steps(desk) == [1, 1, 1]
    assert await codes(desk, kept(desk, "NIC", "NIC")) == [("/data/commitment_id", "ambiguous_reference")]
    await desk.tell(kept(desk, "NIC", "NIC", "MEX:co-1"))
    await desk.pass_days(6)
    overdue = await desk.recorded("intel.commitment.overdue")
    assert sorted((one.country, one.data.owners["commitment_id"]) for one in overdue) == [
        ("CRI", "PAN"),
        ("NIC", "GTM"),
    ]


async def test_seizures_and_detentions_of_two_countries(desk):
    for by in ("GTM", "HND"):
        await desk.tell(desk.event("legal.person.detained", by=by, detention_id="d-1"))
    seized = {"seizure_id": "s-1", "detention_id": "d-1"}
    await desk.tell(desk.event("intel.phonebook.seized", by="GTM", **seized))
    await desk.pass_days(2)
    assert await desk.told("GTM") == []
    assert await desk.told("HND") == ["phonebook_missing d-1"]
    await desk.tell(desk.event("intel.phonebook.seized", by="HND", **seized))
    for by, to in (("GTM", "HND"), ("HND", "GTM")):
        await desk.tell(
            desk.event("intel.phonebook.disseminated", by=by, seizure_id="s-1", recipients=[to], hashes=["5f" * 32])
        )
    matched = await desk.recorded("intel.phonenumber.matched")
    assert {one.country: one.data.seizure_ids for one in matched} == {
        "GTM": ("s-1", "HND:s-1"),
        "HND": ("s-1", "GTM:s-1"),
    }


async def test_equal_ids_of_reports_are_two_hits_of_one_document(desk):
    listed = desk.event("intel.document.listed", -1, "HND", doc_ref="doc-1", issuing="HND")
    seen = [desk.event("intel.document.flagged", by=by, doc_ref="doc-1", issuing="HND") for by in ("GTM", "MEX")]
    seen = [msgspec.structs.replace(one, id="1") for one in seen]
    await desk.tell(listed, *seen)
    hits = await desk.recorded("intel.document.hit")
    assert sorted(one.country for one in hits) == ["GTM", "HND", "HND", "MEX"]
    assert sum(one.data.change.by for one in hits if one.data.change) == 2


async def test_a_victim_found_because_of_a_report_is_not_the_later_ones_with_the_same_id(desk):
    reports = [msgspec.structs.replace(place(desk, by, f"p-{by}"), id="1") for by in ("GTM", "HND")]
    found = msgspec.structs.replace(desk.event("victims.victim.identified", by="MEX"), causationid="1")
    await desk.tell(reports[0], found, reports[1])
    assert await desk.told("GTM") == ["feedback p-GTM MEX"]
    assert await desk.told("HND") == []


@pytest.fixture
async def old(postgres_server):
    """Band band-1, which GTM identified and HND dismantled, place p-1 in MEX, and GTM's request x-1."""
    async with olden(postgres_server, SERVICE, "0006_owners.sql") as one:
        desk = one.desk
        told = [band(desk, "GTM"), band(desk, "HND", "dismantled", days=1), place(desk, "GTM"), place(desk, "USA")]
        told += [exchanged(desk, "requested", "GTM", "MEX", due=...), agreed(desk, "MEX", "NIC")]
        positions = await one.recorded(*told)
        for event in told[:2]:
            said = msgspec.json.encode(event.data)
            await one.put(
                "band_act", event_id=event.id, source=event.source, country=event.country, band_id="band-1",
                act=event.verb, said=said, acted=event.time,
            )  # fmt: skip
        for event in told[2:4]:
            await one.put(
                "place", event_id=event.id, source=event.source, place_ref="p-1", reporter=event.country,
                target="MEX", due=START,
            )  # fmt: skip
        await one.put(
            "request",
            event_id=told[4].id,
            source=told[4].source,
            exchange_id="x-1",
            asker="GTM",
            asked="MEX",
            due=START,
        )
        await one.put(
            "commitment", event_id=told[5].id, source=told[5].source, commitment_id="co-1", country="NIC",
            agreed_by="MEX", due=START,
        )  # fmt: skip
        things = [("band", "|band-1"), ("band", "|band-1"), ("place", "|p-1"), ("place", "|p-1"), ("request", "|x-1")]
        things += [("commitment", "|NIC|co-1")]
        for (what, thing), event, position in zip(things, told, positions, strict=True):
            opens = event.verb != "dismantled"
            await one.put("tally", what=what, thing=thing, at=event.time, position=position, opens=opens)
        yield one


async def test_what_was_one_before_stays_one_for_those_who_had_part_in_it(old):
    desk = await old.upgrade()
    begun = len(await desk.recorded())
    await desk.tell(band(desk, "HND", "reactivated", days=2), band(desk, "MEX", days=2))
    again, new = (await desk.recorded())[begun:][0], (await desk.recorded("intel.band.identified"))[-1]
    assert (again.data.owners, again.data.change.by) == ({"band_id": "REG"}, 1)
    assert (new.data.owners, new.data.change.by) == ({"band_id": "MEX"}, 1)
    assert "band_reactivated band-1 HND" in await desk.told("GTM")
    await desk.tell(band(desk, "PAN", named="GTM:band-1", days=3))
    joined = (await desk.recorded("intel.band.identified"))[-1]
    assert (joined.data.owners, joined.data.change) == ({"band_id": "REG"}, None), "Guatemala's is the one of before"


async def test_what_was_open_before_is_answered_now(old):
    desk = await old.upgrade()
    await desk.tell(answer(desk))
    assert (await desk.one("intel.location.acknowledged")).data.change.by == 1
    assert await desk.told("GTM") == await desk.told("USA") == ["location_acknowledged p-1 MEX"]
    await desk.tell(exchanged(desk, "answered", "MEX", "GTM"), kept(desk, "NIC", "NIC"))
    assert (await desk.one("intel.information.answered")).data.change.by == -1
    assert (await desk.one("intel.commitment.fulfilled")).data.change.by == -1
    await desk.tell(place(desk, "HND"))
    assert await codes(desk, answer(desk, "verified")) == [("/data/place_ref", "ambiguous_reference")]
    await desk.tell(answer(desk, "verified", named="HND:p-1"))
    assert "location_verified p-1 MEX" not in await desk.told("GTM")


async def test_a_band_that_only_a_correction_names_is_the_countrys_own(desk):
    """A suspect told of without a band, then with the country's own, is held against others of that band."""
    alike = {"nationality": "PAN", "role": "Leader", "sex": "male", "age_band": "adult", "modus_operandi": ["a_way"]}
    alike |= {"srceval": "A", "infoeval": "1"}
    other = desk.event("intel.trafficker.detected", by="USA", trafficker_pid="tr-2", band_id="MEX:band-1", **alike)
    bare = desk.event("intel.trafficker.detected", by="MEX", trafficker_pid="tr-1", **{**alike, "band_id": ...})
    await desk.tell(other, bare)
    assert await desk.recorded("intel.trafficker.merged") == []
    await desk.tell(desk.corrected(bare, band_id="band-1"))
    [told] = await desk.recorded("intel.trafficker.merged")
    assert "same_band" in told.data.reasons
