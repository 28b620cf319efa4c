"""The generated documents: valid, complete, and of one mind with the decoder."""

import functools
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared import contracts
from shared.contracts import Envelope, registry
from shared.contracts.asyncapi import asyncapi
from shared.contracts.door import cut, within
from shared.contracts.refusal import halved
from shared.contracts.report import envelope_type
from shared.contracts.schema import event_schema, example, example_event, report_schema, validator

ALL = list(registry().values())
REPORTED = [agreed for agreed in ALL if agreed.reported]


@pytest.mark.parametrize("agreed", ALL, ids=lambda agreed: agreed.type)
def test_schemas_are_valid_and_accept_their_examples(agreed):
    Draft202012Validator.check_schema(event_schema(agreed))
    assert Draft202012Validator(event_schema(agreed)).is_valid(example_event(agreed))
    if agreed.reported:
        Draft202012Validator.check_schema(report_schema(agreed))
        assert Draft202012Validator(report_schema(agreed)).is_valid(example(agreed))


def test_a_schema_says_what_it_describes():
    schema = report_schema(registry()["crm.intel.document.flagged.v1"])
    assert schema["$id"] == "urn:crm:schema:crm.intel.document.flagged.v1:report"
    assert schema["properties"]["type"] == {"const": "crm.intel.document.flagged.v1"}
    data = schema["properties"]["data"]
    assert data["additionalProperties"] is False
    assert "number itself never travels" in data["properties"]["doc_ref"]["description"]


def test_a_schema_says_who_may_send():
    assert "Only the country named in issuing" in described("intel.specimen.deposited")
    assert "Only these may report it: ppt, st." in described("indicators.plan.approved")
    assert "Only" not in described("intel.document.flagged")


def described(name):
    return report_schema(registry()[f"crm.{name}.v1"])["description"]


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 5),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1.0, 4.0, 1e9, 10**30, "", " ", "GTM\n", "gtm", "PP\n", "tip ", "\u0661", "\ufeffGTM", "REG"]),
    st.sampled_from(["2004-03-01T10:00:00Z", "2004-03-01T10:00:00", "2004-03-01 10:00:00Z", "2004-03-01t10:00:00z"]),
    st.sampled_from(["2004-03-01T24:00:00Z", "2004-03-01T23:59:60Z", "2004-02-30", "2004-2-3", "0000-01-01"]),
    st.sampled_from(["2004-03-01T10:00:00-06:00", "2004-03-01T10:00:00+0600", "2004-03-01T10:00:00.123456789Z"]),
    st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9999999-06:00", "2200-12-31T23:59:59-14:00"]),
    st.sampled_from(["1899-12-31", "1900-01-01", "2200-12-31", "2201-01-01", "9999-12-31", "1999-12-31T23:59:59Z"]),
    st.sampled_from(
        ["Maria.Lopez", "maria-lopez-85", "50255512345", "2024-000123", "x\u0000", "\ud800", "2004-03-01\ud800"]
    ),
    st.sampled_from(["urn:crm:vault:GTM:of-1", "urn:crm:vault:GTM:Maria.Lopez", "urn:x:y", "word", "t5025551234"]),
    st.text(max_size=70),
    st.lists(st.sampled_from(["GTM", "MEX", "tip", "shelter", 1, None]), max_size=3),
    st.builds(list),
    st.builds(dict),
    st.dictionaries(st.sampled_from(["from", "to", "law_id", "reason", "x"]), st.just("GTM"), max_size=2),
)


def places(value, at=()):
    """Yield the path of every value inside a JSON value."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*at, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*at, key))


def changed(draw, agreed):
    payload = json.loads(json.dumps(example(agreed)))
    known = list(report_schema(agreed)["properties"]["data"]["properties"])
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from([*(p for p in places(payload) if p != ("type",)), *(("data", k) for k in known)]))
        holder = payload
        for step in path[:-1]:
            if not isinstance(holder, dict | list) or (isinstance(holder, list) and step >= len(holder)):
                break
            holder = holder[step] if isinstance(holder, list) else holder.get(step, {})
        if isinstance(holder, dict):
            action = draw(st.sampled_from(["set", "drop", "add"]))
            if action == "drop":
                holder.pop(path[-1], None)
            else:
                holder[path[-1] if action == "set" else "surname"] = draw(ODD)
        elif isinstance(holder, list) and holder:
            holder[0] = draw(ODD)
    return payload


@settings(max_examples=1000, deadline=None)
@given(st.data())
def test_the_schema_accepts_what_the_decoder_accepts_and_nothing_else(data):
    agreed = data.draw(st.sampled_from(REPORTED))
    payload = changed(data.draw, agreed)
    whole = envelope_type(agreed)
    try:
        accepted = within(whole)(msgspec.json.decode(cut(json.dumps(payload).encode(), whole), type=whole))
    except (msgspec.MsgspecError, UnicodeEncodeError):
        accepted = False
    whole_characters = not halved(payload)  # told before any schema is asked
    assert (validator(agreed).is_valid(payload) and whole_characters) is accepted


@pytest.mark.parametrize(
    "value", ["9999-12-31T23:59:59.9999999-06:00", "2004-12-31T23:59:59.9999999Z", "2004-03-01T10:00:00.123456789Z"]
)
def test_a_long_fraction_is_cut_by_both(value):
    agreed = registry()["crm.intel.document.flagged.v1"]
    payload = example(agreed) | {"time": value}
    whole = envelope_type(agreed)
    assert within(whole)(msgspec.json.decode(cut(json.dumps(payload).encode(), whole), type=whole))
    assert validator(agreed).is_valid(payload)


@pytest.mark.parametrize("value", [1.0, 2.0])
def test_a_whole_number_with_a_point_is_refused_by_both(value):
    agreed = registry()["crm.intel.document.confirmed.v1"]
    payload = example(agreed)
    payload["data"]["forensic_level"] = value
    assert not validator(agreed).is_valid(payload)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(payload), type=Envelope[contracts.report_type(agreed)])


def refs(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from refs(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from refs(inner)


def resolved(document, reference):
    node = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def test_the_asyncapi_document_is_whole():
    whole = document()
    assert whole["asyncapi"] == "3.0.0"
    for reference in set(refs(whole)):
        resolved(whole, reference)
    for agreed in REPORTED:
        channel = whole["channels"][f"report.{agreed.name}"]
        assert channel["address"] == f"report.{agreed.name}"
        assert agreed.type in channel["messages"]
        assert whole["operations"][f"report.{agreed.name}"]["action"] == "send"
    assert set(whole["channels"]["mailbox"]["messages"]) == set(registry())
    json.dumps(whole, allow_nan=False)


@pytest.mark.parametrize("agreed", REPORTED, ids=lambda agreed: agreed.type)
def test_the_asyncapi_payload_accepts_the_example(agreed):
    whole = document() | document()["components"]["schemas"][f"{agreed.type}.report"]
    assert Draft202012Validator(whole).is_valid(example(agreed))


@functools.cache
def document():
    return asyncapi()


def test_no_group_has_the_name_of_another_or_of_a_vocabulary():
    names = {}
    for agreed in ALL:
        for name, schema in event_schema(agreed)["$defs"].items():
            assert names.setdefault(name, schema) == schema
            assert "enum" not in document()["components"]["schemas"][name]
