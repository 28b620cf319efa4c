"""Files for `crm pub`: whatever an editor wrote is read, or told in one clear line without a traceback."""

import json

import pytest
from nats.aio.client import Client
from typer.testing import CliRunner

from infra.cli import app
from infra.cli.reports import read as _read
from shared.client import CountryClient
from shared.client.errors import Invalid
from shared.contracts import registry
from shared.contracts.schema import example

REPORT = example(registry()["crm.intel.document.flagged.v1"])
TEXT = json.dumps(REPORT)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_with_a_byte_order_mark_is_read(tmp_path, encoding):
    path = tmp_path / "reports.json"
    path.write_text(TEXT, encoding=encoding)
    assert _read(str(path)) == [REPORT]
    path.write_text(f"[{TEXT}, {TEXT}]\r\n", encoding=encoding)
    assert _read(str(path)) == [REPORT, REPORT]


def test_big_endian_too(tmp_path):
    path = tmp_path / "reports.json"
    path.write_bytes(b"\xfe\xff" + TEXT.encode("utf-16-be"))
    assert _read(str(path)) == [REPORT]


def test_a_report_a_line_is_read(tmp_path):
    path = tmp_path / "reports.ndjson"
    path.write_text(f"{TEXT}\n\n{TEXT}\n")
    assert _read(str(path)) == [REPORT, REPORT]


def test_a_table_is_read_with_numbers_where_the_contract_has_numbers(tmp_path):
    numbered = (one for one in registry().values() if one.reported and {*map(type, one.good.values())} == {str, int})
    held = next(numbered)
    flat = dict(held.good)
    path = tmp_path / "reports.csv"
    columns = ["type", "id", *(f"data.{name}" for name in flat), "data.absent"]
    path.write_text(",".join(columns) + "\n" + ",".join([held.type, "e-1", *map(str, flat.values()), ""]) + "\n")
    assert _read(str(path)) == [{"type": held.type, "id": "e-1", "data": flat}]


def checked(*words, stdin=None):
    return CliRunner().invoke(app, ["pub", "--as", "GTM", "--dry-run", *words], input=stdin)


def test_a_dry_run_says_of_each_report_whether_it_is_good_and_sends_nothing():
    good = REPORT | {"source": "urn:crm:country:GTM:x"}
    wrong = good | {"id": "e-2", "data": good["data"] | {"detected_by": "nobody"}}
    outcome = checked("-", stdin=f"{json.dumps(good)}\n{json.dumps(wrong)}\n")
    first, second = outcome.stdout.splitlines()[0], outcome.stdout.splitlines()[1]
    assert first == f"good {good['id']}"
    assert second.startswith("refused e-2: ")
    assert (outcome.exit_code, "1 of 2 are good" in outcome.stderr) == (1, True)


@pytest.mark.parametrize("name", ["intel.document.flagged", "crm.victims.referral.sent.v1"])
def test_a_contracts_example_is_good(name):
    outcome = checked("--example", name)
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stdout.splitlines()[-1].startswith("good ")


def test_a_type_that_is_none_or_nobody_reports_is_told_with_those_alike():
    outcome = checked("--example", "intel.document.flaged")
    assert (outcome.exit_code, "intel.document.flagged" in outcome.stderr) == (2, True)
    derived = next(one for one in registry().values() if not one.reported)
    assert checked("--example", derived.type).exit_code == 2


def test_a_contract_is_shown_with_its_fields_and_an_example_that_is_good():
    shown = CliRunner().invoke(app, ["contracts", "show", "intel.document.flagged"])
    assert shown.exit_code == 0, shown.output
    assert "photo_substitution" in shown.stdout
    given = json.loads(shown.stdout[shown.stdout.index("\n{\n") :])
    assert given == REPORT
    listed = CliRunner().invoke(app, ["contracts", "list", "document.flagged", "-o", "json"])
    assert [one["type"] for one in json.loads(listed.stdout)] == ["crm.intel.document.flagged.v1"]


UNFIT = {
    "half a pair": b'{"id": "\\ud800"}',
    "half a pair in a key": b'{"\\udfff": 1}',
    "utf-16 without a mark": TEXT.encode("utf-16-le"),
    "cut utf-16": b"\xff\xfe" + TEXT.encode("utf-16-le")[:-1],
    "latin-1": '{"id": "niño"}'.encode("latin-1"),
    "no json": b"id: 1",
    "empty": b"",
    "a line and a half": TEXT.encode() + b"\n" + TEXT.encode()[:-1],
    "a number": b"7",
    "a list of numbers": b"[1, 2]",
    "null": b"null",
    "deep": b"[" * 100_000,
    "a long number": b'{"a": ' + b"9" * 5000 + b"}",
    "a mark alone": b"\xef\xbb\xbf",
}


@pytest.mark.parametrize("content", UNFIT.values(), ids=UNFIT)
def test_what_cannot_be_read_is_told_in_one_line(tmp_path, content):
    path = tmp_path / "reports.json"
    path.write_bytes(content)
    outcome = CliRunner().invoke(
        app, ["pub", str(path), "--as", "GTM", "--nats-url", "nats://127.0.0.1:1", "--seed", "x"]
    )
    assert outcome.exit_code == 2
    assert isinstance(outcome.exception, SystemExit)
    assert "reports.json" in "".join(outcome.output.replace("\N{BOX DRAWINGS LIGHT VERTICAL}", " ").split())
    assert "Traceback" not in outcome.output


def test_a_client_says_what_it_cannot_write():
    client = CountryClient(Client(), "GTM", "test")
    for odd in (10**30, "\ud800"):
        with pytest.raises(Invalid):
            client._checked(REPORT | {"data": {"count": odd}})


def test_a_folder_or_nothing_is_told_too(tmp_path):
    for name in (tmp_path, tmp_path / "none.json"):
        outcome = CliRunner().invoke(app, ["pub", str(name), "--as", "GTM", "--nats-url", "nats://x", "--seed", "x"])
        assert outcome.exit_code == 2
