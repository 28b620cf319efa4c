"""What a sender said: any single change of it tells, and no other form of the same does."""

import json
import random
from typing import Literal, get_args, get_origin

import pytest

from shared.contracts import Problem, Refused, registry, vocabulary
from shared.contracts.report import accepted, said
from shared.contracts.schema import example
from tests.harness.speaking import NOW

REPORTED = sorted(agreed.type for agreed in registry().values() if agreed.reported)
WHOLE = {
    "expirytime": "2004-04-01T00:00:00Z",
    "causationid": "cause-1",
    "correlationid": "story-1",
    "dataschema": "https://example.org/schema",
}


@pytest.fixture(autouse=True)
def unexplained(monkeypatch):
    """Of a value that is refused nothing more is asked here: to explain it takes longer than all the rest."""
    monkeypatch.setattr("shared.contracts.report.explained", lambda *_: [Problem("", "refused", "")])


def report(agreed, **attributes):
    data = dict(agreed.good)
    return {
        "specversion": "1.0",
        "id": "r-1",
        "source": example(agreed)["source"],
        "type": agreed.type,
        "time": "2004-02-29T18:00:00.25Z",
        "datacontenttype": "application/json",
        "data": data,
        **({} if agreed.entity and data.get(agreed.entity) else {"subject": "thing-1"}),
        **attributes,
    }


def digest(sent, headers=None, payload=None):
    """The digest of what arrives, in structured form unless headers are given."""
    country, name = sent["source"].split(":")[3], sent["type"][4:].rpartition(".")[0]
    payload = json.dumps(sent).encode() if payload is None else payload
    return said(headers, payload, accepted(f"crm.in.{country}.{name}", headers, payload, NOW))


def binary(sent):
    headers = {f"ce-{name}": value for name, value in sent.items() if name not in {"data", "datacontenttype"}}
    return headers | {"Content-Type": "application/json"}, json.dumps(sent["data"]).encode()


def shuffled(value, rng):
    """The same JSON with the members of each object in another order."""
    if isinstance(value, list):
        return [shuffled(one, rng) for one in value]
    if not isinstance(value, dict):
        return value
    members = list(value.items())
    rng.shuffle(members)
    return {name: shuffled(one, rng) for name, one in members}


def other(value):
    """Values of the same kind, one of which the contract may take."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1, value - 1, value / 2]
    if isinstance(value, str):
        words = [one for closed in CLOSED if value in closed for one in closed if one != value]
        if value.startswith(("2003", "2004")):
            words = [f"{value[:3]}{year}{value[4:]}" for year in "345"] + [f"{value[:8]}10{value[10:]}"]
            words = [one for one in words if one != value]
        return words or [value + "x", value[:-1] + ("1" if value[-1:] != "1" else "2")]
    if isinstance(value, list):
        return [value[:-1], *([*value[:-1], one] for one in other(value[-1]))] if value else []
    return [value | {name: one} for name, old in value.items() for one in other(old)]


CLOSED = [get_args(one) for one in vars(vocabulary).values() if get_origin(one) is Literal]
"""The closed lists of the vocabulary."""
CLOSED.append(
    (registry()["crm.indicators.key.added.v1"].good["key"], "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw")
)  # RFC 8032, test 2


@pytest.mark.parametrize("wire", REPORTED)
def test_any_single_change_tells_and_no_other_form_does(wire):
    rng = random.Random(wire)
    sent = report(registry()[wire], **WHOLE)
    first = digest(sent)
    assert first == digest(sent, *binary(sent)), "binary mode"
    assert first == digest(shuffled(sent, rng)), "order of members"
    assert first == digest(sent | {"time": "2004-02-29T12:00:00.250-06:00", "expirytime": "2004-03-31T18:00:00-06:00"})
    assert first == digest(sent | {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"})
    attributes = {name: value for name, value in sent.items() if name in {"id", "subject", *WHOLE} - {"expirytime"}}
    for name, value in attributes.items():
        assert digest(sent | {name: f"{value}x"}) != first, name
        if name not in {"id", "subject"}:
            assert digest({key: one for key, one in sent.items() if key != name}) != first, name
    for name, value in {"time": "2004-02-29T18:00:00.250001Z", "expirytime": "2004-04-01T00:00:00.000001Z"}.items():
        assert digest(sent | {name: value}) != first, name
    found = {name: _changed(sent, name) for name in sent["data"]}
    assert all(first not in digests for digests in found.values())
    fixed = {*FIXED, {"sender": "from"}.get(registry()[wire].owner, registry()[wire].owner)}
    assert {name for name, digests in found.items() if not digests} <= fixed, "no change of it was tried"


def _changed(sent, name):
    """Return the digests of the report with one field changed or left out, of as many as are accepted first."""
    data = sent["data"]
    found = []
    for candidate in [*(data | {name: one} for one in other(data[name])), {**data, name: None}]:
        try:
            found.append(digest(sent | {"data": candidate}))
        except Refused:
            continue
        if len(found) == TRIED:
            break
    return found


TRIED = 1
FIXED = ("plan", "smuggled_migrant", "body", "date", "offence", "outcome", "reported_by", "row", "scope")
"""Fields that have one value only, or hang on others in some type: changed alone, they would contradict them."""
