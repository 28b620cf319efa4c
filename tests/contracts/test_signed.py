"""What is signed and what is recorded say the same, of every type; nothing that is changed in between agrees."""

import msgspec
import pytest

from shared import contracts
from shared.contracts import Corrected, Refused
from shared.contracts.report import accepted
from shared.contracts.signing import agrees
from tests.contracts.test_said import REPORTED, TRIED, other, report
from tests.harness.speaking import NOW

SIGNED = [one for one in REPORTED if contracts.registry()[one].data is not Corrected]
WHOLE = {"expirytime": "2004-04-01T00:00:00Z", "causationid": "cause-1", "correlationid": "story-1"}


def recorded(sent):
    """The event as a service records it, read back."""
    country, name = sent["source"].split(":")[3], sent["type"][4:].rpartition(".")[0]
    event = accepted(f"crm.in.{country}.{name}", None, msgspec.json.encode(sent), NOW)
    whole = msgspec.structs.replace(event, recordedtime=NOW, sequence=7, traceparent=f"00-{'1' * 32}-{'2' * 16}-01")
    return contracts.decode(msgspec.json.encode(whole))


@pytest.mark.parametrize("wire", SIGNED)
def test_an_event_agrees_with_what_was_signed_and_with_nothing_else(wire, monkeypatch):
    monkeypatch.setattr("shared.contracts.report.explained", lambda *_: [contracts.Problem("", "refused", "")])
    sent = report(contracts.registry()[wire], **WHOLE)
    payload, event = msgspec.json.encode(sent), recorded(sent)
    assert agrees(event, payload)
    assert agrees(event, b" " + msgspec.json.format(payload, indent=3))
    changes = {"id": "r-2", "time": NOW.replace(hour=3), "country": "REG", "source": f"{event.source}x"}
    changes |= {"expirytime": None, "causationid": "", "correlationid": "r-1"}
    for name, value in changes.items():
        assert not agrees(msgspec.structs.replace(event, **{name: value}), payload), name
    tried = 0
    for name, value in sent["data"].items():
        for candidate in list(other(value))[: 3 * TRIED]:
            try:
                changed = recorded(sent | {"data": sent["data"] | {name: candidate}})
            except Refused:
                continue
            assert not agrees(changed, payload), name
            tried += 1
    assert tried or set(sent["data"]) <= {"reported_by", "supersedes"}


def corrected(**filled):
    """A correction as sent, and as recorded with what the service fills in."""
    agreed = contracts.registry()["crm.intel.document.corrected.v1"]
    original = contracts.registry()["crm.intel.document.flagged.v1"]
    sent = report(agreed) | {"data": dict(agreed.good) | {"data": dict(original.good)}}
    event = recorded(sent)
    data = msgspec.structs.replace(
        event.data, original=original.type, original_id="e-0", previous={"doc_code": "ID"}, **filled
    )
    return msgspec.json.encode(sent), msgspec.structs.replace(event, data=data, subject="doc-1")


def test_a_correction_agrees_though_the_service_completes_it():
    payload, event = corrected()
    assert agrees(event, payload)
    known = {**event.data.data, "note_that_no_contract_has": "x"}
    assert agrees(corrected(data=known)[1], payload)  # of a version before, say
    assert not agrees(corrected(data=event.data.data | {"issuing": "GTM"})[1], payload)
    assert not agrees(corrected(supersedes="e-9")[1], payload)
    assert not agrees(corrected(reported_by="police")[1], payload)


def test_what_a_service_fills_in_is_no_difference():
    agreed = contracts.registry()["crm.intel.specimen.deposited.v1"]
    payload, event = msgspec.json.encode(report(agreed)), recorded(report(agreed))
    assert agreed.derived
    value = contracts.decode(msgspec.json.encode(event)).data
    filled = {name: {"by": 1} for name in agreed.derived}
    data = msgspec.convert(msgspec.to_builtins(value) | filled, agreed.data)
    assert data != value
    assert agrees(msgspec.structs.replace(event, data=data), payload)
