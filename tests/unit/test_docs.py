"""What the documents promise: every setting and error code is told, links lead somewhere, decisions have numbers."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from services.indicators.publish.words import words
from services.legal.judgements.treaties import WHY
from services.victims.judgements.standing import ENDS
from shared.contracts.refusal import CODES

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
        file, _, _ = target.partition("#")
        assert target.startswith("http") or not file or (document.parent / file).exists(), target


def test_the_guide_in_spanish_sends_the_report_of_the_one_in_english():
    report = re.search(r"```json\n.*?```", (ROOT / "docs/conectar.es.md").read_text(), re.DOTALL)[0]
    assert report in (ROOT / "docs/integrating.md").read_text()


def test_every_error_code_is_told():
    text = (ROOT / "docs/integrating.md").read_text()
    assert [code for code in sorted(refusal_codes()) if f"`{code}`" not in text] == []


def test_the_tables_of_error_codes_have_those_of_the_catalogues():
    """What may be refused of a report stands in the table of reports; what else there is, beside its question."""
    before, found, behind = (ROOT / "docs/integrating.md").read_text().partition("\n## When a report is refused\n")
    table, end, after = behind.partition("\n## ")
    assert found
    assert end
    told = [code for line in table.splitlines() for code in re.findall(r"^\| (`.*?`) \|", line)]
    codes = [code for cell in told for code in re.findall(r"`(\w+)`", cell)]
    assert len(codes) == len({*codes}), "one code has two lines"
    catalogue = {*words("en").refusals}
    assert {*codes} <= catalogue
    elsewhere = {code for code in catalogue - {*codes} if f"`{code}`" in before + after}
    assert catalogue - {*codes} == elsewhere
    assert len(codes) > len(elsewhere)


def test_every_error_code_has_words_in_each_language():
    """The catalogues are one source for the country's page, its mailbox and `crm pub`."""
    for lang in ("en", "es", "fr"):
        refusals = words(lang).refusals
        assert sorted(refusal_codes() | {f"missing_{part}" for part in ("act", "means", "purpose")}) == sorted(refusals)
    assert words("es").refusals["unknown_value"] != words("fr").refusals["unknown_value"]


def test_decisions_are_numbered_and_listed():
    """Each has the next number, a date, a status, its line in the list; what replaces one comes after it."""
    text = (ROOT / "docs/decisions.md").read_text()
    link = r"\[(\d{4})\]\(#\1\)"
    decisions = re.findall(r'^## <a id="(\d{4})"></a>\1\. (.+)\n\n(\S+) · (.+)\n\n(?=\S)', text, re.MULTILINE)
    assert [number for number, *_ in decisions] == [f"{number:04}" for number in range(1, text.count("\n## ") + 1)]
    assert re.findall(rf"^- {link} (.+)$", text, re.MULTILINE) == [(number, title) for number, title, *_ in decisions]
    dates = [date.fromisoformat(day) for _, _, day, _ in decisions]
    assert dates == sorted(dates)
    for number, _, _, status in decisions:
        replaced = re.fullmatch(rf"accepted|replaced(?: in part)? by {link}", status)
        assert replaced, (number, status)
        assert not replaced[1] or number < replaced[1] <= decisions[-1][0], number


def refusal_codes() -> set[str]:
    """Every code that is written out where a problem is named, or handed to a function that makes one of it."""
    codes = {code for code, _ in CODES.values()} | {*WHY} | {f"already_{state}" for state in ENDS}
    for folder in ("shared", "services"):
        for file in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(file.read_text())
            makers = {"Problem": 1} | dict(_makers(tree))
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers:
                    told = node.args[makers[node.func.id] :][:1]
                    codes |= {arg.value for arg in told if isinstance(arg, ast.Constant)}
    return codes


def _makers(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the functions that make a problem of a code given to them, and as which of their arguments."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            given = [one.arg for one in function.args.args]
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
                    code = node.args[1] if len(node.args) > 1 else None
                    if isinstance(code, ast.Name) and code.id in given:
                        yield function.name, given.index(code.id)
