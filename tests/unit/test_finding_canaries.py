"""A canary is found however it is written down: what looks for leaks must not be blind."""

import base64
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import registry
from shared.contracts.privacy import classes, free
from tests.harness.canaries import Aviary, found

TOLD = Aviary().fresh("here", "wrong")
WAYS = {
    "plain": str.encode,
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "HEXADECIMAL": lambda text: text.encode().hex().upper().encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()),
    "UTF-16": lambda text: text.encode("utf-16-le"),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "an address": lambda text: urllib.parse.quote(text).encode(),
    "JSON": lambda text: json.dumps(text).encode(),
    "JSON, escaped": lambda text: "".join(f"\\u{ord(one):04x}" for one in text).encode(),
    "JSON in JSON": lambda text: "".join(f"\\\\u{ord(one):04x}" for one in text).encode(),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@given(before=st.text(max_size=7), after=st.text(max_size=7), around=st.binary(max_size=9))
def test_it_is_found_whatever_stands_around_it(way, before, after, around):
    clean = [part.encode("utf-8", "replace").decode() for part in (before, after)]
    clean = ["".join(one for one in part if not one.islower() and ord(one) < 0x10000) for part in clean]
    assert TOLD in found(around + b"\0" + way(clean[0] + TOLD + clean[1]) + b"\0" + around)


@given(st.binary(max_size=2000))
def test_where_there_is_none_none_is_found(content):
    assert found(content) == set()


def test_every_type_about_persons_has_a_class_for_each_field_and_free_ones_are_never_n():
    for agreed in registry().values():
        told = classes(agreed)
        assert told
        if agreed.privacy != "N":
            assert all(told[path] != "N" for path in free(agreed)), agreed.name
    named = {agreed.name: classes(agreed) for agreed in registry().values() if agreed.version == 1}
    assert named["victims.referral.sent"][("needs",)] == "S"
    assert named["victims.referral.sent"][("dataref",)] == "P"
    assert named["victims.referral.sent"][("urgency",)] == "N"
    assert named["victims.consent.recorded"][("consent_id",)] == "S"
    assert named["victims.victim.identified"][("sex",)] == "N"
    assert named["training.officer.certified"][("officer_pid",)] == "P"
    assert named["legal.treaty.ratified"][("reported_by",)] == "N"


def test_a_canary_stands_in_nearly_every_free_field():
    """What takes none is too short for one, sealed, or has to be another country's."""
    aviary, without = Aviary(), set()
    for agreed in registry().values():
        if agreed.reported and not agreed.generic:
            _, used = aviary.good(agreed)
            placed = {aviary.known[told].about for told in used}
            without |= {f"{agreed.name}/{'/'.join(path)}" for path in free(agreed)} - placed
    assert {path.rpartition("/")[2] for path in without} <= {
        "article", "box", "checksum", "currency", "geohash", "hashes", "key", "languages", "law_id", "plan", "row",
        "version",
    }, sorted(without)  # fmt: skip
