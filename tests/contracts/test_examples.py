"""Every contract's examples: the good decodes and round-trips, the bad is refused at its field."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from shared import contracts
from shared.contracts import Contract, Envelope, registry
from shared.contracts.reads import READS
from shared.contracts.schema import example, example_event, report_schema, validator
from shared.contracts.vocabulary import ICCS, MEMBERS, Offence

ALL = list(registry().values())
REPORTED = [agreed for agreed in ALL if agreed.reported]


def named(agreed: Contract) -> str:
    return agreed.type


def report(agreed, **changed):
    payload = example(agreed)
    data = {name: value for name, value in (payload["data"] | changed).items() if value is not ...}
    return payload | {"data": data}


def decoded(agreed, payload):
    return msgspec.json.decode(msgspec.json.encode(payload), type=Envelope[contracts.report_type(agreed)])


@pytest.mark.parametrize("agreed", REPORTED, ids=named)
def test_a_good_report_is_accepted_and_makes_sense(agreed):
    payload = example(agreed)
    envelope = decoded(agreed, payload)
    assert list(envelope.data.check()) == []
    assert list(validator(agreed).iter_errors(payload)) == []
    assert decoded(agreed, msgspec.to_builtins(envelope)) == envelope
    for derived in agreed.derived:
        assert getattr(envelope.data, derived) is None


@pytest.mark.parametrize("agreed", ALL, ids=named)
def test_a_good_event_decodes_and_round_trips(agreed):
    event = contracts.decode(msgspec.json.encode(example_event(agreed)))
    assert isinstance(event.data, agreed.data)
    assert event.name == agreed.name
    assert contracts.decode(msgspec.json.encode(event)) == event


@pytest.mark.parametrize("agreed", ALL, ids=named)
def test_a_reader_ignores_a_field_of_a_newer_version(agreed):
    event = example_event(agreed)
    newer = event | {"data": event["data"] | {"from_the_future": 1}, "future": True}
    assert contracts.decode(msgspec.json.encode(newer)) == contracts.decode(msgspec.json.encode(event))


@pytest.mark.parametrize("agreed", REPORTED, ids=named)
def test_a_bad_report_is_refused_at_its_field(agreed):
    field, value = agreed.bad
    payload = report(agreed, **{field: value})
    with pytest.raises(msgspec.ValidationError, match=rf"`?{field}`?"):
        decoded(agreed, payload)
    at = [("data", field), ("data",)] if value is ... else [("data", field)]
    errors = list(validator(agreed).iter_errors(payload))
    assert errors
    assert all(tuple(error.absolute_path)[:2] in at for error in errors)


@pytest.mark.parametrize("agreed", [agreed for agreed in ALL if not agreed.reported], ids=named)
def test_a_bad_derived_event_does_not_decode(agreed):
    field, value = agreed.bad
    event = example_event(agreed)
    event["data"] = {k: v for k, v in (dict(agreed.good) | {field: value}).items() if v is not ...}
    with pytest.raises(msgspec.ValidationError, match=rf"`?{field}`?"):
        contracts.decode(msgspec.json.encode(event))


@pytest.mark.parametrize("agreed", REPORTED, ids=named)
def test_a_report_with_an_unknown_field_is_refused(agreed):
    payload = report(agreed, family_name="x")
    with pytest.raises(msgspec.ValidationError):
        decoded(agreed, payload)
    assert not validator(agreed).is_valid(payload)


@pytest.mark.parametrize("agreed", ALL, ids=named)
def test_a_contract_says_what_it_names(agreed):
    fields = {field.name for field in msgspec.structs.fields(agreed.data)}
    assert agreed.doc
    assert {*agreed.derived, *filter(None, (agreed.owner, agreed.entity))} <= fields
    assert agreed.type == f"crm.{agreed.name}.v{agreed.version}"
    assert all(token.replace("_", "").isalpha() and token.islower() for token in agreed.name.split("."))
    assert agreed.service in contracts.SERVICES
    if agreed.reported:
        assert set(agreed.derived).isdisjoint(report_schema(agreed)["properties"]["data"]["properties"])


def texts(schema):
    """Every place in a schema where text may stand."""
    if isinstance(schema, dict):
        if schema.get("type") == "string":
            yield schema
        for inner in schema.values():
            yield from texts(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from texts(inner)


@pytest.mark.parametrize("agreed", REPORTED, ids=named)
def test_no_report_has_room_for_free_text(agreed):
    schema = report_schema(agreed)
    for text in texts([schema["properties"]["data"], schema["$defs"]]):
        assert "format" in text or not re.search(text["pattern"], "Maria Lopez")


def test_every_reported_entity_can_be_corrected_and_retracted():
    entities = {(agreed.service, agreed.entity_name) for agreed in REPORTED}
    for service, entity in entities:
        assert f"crm.{service}.{entity}.corrected.v1" in registry()
        assert f"crm.{service}.{entity}.retracted.v1" in registry()


def test_reads_name_types_of_other_services():
    for reader, names in READS.items():
        for name in names:
            assert f"crm.{name}.v1" in registry()
            assert not name.startswith(f"{reader}.")
    assert set(READS) == set(contracts.SERVICES)


def test_vocabularies_hang_together():
    assert len(set(MEMBERS)) == 11
    assert set(ICCS) < set(msgspec.json.schema(Offence)["enum"])


def test_the_example_of_the_design_is_valid_as_it_stands():
    text = """{"specversion":"1.0","id":"0193","source":"urn:crm:country:GTM:sicam",
     "type":"crm.intel.document.flagged.v1","time":"2004-03-01T10:00:00Z","subject":"doc-5f2",
     "datacontenttype":"application/json","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
     "data":{"doc_code":"PP","issuing":"HND","fraud_type":"photo_substitution","detected_by":"second_line",
     "reported_by":"immigration"}}"""
    agreed = registry()["crm.intel.document.flagged.v1"]
    assert list(decoded(agreed, json.loads(text)).data.check()) == []
    assert validator(agreed).is_valid(json.loads(text))


@pytest.mark.parametrize("path", sorted((Path(__file__).parent / "released").glob("crm.*.json")), ids=lambda p: p.stem)
def test_every_example_ever_published_decodes(path):
    released = json.loads(path.read_text())
    agreed = registry()[released["type"]]
    for good in released["examples"]:
        event = example_event(agreed) | {"data": good}
        assert isinstance(contracts.decode(msgspec.json.encode(event)).data, agreed.data)
        if released["reported"]:
            decoded(agreed, example(agreed) | {"data": good})
