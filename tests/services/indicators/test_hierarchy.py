"""The Plan's objectives, results and activities: in its own words, whole, and with every row and milestone on one."""

import re
from pathlib import Path

import pytest

from services.indicators.planned.hierarchy import COLUMNS, Node
from services.indicators.planned.plan import PlanError, load
from tests.services.indicators.making import PLAN
from tests.services.indicators.test_plan import HEAD, ROW

TREE = PLAN.hierarchy
TEXT = (Path(__file__).parents[2] / "plans" / "plan-de-accion-2003.txt").read_text(encoding="utf-8")
CLOSING = Path(__file__).parents[3] / "docs" / "plan.md"
HEADINGS = {"Objetivo", "Resultado", "Actividades", "Indicadores", "Cronograma", "Responsable", "Recursos"}


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def texts(node: Node):
    yield node.text
    yield from (text for text in (node.responsible, node.resources) if text)
    yield from (*node.indicators, *node.schedule)


@pytest.mark.parametrize("node", TREE.nodes.values(), ids=lambda node: node.id)
def test_what_a_node_says_in_spanish_stands_in_the_plan(node):
    for text in texts(node):
        assert plain(text.es) in plain(TEXT)
        assert text.es not in {text.en, text.fr, ""}
        assert "" not in {text.en, text.fr}


def test_nothing_in_the_plans_tables_is_left_out():
    """Each paragraph of the tables, without its number, is in the text of a node; the two definitions are contracts."""
    said = " | ".join(plain(text.es) for node in TREE.nodes.values() for text in texts(node))
    names = {plain(area.words) for area in PLAN.areas if area.words}
    missing = []
    tables = TEXT.partition("PLAN DE ACCIÓN\n")[2]
    for line in tables.splitlines():
        paragraph = re.sub(r"^(\d\.)+(\d+)? +|^\d\.\d\.\d +|^- (?=La Pres|Cada)", "", plain(line))
        if paragraph in HEADINGS | {"", ":", "Propuesta de Definición"} or "se entenderá" in paragraph.lower():
            continue
        area = paragraph.partition("Área de Trabajo:")[2].strip()
        if area not in names if area else paragraph not in said:
            missing.append(paragraph)
    assert missing == []


def test_each_number_of_the_plans_tables_is_a_node_of_its_level():
    area, found = "", set()
    names = {plain(one.words): one.id for one in PLAN.areas if one.words}
    for line in TEXT.partition("PLAN DE ACCIÓN\n")[2].splitlines():
        if "Área de Trabajo:" in line:
            area = names[plain(line.partition(":")[2])]
        number = re.match(r"\s*(\d(?:\.\d)*)\.?\s", line)
        if number and not line.strip().startswith("3 meses"):
            found.add(f"{area}-{'_ORA'[len(number[1].split('.'))]}{number[1]}")
    assert found == {node.id for node in TREE.nodes.values() if not node.id.startswith("XC-")}


def test_every_row_and_milestone_hangs_on_a_node_of_its_own_area():
    whole = [row.id for row in PLAN.rows.values() if not row.belongs] + [*PLAN.milestones]
    assert [one for one in whole if one not in TREE.places] == []
    for identity, node in TREE.places.items():
        assert identity.removeprefix("MS-").partition("-")[0] == node.id.partition("-")[0]


def test_who_is_responsible_with_what_and_when_stands_for_every_row():
    """Only where the Plan's table leaves a cell empty, or its frame names nothing, there is nothing to say."""
    bare = {
        (node.id, column)
        for node in TREE.nodes.values()
        if not TREE.below(node.id)
        for column in COLUMNS
        if TREE.said(node, column) is None
    }
    cells = {("VA-A1.1.1", "resources"), ("IE-A1.3.1", "resources")}
    cells |= {(f"LE-{one}", name) for one in ("A2.1.1", "A2.1.2", "R2.2", "R2.3", "R2.4") for name in COLUMNS[1:]}
    assert {one for one in bare if not one[0].startswith("XC-")} == cells


def test_what_stands_above_goes_for_what_says_nothing_of_its_own():
    manual = TREE.nodes["IE-A1.1.1"]
    assert [node.id for node in TREE.path(manual)] == ["IE-O1", "IE-R1.1", "IE-A1.1.1"]
    responsible = TREE.said(manual, "responsible")
    assert responsible.es == "Presidencia Pro-témpore. Secretaría Técnica. Secretaría Virtual."
    assert TREE.said(TREE.nodes["LE-A2.1.1"], "responsible") is None
    assert TREE.places["MS-IE-1"].id == "IE-R1.1"
    assert TREE.places["IP-1.1"].id == "IP-R1.1"
    assert TREE.carried("IE-R1.1") == ["IE-1.1b", "IE-1.1", "MS-IE-1", "IE-1.1.versions"]


OBJECTIVE = """
[[objective]]
id = "QQ-O1"
parent = "QQ"
text = { es = "Uno.", en = "One.", fr = "Un." }
by = ["QQ-1"]
unsaid = ["responsible", "resources", "schedule"]
"""
RESULT = """
[[result]]
id = "QQ-R1.1"
parent = "QQ-O1"
text = { es = "Dos.", en = "Two.", fr = "Deux." }
"""


def faults(tmp_path, text: str) -> list[str]:
    (tmp_path / "rows.toml").write_text(HEAD + ROW)
    (tmp_path / "tree.toml").write_text(text)
    with pytest.raises(PlanError) as caught:
        load(tmp_path)
    return str(caught.value).splitlines()


def test_a_plan_may_tell_its_hierarchy(tmp_path):
    (tmp_path / "all.toml").write_text(HEAD + ROW + OBJECTIVE + RESULT)
    assert [*load(tmp_path).hierarchy.nodes] == ["QQ-O1", "QQ-R1.1"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (OBJECTIVE.replace("QQ-1", "QQ-9"), "tree.toml: QQ-O1: there is no row or milestone 'QQ-9'"),
        (OBJECTIVE.replace('by = ["QQ-1"]', ""), "tree.toml: QQ-O1: nothing measures it"),
        (OBJECTIVE.replace('by = ["QQ-1"]', ""), "rows.toml: QQ-1: it hangs on no objective, result or activity"),
        (OBJECTIVE.replace('"resources", ', ""), "tree.toml: QQ-O1: it has no resources, nor has what stands above it"),
        (OBJECTIVE.replace('"QQ"', '"QX"'), "tree.toml: QQ-O1: its parent is its area, QQ"),
        (OBJECTIVE.replace("QQ-O1", "QX-O1"), "tree.toml: QX-O1: its id starts with no known area"),
        (OBJECTIVE.replace("QQ-O1", "QQ-1"), "tree.toml: QQ-1: id is already used in rows.toml"),
        (OBJECTIVE.replace("QQ-O1", "QQ-R1"), "tree.toml: QQ-R1: an id of this level is like QQ-O1"),
        (OBJECTIVE + RESULT.replace('"QQ-O1"', '"QQ-O9"'), "tree.toml: QQ-R1.1: its parent 'QQ-O9' is no objective"),
        (OBJECTIVE + RESULT.replace('"QQ-O1"', '"QQ"'), "tree.toml: QQ-R1.1: its parent 'QQ' is no objective"),
        (
            OBJECTIVE + RESULT.replace(', fr = "Deux."', ""),
            "tree.toml: QQ-R1.1: Object missing required field `fr`",
        ),
        (OBJECTIVE + RESULT.replace("result", "outcome"), "tree.toml: outcome: unknown table"),
        (
            OBJECTIVE + RESULT + 'indicators = [{ by = [], es = "a", en = "b", fr = "c" }]',
            "tree.toml: QQ-R1.1: nothing carries 'b'",
        ),
        (
            OBJECTIVE + RESULT + 'resources = { es = "a", en = "b", fr = "c" }\nunsaid = ["resources"]',
            "tree.toml: QQ-R1.1: resources is given, and said to be empty",
        ),
    ],
)
def test_a_link_that_leads_nowhere_or_is_missing_is_told_with_file_row_and_reason(tmp_path, text, told):
    assert any(one.startswith(told) for one in faults(tmp_path, text)), faults(tmp_path, text)


def closing(parent: str):
    """Yield (text, ids) of what stands below an area or node, in the order of the closing table."""
    for node in TREE.below(parent):
        yield plain(node.text.es), node.by
        yield from ((plain(entry.es), entry.by) for entry in (*node.indicators, *node.schedule))
        yield from closing(node.id)


def test_the_closing_table_has_each_line_of_the_plan_with_the_ids_that_carry_it():
    """docs/plan.md; what a line cannot say is written by hand, and is never left out."""
    text = CLOSING.read_text(encoding="utf-8")
    tables = text.partition("## What stands around the tables")[0]
    lines = [line.strip("|").split("|") for line in tables.splitlines() if re.match(r"\| (\*|Ind|Cron)", line)]
    said = [re.sub(r"^ (\*\*.*?\*\*|Indicador:|Cronograma:) ", "", one).strip() for one, _, _ in lines]
    wanted = [one for area in PLAN.areas for one in closing(area.id)]
    assert said == [one for one, _ in wanted]
    for (_, carried, cannot), (_, by) in zip(lines, wanted, strict=True):
        assert [one for one in by if f"`{one}`" not in carried] == []
        assert cannot.strip()
    named = {*re.findall(r"`([A-Z]{2}-[^` ]+)`", text)}
    assert named <= {*PLAN.rows, *PLAN.milestones}
    assert named >= {row.id for row in PLAN.rows.values() if not row.belongs} | {*PLAN.milestones}


@pytest.mark.parametrize("one", [*PLAN.rows.values(), *PLAN.milestones.values()], ids=lambda one: one.id)
def test_the_words_of_a_row_are_the_plans_own(one):
    """What lies between two parts of it is left out with ` … `."""
    for part in one.words.split(" … "):
        assert plain(part) in plain(TEXT)
