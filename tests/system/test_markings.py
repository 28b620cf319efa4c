"""For no marking does a country receive what the marking forbids: all of them, asserted on the mailboxes."""

import asyncio
import itertools
import re
from collections import defaultdict
from datetime import timedelta
from typing import get_args

import msgspec
import pytest

from shared.contracts.vocabulary import Handling, Tlp
from tests.harness.speaking import NOW, clock, countries, say

pytestmark = pytest.mark.long

OWNER, NAMED, CONCERNED, MEMBER = "GTM", "MEX", "HND", "PAN"
GRADES = [{}, {"srceval": "X", "infoeval": "2"}, {"srceval": "C", "infoeval": "4"}]
MARKINGS = [
    {name: value for name, value in (("tlp", tlp), ("handling", handling)) if value} | grade
    for tlp, handling, grade in itertools.product((None, *get_args(Tlp)), (None, *get_args(Handling)), GRADES)
]
# Who may be told, as the standards say; written anew here, not taken from the gate.
TLP = {None: 2, "red": 1, "amber+strict": 1, "amber": 2, "green": 3, "clear": 3}
HANDLING = {None: 3, "H0": 3, "H1": 3, "H2": 1, "H3": 0}
FAR = {OWNER: 0, NAMED: 1, CONCERNED: 2, MEMBER: 3}


def may(country, marking):
    graded = {None: 3, "X": 2, "C": 1}[marking.get("srceval")]
    return FAR[country] <= min(TLP[marking.get("tlp")], HANDLING[marking.get("handling")], graded)


def reports(owner, concerned, number, marking):
    """All that can be marked, each about a thing of its own; and what makes another country concerned in it."""
    n = f"m{number}m"
    legs = [{"from": OWNER, "to": NAMED, "mode": "bus", "point_kind": "Transit"}]
    elsewhere = [{"from": "ECU", "to": CONCERNED, "mode": "boat", "point_kind": "Transit"}]
    band = {"countries": [OWNER, NAMED]}
    person = {"band_id": f"b-{n}", "nationality": "HND", "role": "Leader", "modus_operandi": ["a", "b"]}
    theirs = person | {"band_id": f"{OWNER}:b-{n}"}
    to = {"from": OWNER, "to": NAMED}
    number_hash = f"{number:064x}"
    marked = {"handling": ...} | marking
    book = {"hashes": [number_hash], "handling": ...}
    return [
        say(owner, "intel.location.reported", place_ref=f"p-{n}", target_country=NAMED, **marking),
        say(owner, "intel.route.reported", route_id=f"r-{n}", legs=legs, time=NOW - timedelta(days=1), **marking),
        say(owner, "intel.band.identified", band_id=f"b-{n}", **band, **marking),
        say(owner, "intel.trafficker.detected", trafficker_pid=f"t-{n}", **person, **marking),
        say(owner, "intel.information.shared", exchange_id=f"s-{n}", **to, **marked),
        say(owner, "intel.information.requested", exchange_id=f"q-{n}", **to, **marked),
        say(owner, "intel.phonebook.disseminated", seizure_id=f"z-{n}", recipients=[NAMED], **book | marking),
        say(owner, "intel.band.dismantled", band_id=f"d-{n}", time=NOW - timedelta(days=2), **band, **marking),
    ], [
        say(concerned, "intel.route.reported", route_id=f"{OWNER}:r-{n}", legs=elsewhere, tlp="red"),
        say(concerned, "intel.band.identified", band_id=f"{OWNER}:b-{n}", countries=[], tlp="red"),
        say(concerned, "intel.trafficker.detected", trafficker_pid=f"t-h-{n}", **theirs, tlp="red"),
        say(concerned, "intel.trafficker.detected", trafficker_pid=f"t-d-{n}", band_id=f"{OWNER}:d-{n}", tlp="red"),
        say(concerned, "intel.phonebook.disseminated", seizure_id=f"z-h-{n}", recipients=["USA"], **book),
    ]


async def told(country, patience_s):
    """By marking, what a mailbox tells of it, all but the country's own reports."""
    found = defaultdict(set)
    async for event in country.mailbox(idle_s=patience_s):
        if event.source.startswith("urn:crm:service:"):
            for number in re.findall(r"m(\d+)m", msgspec.json.encode(event).decode()):
                found[int(number)].add(getattr(event.data, "kind", event.name))
    return found


async def test_no_mailbox_holds_what_a_marking_forbids(system):
    system.start("intel", "intel-2", **clock())
    await system.ready()
    owner, _, named, _, concerned, _, member, _ = await countries(system, OWNER, NAMED, CONCERNED, MEMBER)
    sent = [reports(owner, concerned, number, marking) for number, marking in enumerate(MARKINGS)]
    await owner.publish_all([report for mine, _ in sent for report in mine])
    await concerned.publish_all([report for _, theirs in sent for report in theirs])
    await system.recorded("intel", "intel.phonebook.disseminated", 2 * len(MARKINGS))
    await system.recorded("intel", "intel.information.requested", len(MARKINGS))
    await owner.publish_all([say(owner, "intel.route.retired", route_id=f"r-m{n}m") for n in range(len(MARKINGS))])
    await system.recorded("intel", "intel.route.retired", len(MARKINGS))
    await system.recorded("intel", "intel.trafficker.detected", 3 * len(MARKINGS))
    read = await asyncio.gather(*(told(one, 5) for one in (named, concerned, member)))
    boxes = dict(zip((NAMED, CONCERNED, MEMBER), read, strict=True))
    for number, marking in enumerate(MARKINGS):
        for country in (NAMED, CONCERNED, MEMBER):
            if not may(country, marking):
                assert not boxes[country][number], (country, marking)
        if may(NAMED, marking):
            kinds = {"location_reported", "route_reported", "band_identified", "information_shared"}
            assert kinds | {"information_requested", "phonebook_disseminated"} <= boxes[NAMED][number], marking
        if may(CONCERNED, marking):
            kinds = {"band_identified", "route_confirmed", "trafficker_matched", "intel.band.reactivated"}
            assert kinds | {"intel.route.confirmed"} <= boxes[CONCERNED][number], marking
        if may(MEMBER, marking):
            assert "intel.phonenumber.matched" in boxes[CONCERNED][number], "a book open to all members"
        assert not boxes[MEMBER][number], "who has no part in it is told of nothing"
