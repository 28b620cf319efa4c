"""What the domain does not allow, as its sender is told: where, a stable code, why, and never the value itself."""

from datetime import UTC, datetime

import msgspec
import pytest

from shared.contracts import Refused, registry
from shared.contracts.report import accepted
from shared.contracts.schema import example

NOW = datetime(2004, 3, 2, tzinfo=UTC)
MEMBER = "MEX"


def refused(name, country=None, **changed):
    """What a report is refused for; nothing when it is accepted."""
    agreed = registry()[f"crm.{name}.v1"]
    whole = example(agreed)
    whole["data"] = {field: value for field, value in (whole["data"] | changed).items() if value is not ...}
    country = country or whole["source"].split(":")[3]
    whole["source"] = f"urn:crm:country:{country}:test"
    try:
        accepted(f"crm.in.{country}.{name}", None, msgspec.json.encode(whole), NOW)
    except Refused as verdict:
        return list(verdict.problems)
    return []


def told(problems):
    return [(problem.pointer, problem.code) for problem in problems]


ISSUED = sorted(
    agreed.name
    for agreed in registry().values()
    if agreed.owner == "issuing" or (agreed.name.startswith("intel.entryrequirement.") and agreed.owner)
)


def test_the_types_that_only_the_issuing_country_sends():
    assert ISSUED == [
        "intel.document.delisted",
        "intel.document.listed",
        "intel.entryrequirement.changed",
        "intel.entryrequirement.declared",
        "intel.specimen.deposited",
        "intel.specimen.superseded",
        "intel.specimen.withdrawn",
    ]


@pytest.mark.parametrize("name", ISSUED)
def test_only_the_issuing_country_speaks_for_its_documents_and_rules(name):
    owner = registry()[f"crm.{name}.v1"].owner
    assert not refused(name)
    assert told(refused(name, country=MEMBER)) == [(f"/data/{owner}", "not_owner")]


def test_anyone_may_flag_anyones_document():
    assert not refused("intel.document.flagged", country=MEMBER)


@pytest.mark.parametrize("part", ["act", "means", "purpose"])
def test_trafficking_needs_its_three_parts_and_the_missing_one_is_named(part):
    (problem,) = refused("victims.victim.identified", **{part: []})
    assert (problem.pointer, problem.code) == (f"/data/{part}", f"missing_{part}")
    assert part in problem.message
    lacking = told(refused("victims.victim.identified", act=[], means=[], purpose=[]))
    assert lacking == [
        ("/data/act", "missing_act"),
        ("/data/means", "missing_means"),
        ("/data/purpose", "missing_purpose"),
    ]


def test_of_a_minor_no_means_are_asked():
    assert not refused("victims.victim.identified", means=[], age_band="minor")


def test_a_smuggled_migrant_is_no_offender():
    at = ("/data/smuggled_migrant", "smuggled_migrant_is_no_offender")
    assert told(refused("legal.person.detained", smuggled_migrant=True)) == [at]
    assert told(refused("legal.person.detained", smuggled_migrant=...)) == [("/data/smuggled_migrant", "missing_field")]


def test_a_resolved_case_says_whether_its_witnesses_were_cared_for():
    assert told(refused("legal.case.resolved", witness_care_documented=...)) == [
        ("/data/witness_care_documented", "missing_field")
    ]


@pytest.mark.parametrize("kind", ["birth_certificate", "residence_permit", "entry_stamp", "drivers_licence"])
def test_no_check_digits_where_there_is_no_machine_readable_zone(kind):
    found = refused("intel.document.flagged", doc_code=kind, mrz_check={"doc": False})
    assert told(found) == [("/data/mrz_check", "no_mrz")]
    assert not refused("intel.document.flagged", doc_code=kind)


@pytest.mark.parametrize("visa", ["V", "VB"])
def test_a_visa_has_no_composite_check_digit(visa):
    found = refused("intel.document.flagged", doc_code=visa, mrz_check={"doc": True, "composite": False})
    assert told(found) == [("/data/mrz_check/composite", "no_composite")]
    assert not refused("intel.document.flagged", doc_code=visa, mrz_check={"doc": True, "dob": True, "exp": False})


@pytest.mark.parametrize("right", [True, False, None])
def test_check_digits_prove_the_reading_and_not_the_document(right):
    digits = dict.fromkeys(("doc", "dob", "exp", "composite"), right)
    for kind in ("PP", "ID", "AC", "CR"):
        assert not refused("intel.document.flagged", doc_code=kind, mrz_check=digits)


@pytest.mark.parametrize(
    ("broad", "band"), [("0--8", "minor"), ("9--17", "minor"), ("18--20", "adult"), ("48+", "adult")]
)
def test_the_two_bands_of_an_age_agree(broad, band):
    assert not refused("victims.victim.registered", age_broad=broad, age_band=band)
    for other in {"minor", "adult", "unknown"} - {band}:
        (problem,) = refused("victims.victim.registered", age_broad=broad, age_band=other)
        assert (problem.pointer, problem.code, problem.suggestion) == ("/data/age_band", "age_mismatch", band)


def test_a_headcount_of_nobody_is_accepted_and_its_part_is_not_more():
    assert not refused("training.workforce.declared", headcount=0, technical_headcount=0)
    assert told(refused("training.workforce.declared", headcount=0, technical_headcount=1)) == [
        ("/data/technical_headcount", "more_than_headcount")
    ]


def test_next_of_kin_reach_to_the_second_degree_and_the_spouse():
    for relation in ("parent", "child", "grandparent", "grandchild", "spouse"):
        assert not refused("victims.victim.deceased", indirect_victims=[{"relation": relation}])
    found = refused("victims.victim.deceased", indirect_victims=[{"relation": "cousin"}])
    assert told(found) == [("/data/indirect_victims/0/relation", "unknown_value")]


def test_nothing_that_was_sent_is_quoted():
    sent = {"doc_code": "entry_stamp", "mrz_check": {"doc": False}, "bcp": "ZZ-SECRET-POST", "carrier": "ZZ-CARRIER"}
    (problem,) = refused("intel.document.flagged", **sent)
    said = f"{problem.message} {problem.suggestion}"
    assert not [value for value in ("ZZ-", "entry_stamp", "photo_substitution") if value in said]
