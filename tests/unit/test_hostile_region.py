"""crm against a region, or a file of addresses, that means no good: no terminal is moved, and what is wrong is told."""

import json

import pytest
from msgspec import structs
from typer.testing import CliRunner

from infra.cli import app, showing
from infra.cli.explain import _show
from infra.cli.letters import Letter, line
from infra.cli.mailbox import _shown
from infra.cli.showing import Output
from infra.cli.trace import _line
from infra.recovery.chain import Step
from tests.harness.ledger import recorded

EVIL = "doc\x1b]0;owned\x07\x9b31m\r\n\u202efdp"
SHOWN = r"doc\x1b]0;owned\x07\x9b31m\r\n\u202efdp"
ODD = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "UTF-16": "{}".encode("utf-16"),
    "deep": b"[" * 100_000,
    "no keys": b"{}",
    "a number": b'{"creds": 5}',
    "no address": b'{"creds": "/keys", "http": "board"}',
    "an escape": json.dumps({"creds": "/keys", "nats": f"nats://{EVIL}"}).encode(),
    "half a character": b'{"creds": "/keys", "nats": "nats://\\ud800"}',
    "other processes": b'{"creds": "/keys", "ops": ["intel"]}',
}


def harmless(text):
    return not set(text) & set("\x1b\x07\x9b\r\u202e")


@pytest.fixture
def crm(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("CRM_CONTEXT", "CRM_CREDS_DIR", "CRM_OPERATOR_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "crm" / "contexts").mkdir(parents=True)
    return lambda *words: CliRunner().invoke(app, words)


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_a_context_that_is_none_is_told_and_removed(crm, tmp_path, content):
    file = tmp_path / "crm" / "contexts" / "odd.json"
    file.write_bytes(content)
    file.with_name("current").write_text("odd\n")
    for words in (["status"], ["indicators"], ["token", "GTM"], ["ask", "--as", "GTM", "intel", "quota"]):
        found = crm(*words)
        assert (found.exit_code, "cannot be read as a context" in found.output) == (2, True), words
        assert harmless(found.output)
    assert "cannot be read" in crm("context", "list").output
    assert crm("context", "remove", "odd").exit_code == 0
    assert not file.exists()


def test_a_key_that_is_not_there_is_named(crm, tmp_path):
    file = tmp_path / "crm" / "contexts" / "mine.json"
    file.write_text(json.dumps({"creds": str(tmp_path), "nats": "nats://127.0.0.1:1"}))
    file.with_name("current").write_text("mine\n")
    found = crm("ask", "--as", "GTM", "intel", "quota")
    assert (found.exit_code, found.output) == (1, f"there is no key of GTM ({tmp_path}/GTM.nk): name it with --seed\n")


def test_what_a_region_writes_moves_no_terminal(capsys):
    import msgspec  # noqa: PLC0415

    event = msgspec.structs.replace(recorded(1, 1), subject=EVIL, id=EVIL)
    assert SHOWN in _line(Step("training", event), "other")
    assert SHOWN in line(Letter("intel 1", "2004", "told", EVIL, EVIL, EVIL, "type"), Output.TABLE)
    showing.show_rows([{"subject": EVIL.replace("\n", "")}], ("subject",), Output.WIDE)
    number = {"part": EVIL, "country": "GTM", "labels": {}, "amount": 1}
    names = {"id": EVIL, "country": "GTM", "labels": {}, "as_of": EVIL}
    _show(names | {"made_of": [EVIL], "numbers": [number], "events": [], "counts": [], "archived": {EVIL: 1}})
    assert harmless(capsys.readouterr().out)


def test_what_programs_read_moves_no_terminal_and_says_the_same(capsys):
    showing.show_rows([{"subject": EVIL}], ("subject",), Output.JSON)
    showing.show_rows([{"subject": EVIL}], ("subject",), Output.CSV)
    told = capsys.readouterr().out
    assert harmless(told)
    as_json, _, as_csv = told.partition("]\n")
    assert json.loads(f"{as_json}]") == [{"subject": EVIL}]
    assert SHOWN.replace(r"\n", "\n") in as_csv
    event = recorded(1, 1)
    shown = _shown(None, "en", as_json=True, opens=False)(structs.replace(event, id=EVIL), None)
    assert (harmless(shown), json.loads(shown)["id"]) == (True, EVIL)
    assert harmless(line(Letter("intel 1", "2004", "told", EVIL, EVIL, EVIL, "\ud800"), Output.CSV))


FORMULAS = ("=HYPERLINK(1)", "+1+cmd|x", "-2+3", "@SUM(A1)")


def test_no_cell_of_csv_is_a_formula_and_numbers_stay_numbers(capsys):
    numbers = ["-0.25", "+3", -7, -0.5, "-", "-3%"]
    showing.show_rows([{"a": one} for one in [*FORMULAS, *numbers]], ("a",), Output.CSV)
    assert capsys.readouterr().out.split() == ["a", *(f"'{one}" for one in FORMULAS), *map(str, numbers)]
    for evil in FORMULAS:
        assert line(Letter("intel 1", "2004", "told", evil, "GTM:x", evil, "type"), Output.CSV).count(f"'{evil}") == 2
