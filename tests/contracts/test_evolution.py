"""The check of published types goes red, in plain words, for each kind of break, and stays green for growth."""

import copy
import json
from pathlib import Path

import pytest

from shared.contracts import evolution, reference

RELEASED = Path(__file__).parent / "released"
PAGE = Path(__file__).parents[2] / "docs" / "contracts.md"
AGAIN = "run `python -m shared.contracts release` (or `reference`) and commit what it writes"


def released(name):
    return json.loads((RELEASED / f"crm.{name}.v1.json").read_text())


def changed(name, change):
    """What the check says of a type after `change(properties, data, file)`."""
    before = released(name)
    after = copy.deepcopy(before)
    change(after["data"]["properties"], after["data"], after)
    return evolution.compared(before, after)


def test_no_published_type_is_broken():
    assert evolution.broken(RELEASED) == []


def test_everything_is_released():
    assert evolution.unreleased(RELEASED) == [], AGAIN


def test_the_reference_page_is_up_to_date():
    assert PAGE.read_text() == reference.page(), AGAIN


def test_the_same_breaks_nothing():
    assert changed("intel.route.reported", lambda *_: None) == []


def test_an_optional_field_may_be_added():
    def add(fields, *_):
        fields["colour"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}

    assert changed("intel.route.reported", add) == []


BREAKS = {
    "removed": ("intel.route.reported", lambda f, *_: f.pop("fee"), "/fee was removed"),
    "new and required": (
        "intel.route.reported",
        lambda f, d, _: (f.update(colour={"type": "string"}), d["required"].append("colour")),
        "/colour is new and required",
    ),
    "made required": (
        "intel.route.reported",
        lambda _, d, __: d["required"].append("fee"),
        "/fee was made required",
    ),
    "made optional": (
        "intel.route.reported",
        lambda _, d, __: d["required"].remove("legs"),
        "/legs was made optional",
    ),
    "value removed": (
        "intel.band.dismantled",
        lambda f, *_: f["scope"]["enum"].remove("local"),
        "/scope lost the value local",
    ),
    "value added": (
        "intel.band.dismantled",
        lambda f, *_: f["scope"]["enum"].append("global"),
        "/scope gained the value global",
    ),
    "value of a list removed": (
        "intel.operation.executed",
        lambda f, *_: f["participants"]["items"]["enum"].remove("BLZ"),
        "/participants/* lost the value BLZ",
    ),
    "list closed": (
        "intel.document.flagged",
        lambda f, *_: f.update(fraud_type={"enum": ["counterfeit"]}),
        "/fraud_type changed between a closed list and an open value",
    ),
    "type changed": (
        "training.workforce.declared",
        lambda f, *_: f["headcount"].update(type="string"),
        '/headcount changed its JSON type from "integer" to "string"',
    ),
    "narrowed": (
        "training.workforce.declared",
        lambda f, *_: f["headcount"].update(maximum=10),
        "/headcount changed its greatest value from 1000000000 to 10",
    ),
    "shorter": (
        "intel.route.reported",
        lambda f, *_: f["legs"].update(maxItems=2),
        "/legs changed its greatest number of items from 64 to 2",
    ),
    "form changed": (
        "intel.route.reported",
        lambda f, *_: f["route_id"].update(pattern="^r"),
        "/route_id changed the form of its text",
    ),
    "no longer null": (
        "intel.route.reported",
        lambda f, *_: f.update(fee=f["fee"]["anyOf"][0] | {"default": None}),
        "/fee changed in whether it may be null",
    ),
    "default changed": (
        "intel.band.dismantled",
        lambda f, *_: f["countries"].update(default=["GTM"]),
        '/countries changed its default from [] to ["GTM"]',
    ),
    "inside a group": (
        "intel.route.reported",
        lambda f, *_: f["legs"]["items"]["properties"].pop("mode"),
        "/legs/*/mode was removed",
    ),
    "group grew": (
        "intel.route.reported",
        lambda f, *_: f["legs"]["items"]["properties"].update(colour={"type": "string", "default": ""}),
        "/legs/*/colour is new in a group",
    ),
    "derived now": (
        "intel.band.dismantled",
        lambda _, __, file: file.update(derived=["members_count"]),
        "may no longer carry members_count",
    ),
    "producer changed": (
        "intel.band.dismantled",
        lambda _, __, file: file.update(reported=False),
        "who produces it changed",
    ),
}


@pytest.mark.parametrize(("name", "change", "said"), BREAKS.values(), ids=BREAKS)
def test_a_break_is_told(name, change, said):
    found = changed(name, change)
    assert len(found) == 1, found
    assert said in found[0]
    assert found[0].startswith(f"crm.{name}.v1: ")


def test_a_type_that_is_gone_is_told(tmp_path):
    gone = released("intel.route.reported") | {"type": "crm.intel.route.forgotten.v1"}
    (tmp_path / "crm.intel.route.forgotten.v1.json").write_text(json.dumps(gone))
    assert evolution.broken(tmp_path) == [
        "crm.intel.route.forgotten.v1 was released and is gone: its events could no longer be read"
    ]


def test_an_envelope_that_changed_is_told(tmp_path):
    generic = json.loads((RELEASED / "generic.json").read_text())
    generic["report"]["properties"]["partitionkey"] = {"type": "string"}
    (tmp_path / "generic.json").write_text(json.dumps(generic))
    assert evolution.broken(tmp_path) == [
        "report: field /partitionkey was removed: reports that carry it would be refused"
    ]


def test_nothing_is_released_over_a_break(tmp_path):
    before = released("intel.route.reported")
    before["data"]["properties"]["colour"] = {"type": "string"}
    path = tmp_path / "crm.intel.route.reported.v1.json"
    path.write_text(json.dumps(before))
    with pytest.raises(ValueError, match="/colour was removed"):
        evolution.release(tmp_path)
    assert json.loads(path.read_text()) == before


def test_a_release_keeps_every_example_and_is_then_up_to_date(tmp_path):
    before = released("intel.route.reported")
    older = before["examples"][0] | {"route_id": "rt-1"}
    (tmp_path / "crm.intel.route.reported.v1.json").write_text(json.dumps(before | {"examples": [older]}))
    evolution.release(tmp_path)
    after = json.loads((tmp_path / "crm.intel.route.reported.v1.json").read_text())
    assert after["examples"] == [older, before["examples"][0]]
    assert evolution.unreleased(tmp_path) == []
    assert evolution.release(tmp_path) == []
