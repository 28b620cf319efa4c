"""Whose each identifier is: every contract says so, and the door holds reports to it."""

from datetime import UTC, datetime

import msgspec
import pytest

from shared.contracts import EventId, Ref, Refused, identity, registry
from shared.contracts.report import accepted
from shared.contracts.schema import example
from shared.contracts.vocabulary import MEMBERS

NOW = datetime(2004, 3, 1, 12, tzinfo=UTC)
REPORTED = [agreed for agreed in registry().values() if agreed.reported]


def paths(agreed):
    return [path for path, _ in identity.fields(agreed.data, lambda one: one in (Ref, EventId))]


@pytest.mark.parametrize("agreed", registry().values(), ids=lambda agreed: agreed.name)
def test_every_field_with_an_identifier_says_whose_it_is(agreed):
    assert [path for path in paths(agreed) if path not in agreed.ids] == []
    for scope in agreed.ids.values():
        assert identity.meaning(scope)
        named = scope.partition(":")[2]
        assert not named or named in agreed.data.__struct_fields__


def test_every_saying_is_of_a_field_that_there_is():
    known = {(agreed.name, path) for agreed in registry().values() for path in paths(agreed)}
    assert {last for _, path in known for last in [path.rpartition(".")[2]]} >= set(identity.WHOSE)
    assert {(name, path) for name, said in identity.EXCEPT.items() for path in said} <= known


def sent(agreed, country, field, value):
    """The event that the contract's example becomes when its owner sends it with `value` in a field."""
    report = example(agreed)
    wire = {one.name: one.encode_name for one in msgspec.structs.fields(agreed.data)}
    report["source"] = f"urn:crm:country:{country}:test"
    if agreed.owner:
        report["data"][wire[agreed.owner]] = country
    for other in {"sender", "to"} & set(wire) - {agreed.owner}:
        if report["data"].get(wire[other]) in MEMBERS:
            report["data"][wire[other]] = "PAN"
    was = report["data"].get(wire[field])
    report["data"][wire[field]] = [value] if isinstance(was, list) else value
    if agreed.entity == field:
        report["subject"] = value
    return accepted(f"crm.in.{country}.{agreed.name}", None, msgspec.json.encode(report), NOW)


def fields_with(*scopes):
    return [
        pytest.param(agreed, field, id=f"{agreed.name}:{field}")
        for agreed in REPORTED
        if not agreed.generic
        for field, scope in agreed.ids.items()
        if scope in scopes and "." not in field
    ]


@pytest.mark.parametrize(("agreed", "field"), fields_with(identity.OWN, identity.SHARED))
def test_ones_own_is_the_same_with_and_without_its_owner(agreed, field):
    plain, named = sent(agreed, "GTM", field, "x-1"), sent(agreed, "GTM", field, "GTM:x-1")
    assert (named.data, named.subject) == (plain.data, plain.subject)


@pytest.mark.parametrize(("agreed", "field"), fields_with(identity.OWN))
def test_anothers_is_refused_where_only_ones_own_makes_sense(agreed, field):
    with pytest.raises(Refused) as refusal:
        sent(agreed, "GTM", field, "HND:x-1")
    assert [one.code for one in refusal.value.problems] == ["not_owner"]
    assert "x-1" not in str(refusal.value.problems)


@pytest.mark.parametrize(("agreed", "field"), fields_with(identity.OWN, identity.SHARED))
@pytest.mark.parametrize("value", ["GTM:HND:x-1", "GTM:GTM:x-1", "GTM:HND:MEX:x-1"])
def test_an_identifier_has_one_owner(agreed, field, value):
    """Its own taken away, what is left would be the identifier of another."""
    with pytest.raises(Refused) as refusal:
        sent(agreed, "GTM", field, value)
    assert {one.code for one in refusal.value.problems} == {"not_owner"}


@pytest.mark.parametrize("named", ["GTM:doc-1", "MEX:doc-1", "HND:GTM:doc-1"])
def test_the_subject_alone_is_held_to_the_same(named):
    report = example(registry()["crm.intel.document.flagged.v1"])
    report["source"], report["subject"] = "urn:crm:country:GTM:x", named
    report["data"] |= {"issuing": "HND"}
    report["data"].pop("doc_ref", None)
    with pytest.raises(Refused) as refusal:
        accepted("crm.in.GTM.intel.document.flagged", None, msgspec.json.encode(report), NOW)
    assert [(one.pointer, one.code) for one in refusal.value.problems] == [("/subject", "not_owner")]


@pytest.mark.parametrize(("agreed", "field"), fields_with(identity.SHARED, identity.GIVEN))
def test_anothers_is_taken_with_its_owner_where_it_may_stand(agreed, field):
    event = sent(agreed, "GTM", field, "HND:x-1")
    value = getattr(event.data, field)
    assert value in ("HND:x-1", ("HND:x-1",))


def test_what_is_no_members_code_is_a_part_of_the_identifier():
    assert identity.parted("ESP:x") == ("", "ESP:x")
    assert identity.parted("GTM:") == ("", "GTM:")
    assert identity.parted("GTM:HND:x") == ("GTM", "HND:x")
    assert set(identity.keys("x")) == {*(f"{one}:x" for one in MEMBERS), "x"}


def test_a_documents_identifier_is_its_issuers_whoever_found_it():
    report = example(registry()["crm.intel.document.flagged.v1"])
    report["source"], report["data"]["issuing"] = "urn:crm:country:GTM:x", "HND"
    for named, taken in (("doc-1", "doc-1"), ("HND:doc-1", "doc-1")):
        report["data"]["doc_ref"] = report["subject"] = named
        event = accepted("crm.in.GTM.intel.document.flagged", None, msgspec.json.encode(report), NOW)
        assert event.data.doc_ref == taken
    report["data"]["doc_ref"] = report["subject"] = "GTM:doc-1"
    with pytest.raises(Refused) as refusal:
        accepted("crm.in.GTM.intel.document.flagged", None, msgspec.json.encode(report), NOW)
    assert [one.code for one in refusal.value.problems] == ["not_owner"]
