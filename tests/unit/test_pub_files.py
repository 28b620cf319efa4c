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


HEADER = "type,id,data.doc_code,data.issuing"
ROW = "crm.intel.document.flagged.v1,e-1,PP,HND"
READ = {"type": "crm.intel.document.flagged.v1", "id": "e-1", "data": {"doc_code": "PP", "issuing": "HND"}}
TABLES = {
    "semicolons, as spreadsheets write where a comma stands before decimals": f"{HEADER}\n{ROW}\n".replace(",", ";"),
    "tabs": f"{HEADER}\n{ROW}\n".replace(",", "\t"),
    "the spreadsheet's own line": f"sep=;\r\n{HEADER}\r\n{ROW}\r\n".replace(",", ";"),
    "spaces behind commas": f"{HEADER}\n{ROW}\n".replace(",", ", "),
    "quotation marks": '"' + f"{HEADER}\n{ROW}".replace(",", '","').replace("\n", '"\n"') + '"\n',
    "empty lines": f"{HEADER}\r\n\r\n{ROW}\r\n\r\n",
    "lines of an old machine": f"{HEADER}\r{ROW}\r",
    "commas to the end": f"{HEADER},,\n{ROW},,\n",
}


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("name", ["reports.csv", "REPORTS.CSV"])
def test_a_table_is_read_however_it_is_written(tmp_path, text, name):
    path = tmp_path / name
    path.write_text(text, newline="")
    assert _read(str(path)) == [READ]


UNFIT_TABLES = {
    "a column twice": (f"{HEADER},id\n{ROW},e-2\n", "twice"),
    "more cells than columns": (f"{HEADER}\n{ROW},more\n", "row 1"),
    "a cell under no name": (f"{HEADER},\n{ROW},\n{ROW},more\n", "row 2"),
    "no type": ("id,data.issuing\ne-1,HND\n", "`type`"),
    "nothing": ("", "`type`"),
    "a form of its own": ("type|id\nx|e-1\n", "`type`"),
}


@pytest.mark.parametrize(("text", "said"), UNFIT_TABLES.values(), ids=UNFIT_TABLES)
def test_a_table_of_which_something_would_be_lost_is_not_read(tmp_path, text, said):
    path = tmp_path / "reports.csv"
    path.write_text(text, newline="")
    outcome = checked(str(path))
    assert (outcome.exit_code, said in outcome.output) == (2, True), outcome.output


def test_a_text_may_hold_what_some_take_for_the_end_of_a_line(tmp_path):
    path = tmp_path / "reports.ndjson"
    report = REPORT | {"dataschema": "a\u2028b\x85c"}
    path.write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in (report, report)), encoding="utf-8")
    assert _read(str(path)) == [report, report]


@pytest.mark.parametrize("content", ["[]", f"{HEADER}\n"])
def test_that_there_is_nothing_to_send_is_said(tmp_path, content):
    path = tmp_path / ("reports.json" if content == "[]" else "reports.csv")
    path.write_text(content)
    outcome = CliRunner().invoke(
        app, ["pub", str(path), "--as", "GTM", "--nats-url", "nats://127.0.0.1:1", "--seed", "x"]
    )
    assert (outcome.exit_code, outcome.stdout, "no report" in outcome.stderr) == (0, "", True)


UNNAMED = [
    {"id": ...},
    {"type": ...},
    {"type": "x"},
    {"type": 5},
    {"type": "crm.foo.bar.baz.v1"},
    {"id": 5},
    {"data": None},
    {"data": REPORT["data"] | {"score": 1e400}},
]


@pytest.mark.parametrize("change", UNNAMED, ids=str)
@pytest.mark.parametrize("more", [[], ["--wait", "5"]], ids=["", "waits"])
def test_what_is_no_report_is_told_before_anything_is_sent(tmp_path, change, more):
    """It is told of which report, and no connection is needed for it."""
    own = REPORT | {"source": "urn:crm:country:GTM:x"}
    wrong = {name: value for name, value in (own | change).items() if value is not ...}
    path = tmp_path / "reports.json"
    path.write_text(json.dumps([own, wrong]).replace("Infinity", "1e400"))
    outcome = CliRunner().invoke(
        app, ["pub", str(path), "--as", "GTM", "--nats-url", "nats://127.0.0.1:1", "--seed", "x", *more]
    )
    assert outcome.exit_code == 1
    assert isinstance(outcome.exception, SystemExit), outcome.exception
    assert outcome.stdout == ""
    assert outcome.stderr.startswith("invalid: report 2: /")
    assert "nothing was sent" in outcome.stderr


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


def test_two_reports_of_a_file_do_not_share_an_id():
    """The second would be refused when the first is recorded, and be taken for it meanwhile."""
    first = REPORT | {"source": "urn:crm:country:GTM:x"}
    other = first | {"data": first["data"] | {"issuing": "SLV"}}
    elsewhere = example(registry()["crm.legal.law.amended.v1"]) | {"id": first["id"], "source": first["source"]}
    system = other | {"source": "urn:crm:country:GTM:y"}
    outcome = checked("-", stdin="\n".join(map(json.dumps, [first, other, first, elsewhere, system])))
    good, refused, *others = outcome.stdout.splitlines()
    assert others == [good] * 3 == [f"good {first['id']}"] * 3
    assert refused.startswith(f"refused {first['id']}: /id: ")
    assert "[id_conflict]" in refused
    assert outcome.exit_code == 1


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
    "a field twice": b'{"id": "a", "\\u0069d": "b"}',
    "a field twice on a line": TEXT.encode() + b'\n{"id": "a", "id": "b"}\n',
    "no number": b'{"data": {"score": NaN}}',
    "no end": b'{"data": {"score": -Infinity}}',
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
    for odd in (10**30, "\ud800", float("nan"), float("inf"), [{"count": (1.0, float("-inf"))}]):
        with pytest.raises(Invalid):
            client._checked(REPORT | {"data": {"count": odd}})


def test_a_folder_or_nothing_is_told_too(tmp_path):
    for name in (tmp_path, tmp_path / "none.json"):
        outcome = CliRunner().invoke(app, ["pub", str(name), "--as", "GTM", "--nats-url", "nats://x", "--seed", "x"])
        assert outcome.exit_code == 2
