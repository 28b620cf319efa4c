"""The pages of what can be wrong: all that is quoted is what the system shows, and no refusal is left out."""

import ast
import re
import shlex
import tomllib
from itertools import chain

import pytest
import typer

from infra.cli import app as crm
from services.indicators.publish import messages
from services.indicators.publish.words import LANGUAGES
from shared.contracts.vocabulary import MEMBERS
from shared.run import ops, settings
from tests.unit.test_docs import ROOT, refusal_codes

PAGES = {"troubleshooting.md": "en", "troubleshooting.es.md": "es"}
OF_OTHERS = {
    "Authorization Violation": "nats-server",
    "ConnectionRefusedError": "Python",
    "SSLCertVerificationError": "Python",
    "SSLError": "Python",
    "no responders available for request": "clients of NATS",
    "permissions violation": "nats-server",
    "timeout": "clients of NATS",
    "maximum messages exceeded": "nats-server",
}
"""What other programs say -> which; tests/services/test_connecting.py and tests/security meet them."""
ENDED = 70


def text(page):
    return (ROOT / "docs" / page).read_text()


def rows(page):
    """The first cells and the last cells of a page's tables."""
    for line in text(page).splitlines():
        if line.startswith("| ") and "|---" not in line:
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            yield cells[0], cells[-1]


def quoted(page):
    return {one for seen, _ in rows(page) for one in re.findall(r"`([^`]+)`", seen)}


def sources():
    """All texts that the code has, joined where they are written in several pieces; `…` for what is filled in."""
    for folder in ("shared", "infra", "services"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
                elif isinstance(node, ast.JoinedStr):
                    yield "".join(one.value if isinstance(one, ast.Constant) else "…" for one in node.values)


REFUSED = tomllib.loads((ROOT / "shared/run/refusals.toml").read_text())
SAID = "\n".join(sources())


@pytest.mark.parametrize("page", PAGES)
def test_what_is_quoted_as_seen_is_what_the_system_shows(page):
    unknown = []
    for one in quoted(page) - {*OF_OTHERS}:
        parts = [part.strip() for part in one.split("…") if part.strip()]
        if not all(part in SAID or part.startswith("crm ") for part in parts):
            unknown.append(one)
    assert unknown == []
    assert len(quoted(page)) > 40


@pytest.mark.parametrize("page", PAGES)
def test_words_of_the_pages_are_as_the_pages_have_them(page):
    said = [*chain.from_iterable(messages.said(PAGES[page]).values()), *(one[PAGES[page]] for one in REFUSED.values())]
    said = [re.sub(r"\{\w+\}", "10", one).lower() for one in said]
    for one in {one for seen, _ in rows(page) for one in re.findall(r"\*([^*]+)\*", seen)} - {"redelivered", "waiting"}:
        assert any(one.strip("… ").lower() in whole for whole in said), one


@pytest.mark.parametrize("page", PAGES)
def test_every_code_named_is_one_that_is_told(page):
    codes = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", text(page)))
    fields = {"reported_by", "wait_s", "error_cb"}
    assert codes - fields - refusal_codes() - {"too_many"} == set()
    assert "too_many" in SAID
    exits = {int(one) for one in re.findall(r"\b(7\d)\b", "\n".join(seen for seen, _ in rows(page)))}
    assert exits == {ENDED, ops.EXIT_STUCK, settings.EXIT_MISCONFIGURED}
    for number in re.findall(r"error (\d{5})", text(page)):
        assert f"error {number}" in (ROOT / "docs/integrating.md").read_text()


@pytest.mark.parametrize("page", PAGES)
def test_every_refusal_is_on_the_page_or_on_the_one_it_leads_to(page):
    anchor = "integrating.md#when-a-report-is-refused"
    assert anchor in text(page)
    led = (ROOT / "docs/integrating.md").read_text().partition("## When a report is refused")[2]
    led = led.partition("\n## ")[0] + led.partition("\n## Ask")[2]
    assert [code for code in sorted(refusal_codes()) if f"`{code}`" not in text(page) + led] == []


def commands(page):
    return [one for one in re.findall(r"`(crm [^`]+)`", text(page)) if "…" not in one]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_one_that_can_be_given(page):
    """Verb, arguments and flags are read as when the command is given; nothing is run."""
    assert len(commands(page)) > 15
    for one in commands(page):
        command, words = typer.main.get_command(crm), shlex.split(one)[1:]
        while hasattr(command, "commands") and words:
            command, words = command.commands[words[0]], words[1:]
        if not hasattr(command, "commands"):
            command.make_context(one, list(words))


def test_both_pages_tell_the_same():
    english, spanish = ([re.findall(r"`([^`]+)`", "".join(row)) for row in rows(page)] for page in PAGES)
    assert english == spanish
    assert {*PAGES.values()} <= {code for code, _ in LANGUAGES}
    assert "GTM" in MEMBERS
