"""Whatever bytes come as a report or a question, they are one, or there is a bounded answer why not; and soon."""

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import contracts
from shared.contracts import Event, Refused, questions
from shared.contracts.refusal import PROBLEMS_MAX
from shared.contracts.report import accepted, said
from shared.contracts.schema import example

NOW = datetime(2004, 3, 2, tzinfo=UTC)
FLAGGED = "intel.document.flagged"
TYPES = sorted(one.name for one in contracts.registry().values() if one.reported)
QUESTIONS = list(questions.every().values())
ASKED_S = 5.0
"""Wide, for a machine with ten times as much to do; on an idle one the slowest takes some 50 ms."""

some = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
words = st.text() | st.sampled_from(
    ["", "\x00", "\ud800", "GTM", "REG", "9999-12-31", "0001-01-01T00:00:00+14:00", "2004-02-30", "a" * 5_000]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**53, 2**63, 10**30, 10**400, -(10**30)])
    | st.floats(allow_nan=False, allow_infinity=False)
    | words
)
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(words, inner, max_size=5), max_leaves=20
)


def judged(payload, name=FLAGGED, headers=None):
    """What becomes of a report: its event, or a bounded refusal; anything else is raised."""
    try:
        event = accepted(f"crm.in.GTM.{name}", headers, payload, NOW)
    except Refused as refused:
        verdict = refused
    else:
        said(headers, payload, event)
        return event
    assert 1 <= len(verdict.problems) <= PROBLEMS_MAX + 1
    assert all(one.code and one.message and len(one.pointer) < 500 for one in verdict.problems)
    return verdict


def asked(agreed, payload):
    answer = questions.read(agreed, payload)
    if isinstance(answer, questions.Error):
        assert answer.code == "invalid"
        assert 1 <= len(answer.problems) <= PROBLEMS_MAX
    return answer


@some
@given(st.binary(max_size=300), st.none() | st.dictionaries(st.sampled_from(["ce-specversion", "ce-id"]), words))
def test_any_bytes(payload, headers):
    judged(payload, headers=headers)
    asked(QUESTIONS[0], payload)


@some
@given(anything, st.sampled_from(TYPES), st.sampled_from(QUESTIONS))
def test_any_json(value, name, agreed):
    payload = json.dumps(value).encode()
    judged(payload, name)
    asked(agreed, payload)


@st.composite
def spoiled(draw, value):
    """The value with some of its parts replaced by anything, taken away, put twice, or long."""
    if isinstance(value, dict):
        names = draw(st.lists(st.sampled_from([*value, *value, "type", "data", "\ud800"]), max_size=3))
        value = value | {name: draw(spoiled(value.get(name))) for name in names}
        return {name: one for name, one in value.items() if name != draw(st.sampled_from(["", *value]))}
    if isinstance(value, list) and value:
        return [draw(spoiled(one)) for one in value] * draw(st.sampled_from([1, 2, 300]))
    return draw(leaves | anything)


@some
@given(st.data(), st.sampled_from(TYPES))
def test_a_good_report_spoiled(data, name):
    report = data.draw(spoiled(example(contracts.registry()[f"crm.{name}.v1"])))
    judged(json.dumps(report).encode(), name)


@some
@given(st.data(), st.sampled_from(QUESTIONS))
def test_a_good_question_spoiled(data, agreed):
    asked(agreed, json.dumps(data.draw(spoiled(dict(agreed.good)))).encode())


def of(name, **changes):
    return example(contracts.registry()[f"crm.{name}.v1"]) | changes


def in_data(name, **changes):
    report = of(name)
    return report | {"data": report["data"] | changes}


WORST = {
    "unknown words": in_data("intel.route.reported", modes=[f"w{n:06}" for n in range(5_800)]),
    "unknown fields": in_data(FLAGGED, **{f"f{n:05}": 1 for n in range(5_000)}),
    "names as fields": in_data(FLAGGED, **{f"É{n}": 1 for n in range(4_000)}),
    "lists in lists": in_data("intel.route.reported", modes=[[["x"]] * 20] * 300),
    "objects in a list": in_data("intel.route.reported", modes=[{"a": 1}] * 6_000),
    "all of one envelope": {f"x{n}": {"y": n} for n in range(3_000)},
    "long texts": in_data(FLAGGED, issuing="H" * 60_000),
    "many values": of(FLAGGED, data=list(range(10_000))),
    "one letter off": in_data(FLAGGED, **{f"mrz_chec{n}": 1 for n in range(3_500)}),
}


@pytest.mark.parametrize("kind", WORST)
def test_the_worst_64_kb_are_explained_soon(kind):
    payload = json.dumps(WORST[kind], separators=(",", ":")).encode()
    assert 25_000 < len(payload) <= 64 * 1024
    begun = time.process_time()
    assert isinstance(judged(payload, WORST[kind].get("type", f"crm.{FLAGGED}.v1")[4:-3]), Refused)
    took = time.process_time() - begun
    print(f"{kind}: {1000 * took:.0f} ms")
    assert took < ASKED_S / 5


RAW = {
    "digits": b'{"a":' + b"9" * 60_000 + b"}",
    "many digits": b'{"a":[' + b",".join([b"9" * 4_000] * 15) + b"]}",
    "deep": b'{"a":' * 13_000,
    "deep lists": b"[" * 65_000,
    "an infinite number": json.dumps(of(FLAGGED)).encode().replace(b'"1.0"', b"1e400"),
    "escapes": b'{"' + b"\\u00e9" * 10_000 + b'":1}',
    "half characters": b'{"time":"' + b"\\ud800" * 10_000 + b'"}',
}


@pytest.mark.parametrize("kind", RAW)
def test_the_worst_texts_are_refused_soon(kind):
    begun = time.process_time()
    assert isinstance(judged(RAW[kind]), Refused)
    assert time.process_time() - begun < ASKED_S / 5
    assert isinstance(asked(QUESTIONS[0], RAW[kind][:8_000]), questions.Error)


@pytest.mark.parametrize("wrong", [{}, [], 1, 1.5, True, None, [{}], {"type": "x"}])
def test_a_type_that_is_no_text_is_told(wrong):
    verdict = judged(json.dumps(of(FLAGGED, type=wrong)).encode())
    assert isinstance(verdict, Refused)
    assert [(one.pointer, one.code) for one in verdict.problems] == [("/type", "wrong_type")]


def test_a_bug_in_a_check_is_no_refusal(monkeypatch):
    """It would refuse a good report: whoever judges sets it aside."""

    def buggy(self):
        raise KeyError(self)

    agreed = contracts.registry()[f"crm.{FLAGGED}.v1"]
    assert isinstance(judged(json.dumps(of(FLAGGED)).encode()), Event)
    monkeypatch.setattr(agreed.data, "check", buggy)
    with pytest.raises(KeyError):
        judged(json.dumps(of(FLAGGED)).encode())


def test_what_a_value_raises_in_a_check_is_the_reports(monkeypatch):
    agreed = contracts.registry()[f"crm.{FLAGGED}.v1"]
    for error in (OverflowError, ValueError("year 10000 is out of range"), RecursionError):

        def beyond(_, error=error):
            raise error

        monkeypatch.setattr(agreed.data, "check", beyond)
        verdict = judged(json.dumps(of(FLAGGED)).encode())
        assert [one.code for one in verdict.problems] == ["unreadable"]
