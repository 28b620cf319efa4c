"""The forms that a report may come in: media types, CloudEvents' binary mode, and schemas that other tools read."""

import json
from urllib.parse import quote

import msgspec
import pytest
import re2

from shared.contracts import Refused, questions, registry
from shared.contracts.asyncapi import asyncapi
from shared.contracts.report import accepted, report_id
from shared.contracts.schema import event_schema, example, portable, report_schema
from tests.harness.door import NOW, judged, refusal

FLAG = "intel.document.flagged"
JSON = [
    *("application/json", "APPLICATION/JSON", "Application/Json", "application/json; charset=utf-8"),
    *("application/json;charset=UTF-8", 'application/json; charset="utf-8"', "application/json ; Charset=utf-8"),
    *(
        "application/json; odata.metadata=minimal; charset=utf-8",
        'application/json;v=1;profile="https://example.org/x"',
    ),
]
OTHER = [
    *("text/plain", "application/xml", "application/json; charset=iso-8859-1", "application/json;charset=utf-16", ""),
    *("application/json; charset", "application/jsonx", "application/json; charset=latin1; charset=utf-8"),
    *("application/json\n", "application/json; x=\u00e1", "application/json; x=\u0000", "application/json;" + "x" * 90),
]


@pytest.mark.parametrize("kind", JSON)
def test_json_is_json_however_it_is_said(kind):
    assert judged(FLAG, envelope={"datacontenttype": kind}).datacontenttype == "application/json"
    assert judged(FLAG, envelope={"datacontenttype": ...}).datacontenttype == "application/json"
    assert accepted(*binary(**{"Content-Type": kind}), NOW).datacontenttype == "application/json"


def test_a_refused_report_that_names_itself_twice_is_no_other_report():
    """Which of both it is nobody knows: a good report of that id would be told as refused."""
    assert report_id(b'{"id": "a-1", "x": {"id": "b-1"}, "id": "c-1"}') is None
    assert report_id(b'{"id": "a-1", "\\u0069d": "a-1"}') is None
    assert report_id(b'{"id": "a-1", "data": {"x": 1, "x": 1}, "y": [{"id": "b-1", "id": "c-1"}]}') == "a-1"


@pytest.mark.parametrize("kind", OTHER)
def test_what_is_no_json_in_utf8_is_refused(kind):
    assert {at for at, _ in refusal(FLAG, envelope={"datacontenttype": kind})} == {"/datacontenttype"}
    assert {at for at, _ in refused(**{"content-type": kind})} == {"/datacontenttype"}


def binary(payload=None, name=FLAG, **headers) -> tuple[str, dict[str, str], bytes]:
    """The published example in binary mode: subject, headers, payload. `None` takes a header away."""
    whole = example(registry()[f"crm.{name}.v1"])
    data = whole.pop("data")
    whole.pop("datacontenttype")
    told = {f"ce-{key}": value for key, value in whole.items()} | {"Nats-Msg-Id": "x"} | headers
    told = {key: value for key, value in told.items() if value is not None}
    return f"crm.in.GTM.{name}", told, msgspec.json.encode(data) if payload is None else payload


def refused(payload=None, **headers):
    with pytest.raises(Refused) as verdict:
        accepted(*binary(payload, **headers), NOW)
    return [(problem.pointer, problem.code) for problem in verdict.value.problems]


def test_binary_mode_says_the_same():
    assert accepted(*binary(), NOW) == judged(FLAG)
    upper = {key.upper(): value for key, value in binary()[1].items()}
    assert accepted(binary()[0], upper, binary()[2], NOW) == judged(FLAG)


def test_header_values_are_percent_encoded():
    _, headers, payload = binary()
    encoded = {key: quote(value, safe="") if key.startswith("ce-") else value for key, value in headers.items()}
    assert accepted(f"crm.in.GTM.{FLAG}", encoded, payload, NOW) == judged(FLAG)
    assert accepted(*binary(**{"ce-subject": '"doc-1"'}), NOW).subject == "doc-1"


BAD = [
    b'{"doc_code": "PPX"}',
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"a": 1}, "tracestate": "x"',
    b'{"doc_code": "\\ud800"}',
    b"\xff",
    b"[" * 5000,
]


@pytest.mark.parametrize("payload", BAD)
def test_the_refusal_of_a_binary_report_names_it(payload):
    found = refused(payload)
    assert all(at.startswith("/data") for at, _ in found), found
    _, headers, _ = binary()
    assert report_id(payload, headers) == headers["ce-id"]


@pytest.mark.parametrize("own", ["Maria.Lopez", "x" * 65, "%00", "%FF", "%ED%A0%80", "a b", ""])
def test_an_id_that_is_none_is_not_told(own):
    assert refused(**{"ce-id": own})[0][0] == "/id"
    assert report_id(*reversed(binary(**{"ce-id": own})[1:])) is None


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"ce-id": None}, [("/id", "missing_field")]),
        ({"ce-data": "{}"}, [("", "duplicate_key")]),
        ({"CE-ID": "another"}, [("", "duplicate_key")]),
        ({"ce-surname": "Lopez"}, [("", "unknown_field")]),
        ({"ce-time": "0001-01-01T00:00:00%2B14:00"}, [("/time", "out_of_range")]),
        ({"ce-time": "2004-03-01T10:00:00\ud800Z"}, [("/time", "bad_format")]),
        ({"ce-subject": "x" * 5000}, [("/subject", "bad_length")]),
        ({"ce-tracestate": "%E2%80%AE"}, [("/tracestate", "bad_format")]),
    ],
)
def test_headers_are_held_to_the_same_bounds(headers, found):
    assert refused(**headers) == found


def test_a_fraction_in_a_header_is_cut():
    event = accepted(*binary(**{"ce-time": "2003-12-31T23:59:59.9999999Z"}), NOW)
    assert msgspec.json.decode(msgspec.json.encode(event))["time"] == "2003-12-31T23:59:59.999999Z"


def patterns(node):
    if isinstance(node, dict):
        for key, inner in node.items():
            if key == "pattern" and isinstance(inner, str):
                yield inner
            else:
                yield from patterns(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from patterns(inner)


def published():
    yield asyncapi()
    for agreed in registry().values():
        yield event_schema(agreed)
        if agreed.reported:
            yield report_schema(agreed)
    for asked in questions.every().values():
        yield portable(msgspec.json.schema(asked.answer))


def test_re2_reads_every_published_pattern_and_agrees():
    found = {pattern for document in published() for pattern in patterns(json.loads(json.dumps(document)))}
    assert len(found) > 15
    for pattern in sorted(found):
        assert re2.compile(pattern).search("\n") is None, pattern
        assert "(?" not in pattern
