"""`crm conform`: what the door would say of each line of a file."""

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.conformance.offline import judged
from shared.contracts import registry
from shared.contracts.schema import example

NOW = datetime(2024, 3, 2, tzinfo=UTC)
GOOD = example(registry()["crm.intel.document.flagged.v1"])


def line(**changes):
    return json.dumps({**GOOD, **changes}).encode()


def rules(*lines, sender=""):
    return [one.rule for one in judged(lines, NOW, sender)]


def test_every_contracts_example_conforms():
    agreed = [one for one in registry().values() if one.reported]
    lines = [json.dumps({**example(one), "id": f"r-{number}"}).encode() for number, one in enumerate(agreed)]
    found = [(one.what, one.faults) for one in judged(lines, NOW) if one.faults]
    assert not found
    assert len(lines) > 200


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"{", "not_json"),
        (b"[]", "wrong_type"),
        (b"\xff\xfe", "not_utf8"),
        (b'{"type": 5, "source": []}', "unknown_type"),
        (line(type="crm.intel.no.such.v1"), "unknown_type"),
        (line(type="nothing"), "unknown_type"),
        (line(source="urn:crm:country:GTM"), "bad_format"),
        (line(data={**GOOD["data"], "detected_by": "guess"}), "unknown_value"),
        (line(data={**GOOD["data"], "x" * 70_000: 1}), "too_large"),
        (line(time="2030-01-01T00:00:00Z"), "in_future"),
    ],
)
def test_what_is_wrong_is_told_by_its_code(payload, code):
    assert code in rules(payload)[0]


def test_what_is_sent_twice_is_one_report_and_another_of_its_id_a_conflict():
    assert rules(line(), line(), line(subject="doc-2")) == ["conforms", "conforms", "id_conflict"]


def test_whose_reports_they_are_may_be_said():
    assert rules(line(), sender="HND") == ["country_mismatch"]


def test_nothing_of_a_line_is_quoted():
    secret = "Ana-Lopez-5551234"
    for changed in ({"subject": secret + " x"}, {"id": secret + " x"}, {"data": {secret: 1}}, {"source": secret}):
        (one,) = judged([line(**changed)], NOW)
        assert one.faults
        assert secret not in " ".join([one.what, one.rule, *one.faults])


def test_the_command_tells_people_and_junit(tmp_path):
    file, junit = tmp_path / "events.ndjson", tmp_path / "junit.xml"
    run = CliRunner().invoke
    file.write_bytes(line() + b"\n\n" + line(id="b", data={**GOOD["data"], "issuing": "HN"}) + b"\n")
    done = run(app, ["conform", str(file), "--junit", str(junit)])
    assert done.exit_code == 1
    assert "line 3: unknown_value" in done.output
    assert "did you mean HND?" in done.output
    assert "1 of 2 kept" in done.output
    suite = ET.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    file.write_bytes(line())
    assert run(app, ["conform", str(file)]).exit_code == 0
    for unusable in (["conform"], ["conform", str(tmp_path / "none")], ["conform", str(file), "--as", "XXX"]):
        assert run(app, unusable).exit_code == 2
    file.write_bytes(b"\n")
    assert run(app, ["conform", str(file)]).exit_code == 2
