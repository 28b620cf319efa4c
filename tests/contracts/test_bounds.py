"""The bounds of a report's values: what lies outside is refused with the field named, and the schema says the same."""

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import Refused, questions, registry
from shared.contracts.bounds import PERSONAL, PSEUDONYM
from shared.contracts.report import accepted
from shared.contracts.schema import bound_schema, example, report_schema
from tests.harness.door import NOW, judged, refusal

FLAG = "intel.document.flagged"
ZERO_TIMES = ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00+14:00", "1900-01-01T00:00:00Z"]


@pytest.mark.parametrize("time", [*ZERO_TIMES, "1970-01-01T00:00:00Z", "1999-12-31T23:59:59Z"])
def test_a_report_is_not_older_than_what_the_plan_counts(time):
    assert refusal(FLAG, envelope={"time": time}) == [("/time", "out_of_range")]


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "2201-01-01T00:00:00Z"])
def test_nor_is_it_of_a_year_that_nobody_means(time):
    assert refusal(FLAG, envelope={"time": time}) == [("/time", "in_future")]
    assert refusal(FLAG, envelope={"expirytime": time}) == [("/expirytime", "out_of_range")]


def test_it_may_lie_a_day_ahead():
    assert judged(FLAG, envelope={"time": "2024-03-02T23:59:59Z"}).data
    assert refusal(FLAG, envelope={"time": "2024-03-03T00:00:01Z"}) == [("/time", "in_future")]
    assert judged(FLAG, envelope={"time": "2000-12-12T00:00:00Z"}).data


@pytest.mark.parametrize("never", ["9999-12-31T23:59:59-06:00", "2201-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("intel.information.requested", "due"),
        ("victims.service.provided", "started"),
        ("victims.service.ended", "ended"),
        ("intel.operation.executed", "started"),
        ("intel.location.reported", "ack_by"),
    ],
)
def test_a_time_in_the_data_has_bounds(name, field, never):
    assert (f"/data/{field}", "out_of_range") in refusal(name, **{field: never})


@pytest.mark.parametrize("never", ["9999-12-31", "2201-01-01", "0001-01-01", "1899-12-31"])
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("legal.law.amended", "effective_from"),
        ("training.officer.certified", "valid_until"),
        ("victims.consent.recorded", "valid_until"),
        ("intel.meeting.held", "date"),
        ("intel.controlstat.reported", "until"),
    ],
)
def test_a_date_in_the_data_has_bounds(name, field, never):
    assert (f"/data/{field}", "out_of_range") in refusal(name, **{field: never})


def test_far_ahead_is_taken_as_far_ahead():
    assert judged("victims.consent.recorded", valid_until="2200-12-31").data
    assert refusal("victims.consent.recorded", valid_until="soon") == [("/data/valid_until", "bad_format")]


PLAIN = [
    *("stat", "vi-BR", "tr-GBD", "doc-CHN", "doc-aaa", "GTM-TIP", "c-1", "2024-001", "crm-2003", "GTM-law-c02", "of-7"),
    *("c1516-a_ratified_action_withdrawal", "MEX:op-1", "GTM:2024-000123", "sicam-2004-000123", "2024-000123"),
    *("1234567", "GTM-TECUN-UMAN", "GTM-penal-code-202", "crm-school", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "IE-5.1.1"),
    *("550e8400-e29b-41d4-a716-446655440000", "V1StGXR8-Z5jdHi6B-myT", "5f" * 32, "202-ter"),
]
NAMED = [
    *(
        "Maria.Lopez",
        "Maria-Lopez-85",
        "maria.lopez",
        "maria-lopez-85",
        "maria.lopez.1985",
        "MariaLopez",
        "MariaLopez85",
    ),
    *("Maria.de.Lopez", "maria-de-lopez", "vi-Maria-Lopez", "vi-maria-lopez", "GTM:Maria:Lopez", "MARIA-LOPEZ"),
    *("50255512345", "5025551234", "502-5551-2345", "502.5551.2345", "tel-50255512345", "GTM:50255512345"),
]


@pytest.mark.parametrize("name", PLAIN)
def test_an_identifier_says_nothing_of_a_person(name):
    found = refusal(FLAG, envelope={"subject": name, "id": name, "correlationid": name}, doc_ref=name, bcp=name)
    # What begins with a country's code and a colon is that country's own (see test_owned).
    assert {code for _, code in found} <= ({"not_owner"} if ":" in name else set())


@pytest.mark.parametrize("name", NAMED)
def test_a_name_or_a_telephone_number_is_no_identifier(name):
    everywhere = {"subject": name, "id": name, "correlationid": name, "causationid": name}
    found = refusal(FLAG, envelope=everywhere, doc_ref=name, bcp=name)
    assert found == sorted(
        (at, "not_pseudonymous") for at in [*(f"/{one}" for one in everywhere), "/data/bcp", "/data/doc_ref"]
    )


@given(st.from_regex(r"([A-Za-z][a-z]{0,6}|[A-Z]{1,6}|[0-9]{1,5}|[._:-]){1,6}", fullmatch=True).filter(str.isascii))
def test_the_quick_look_misses_nobody(said):
    refused = any(re.search(form, said) and not (unless and re.search(unless, said)) for form, unless in PERSONAL)
    assert PSEUDONYM.holds(said) is not refused


@pytest.mark.parametrize(
    ("name", "field", "most"),
    [
        ("training.course.scheduled", "hours", 10_000),
        ("victims.programme.left", "months", 1_800),
        ("victims.occupation.assessed", "months_since_return", 1_800),
        ("legal.law.amended", "penalty_max_months", 1_800),
    ],
)
def test_a_span_is_not_longer_than_anybody_means(name, field, most):
    assert getattr(judged(name, **{field: most}).data, field) == most
    assert refusal(name, **{field: most + 1}) == [(f"/data/{field}", "out_of_range")]


@pytest.mark.parametrize("currency", ["USD", "GTQ", "SVC", "ECS", "XCD", "XDR"])
def test_money_is_what_a_state_has_used_since_the_plans_first_day(currency):
    given = {"amount": 5, "currency": currency}
    assert judged("training.resource.pledged", kind="money", value=given).data.value.currency == currency


@pytest.mark.parametrize("currency", ["XXX", "XTS", "ZZZ", "XAU", "USN", "DDM", "usd"])
def test_what_is_nobodys_money_is_refused(currency):
    given = {"amount": 5, "currency": currency}
    assert ("/data/value/currency", "unknown_value") in refusal("training.resource.pledged", kind="money", value=given)


def test_inside_groups_and_lists_too():
    aligned = [{"law_id": "law-1"}, {"law_id": "Maria.Lopez"}]
    assert refusal("training.officer.certified", aligned_to=aligned) == [
        ("/data/aligned_to/1/law_id", "not_pseudonymous")
    ]
    assert refusal("legal.proceeding.opened", detention_ids=["det-1", "50255512345"]) == [
        ("/data/detention_ids/1", "not_pseudonymous")
    ]
    obligation = {"instrument": "TIP", "article": "Maria.Lopez"}
    assert refusal("legal.provision.mapped", obligation=obligation) == [
        ("/data/obligation/article", "not_pseudonymous")
    ]


def test_a_word_is_no_telephone_number():
    assert refusal("intel.document.flagged", fraud_type="t50255512345") == [("/data/fraud_type", "not_pseudonymous")]
    assert refusal("legal.witness.protected", measures=["tel_502_5551_2345"]) == [
        ("/data/measures/0", "not_pseudonymous")
    ]


def test_a_claim_check_names_a_vault_of_the_sender():
    name, field = "intel.contactpoint.designated", "officer_ref"
    at = f"/data/{field}"
    assert refusal(name, officer_ref="urn:crm:vault:MEX:officer-3") == [(at, "country_mismatch")]
    assert refusal(name, officer_ref="urn:crm:vault:ESP:officer-3") == [(at, "bad_format")]
    assert refusal(name, officer_ref="urn:other:officer-3") == [(at, "bad_format")]
    assert refusal(name, officer_ref="urn:crm:vault:GTM:Maria.Lopez") == [(at, "not_pseudonymous")]
    assert refusal(name, officer_ref="urn:crm:vault:GTM:50255512345") == [(at, "not_pseudonymous")]
    assert judged(name, officer_ref="urn:crm:vault:GTM:a/officer-3").data


def test_tracestate_is_taken_and_not_carried_on():
    event = judged(FLAG, envelope={"tracestate": "vendor=Maria Lopez +502 5551 2345", "dataschema": "/contracts/x"})
    assert event.tracestate == ""
    assert b"Lopez" not in msgspec.json.encode(event)


UNFIT = ["\u0000", "\u0001", "\n", "\u007f", "\u0085", "\u202e", "\ufeff"]


@pytest.mark.parametrize("odd", [*UNFIT, "\\ud800", "\\udfff\\ud800", "\\u0000"])
@pytest.mark.parametrize("at", ["id", "subject", "time", "source", "type", "tracestate", "dataschema", "causationid"])
def test_no_control_character_and_no_half_of_a_pair(at, odd):
    whole = example(registry()[f"crm.{FLAG}.v1"])
    said = str(whole.get(at) or "x1")
    text = msgspec.json.encode(whole | {at: f"{said}ODD"}).decode().replace("ODD", odd)
    with pytest.raises(Refused) as verdict:
        accepted(f"crm.in.GTM.{FLAG}", None, text.encode(), NOW)
    assert {problem.pointer for problem in verdict.value.problems} <= {f"/{at}", ""}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2003-12-31T23:59:59.9999999Z", "2003-12-31T23:59:59.999999Z"),
        ("2003-12-31T23:59:59.999999999Z", "2003-12-31T23:59:59.999999Z"),
        ("2003-12-31T23:59:59.9999999-06:00", "2003-12-31T23:59:59.999999-06:00"),
        ("2003-12-31t23:59:59.9999999z", "2003-12-31T23:59:59.999999Z"),
        ("2003-12-31T23:59:59.123456Z", "2003-12-31T23:59:59.123456Z"),
    ],
)
def test_a_fraction_is_cut_and_not_rounded(sent, kept):
    event = judged(FLAG, envelope={"time": sent})
    assert msgspec.json.decode(msgspec.json.encode(event))["time"] == kept
    served = judged("victims.service.provided", started=sent)
    assert msgspec.json.decode(msgspec.json.encode(served))["data"]["started"] == kept


def test_an_identifier_that_looks_like_a_time_stays_whole():
    odd = "2003-12-31T23:59:59.9999999Z"
    assert judged(FLAG, envelope={"id": odd, "subject": odd, "time": odd}).id == odd


@pytest.mark.parametrize("agreed", [one for one in registry().values() if one.reported], ids=lambda one: one.type)
def test_every_published_example_is_taken(agreed):
    assert judged(agreed.name, version=agreed.version).type == agreed.type


@pytest.mark.parametrize("odd", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "2003-06-01T00:00:00\\ud800Z"])
def test_questions_have_bounds_too(odd):
    asked = questions.read(questions.of("intel", "mailbox"), b'{"since": "%s"}' % odd.encode())
    assert [problem.pointer for problem in asked.problems] == ["/since"]
    for name in NAMED:
        asked = questions.read(
            questions.of("intel", "document"), b'{"issuing": "HND", "doc_ref": "%s"}' % name.encode()
        )
        assert [(one.pointer, one.code) for one in asked.problems] == [("/doc_ref", "not_pseudonymous")]


def test_a_question_may_be_about_any_issuers_document_and_its_time_is_cut():
    asked = questions.read(questions.of("intel", "document"), b'{"issuing": "ESP", "doc_ref": "doc-1"}')
    assert asked.issuing == "ESP"
    asked = questions.read(questions.of("intel", "mailbox"), b'{"since": "2003-12-31T23:59:59.9999999Z"}')
    assert asked.since.year == 2003


def unbounded(schema, parts, at=""):
    """The places of a schema whose values have no bound: texts, numbers, lists, objects."""
    if "$ref" in schema:
        schema = parts[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema or "const" in schema or schema.get("type") in ("boolean", "null"):
        return
    inner = {f"{at}/{name}": one for name, one in schema.get("properties", {}).items()}
    inner |= {f"{at}/*": schema["items"]} if "items" in schema else {}
    for where, one in [*inner.items(), *((at, one) for one in schema.get("anyOf", ()))]:
        yield from unbounded(one, parts, where)
    if "anyOf" not in schema and not BOUNDED.get(schema.get("type"), lambda _: False)(schema):
        yield at


def ends(text):
    """Whether a text has a form and an end: a length, a date's format, or a form in which nothing repeats for ever."""
    dated = text.get("format") in ("date", "date-time")
    form = text.get("pattern", "")
    return bool(form) and (dated or "maxLength" in text or not re.search(r"[*+]|,\}", form))


BOUNDED = {
    "string": ends,
    "integer": lambda number: {"minimum", "maximum"} <= number.keys(),
    "number": lambda number: {"minimum", "maximum"} <= number.keys(),
    "array": lambda many: "maxItems" in many,
    "object": lambda group: group.get("additionalProperties") is False,
}
FREE = {"/data/data"}
"""Of a correction: held to the schema of the corrected type when it is judged."""


@pytest.mark.parametrize("agreed", [one for one in registry().values() if one.reported], ids=lambda one: one.type)
def test_nothing_in_a_report_is_without_bounds(agreed):
    schema = report_schema(agreed)
    assert set(unbounded(schema, schema["$defs"])) <= (FREE if agreed.verb == "corrected" else set())


@pytest.mark.parametrize("asked", dict.fromkeys(questions.every().values()), ids=lambda one: one.name)
def test_nothing_in_a_question_is_without_bounds(asked):
    schema = bound_schema(asked.ask)
    assert not set(unbounded(schema, schema["$defs"]))


def test_the_check_of_bounds_can_fail():
    loose = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}}},
    }
    assert set(unbounded(loose, {})) == {"", "/a", "/b", "/b/*"}
