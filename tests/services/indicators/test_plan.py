from datetime import date
from pathlib import Path

import pytest

from services.indicators.planned.plan import PlanError, load
from services.indicators.planned.schedule import After, first_tuesdays, months_after
from services.indicators.publish.words import LANGUAGES, words
from tests.services.indicators.making import PLAN

HEAD = """
[plan]
start = 2030-01-01
title = { es = "Otro", en = "Another", fr = "Autre" }
[[area]]
id = "QQ"
title = { es = "Área", en = "Area", fr = "Domaine" }
"""
ROW = """
[[indicator]]
id = "QQ-1"
kind = "count"
unit = "bands"
words = "bandas"
responsible = "-"
title = { es = "Bandas", en = "Bands", fr = "Bandes" }
labels = { scope = "scope" }
term = [{ event = "intel.band.dismantled" }]
"""


def faults(tmp_path, text: str) -> list[str]:
    (tmp_path / "plan.toml").write_text(HEAD)
    (tmp_path / "rows.toml").write_text(text)
    with pytest.raises(PlanError) as caught:
        load(tmp_path)
    return str(caught.value).splitlines()


def test_the_plan_has_the_rows_and_milestones_of_the_core_slice():
    assert set(PLAN.rows) >= {
        "IE-1.2c",
        "IE-1.2d",
        "IE-1.2.2",
        "IE-1.2.3",
        "IE-2.1",
        "IE-3.1i",
        "IE-3.1ii",
        "IE-3.1iii",
        "IE-3.2b",
        "IE-3.2.1",
        "IE-3.2.2",
        "VA-2.1",
        "VA-4.1",
        "VA-5.1b",
        "VA-6.1",
        "LE-1.R3",
        "LE-2.1",
        "PC-1a",
        "PC-1c",
        "IP-2.1",
        "IP-3.1",
        "IP-a",
        "IP-e",
        "IP-f",
        "XC-2",
        "XC-6",
    }
    assert PLAN.rows["IP-2.1"].target == 0.5
    assert PLAN.rows["IP-3.1"].target == 0.3
    assert PLAN.milestones["MS-IP-4"].due == date(2004, 2, 29)


def test_another_plan_is_another_folder(tmp_path):
    (tmp_path / "one.toml").write_text(HEAD + ROW)
    assert list(load(tmp_path).rows) == ["QQ-1"]
    assert load(tmp_path).digest != PLAN.digest


def test_all_faults_are_told_at_once_with_file_row_and_reason(tmp_path):
    found = faults(
        tmp_path,
        ROW
        + ROW
        + ROW.replace("QQ-1", "QQ-2").replace("dismantled", "dismissed")
        + ROW.replace("QQ-1", "QQ-3").replace('"scope" }', '"size" }')
        + ROW.replace("QQ-1", "QQ-4").replace('"scope" }', '"band_id" }')
        + ROW.replace("QQ-1", "QQ-5").replace('"count"', '"sum"')
        + ROW.replace("QQ-1", "ZZ-6")
        + ROW.replace("QQ-1", "QQ-7").replace('dismantled" }', 'dismantled", where = { scope = "galactic" } }')
        + ROW.replace("QQ-1", "QQ-8").replace('dismantled" }', 'dismantled", add = "scope" }')
        + ROW.replace("QQ-1", "QQ-9").replace('"count"', '"ratio"')
        + ROW.replace("QQ-1", "QQ-10").replace("{ scope =", "{ country =")
        + ROW.replace("QQ-1", "QQ-11").replace('"count"', '"count"\nwhole = true')
        + ROW.replace("QQ-1", "QQ-12").replace('"count"', '"count"\nwithin = { first = 2030-02-01, last = 2030-01-01 }')
        + ROW.replace("QQ-1", "QQ-14")
        .replace('dismantled" }', 'dismantled", add = "dismantled" }')
        .replace('"scope" }', '"countries.*" }')
        + ROW.replace("QQ-1", "QQ-15").replace(
            'dismantled" }', 'dismantled", add = "dismantled", country = "countries.0" }'
        )
        + ROW.replace("QQ-1", "QQ-13").replace('dismantled" }', 'dismantled", add = "dismantled", before = 1 }')
        + """
[[milestone]]
id = "MS-1"
words = "-"
responsible = "-"
title = { es = "-", en = "-", fr = "-" }
due = 2030-02-01
recurring = { rule = "first_tuesday", first = 2030-02-01, last = 2030-01-01 }
done = [{ event = "intel.band.dismissed" }]
""",
    )
    expected = [
        "rows.toml: QQ-1: id is already used in rows.toml",
        "rows.toml: QQ-2: term 1: unknown event type 'intel.band.dismissed'",
        "rows.toml: QQ-3: term 1: label 'scope': intel.band.dismantled has no field 'size'",
        "rows.toml: QQ-4: term 1: label 'scope': intel.band.dismantled field 'band_id' has no closed list of values",
        "rows.toml: QQ-5: Invalid enum value 'sum' - at `$.kind`",
        "rows.toml: ZZ-6: its id starts with no known area",
        "rows.toml: QQ-7: term 1: where: intel.band.dismantled field 'scope' never has the value 'galactic'",
        "rows.toml: QQ-8: term 1: intel.band.dismantled field 'scope' is not a whole number",
        "rows.toml: QQ-9: kind ratio needs terms with role denominator and numerator, and no others",
        "rows.toml: QQ-10: a label cannot be named 'country'",
        "rows.toml: QQ-11: part and whole are for kind ratio",
        "rows.toml: QQ-12: within: first comes after last",
        (
            "rows.toml: QQ-13: term 1: before: intel.band.dismantled leaves 'dismantled' out where it changes nothing:"
            " name its shifts"
        ),
        "rows.toml: QQ-14: term 1: add: intel.band.dismantled does not tell 'dismantled' apart by 'countries.*'",
        "rows.toml: QQ-15: term 1: add: intel.band.dismantled does not tell 'dismantled' apart by 'countries.0'",
        "rows.toml: MS-1: has more than one of due, after, recurring, window, continuous",
        "rows.toml: MS-1: recurring: first comes after last",
        "rows.toml: MS-1: done: unknown event type 'intel.band.dismissed'",
    ]
    assert sorted(found) == sorted(expected)


def test_an_impossible_date_and_broken_toml_name_their_file(tmp_path):
    (tmp_path / "broken.toml").write_text("due = 2003-02-30")
    assert any(fault.startswith("broken.toml: -: not TOML") for fault in faults(tmp_path, ROW))


def test_first_tuesdays_are_those_of_the_plan():
    days = first_tuesdays(date(2003, 6, 1), date(2005, 6, 30))
    assert len(days) == 25
    assert [str(day) for day in (*days[:7], days[-1])] == [
        *("2003-06-03", "2003-07-01", "2003-08-05", "2003-09-02", "2003-10-07", "2003-11-04", "2003-12-02"),
        "2005-06-07",
    ]


@pytest.mark.parametrize(
    ("start", "months", "end_of_month", "expected"),
    [
        (date(2003, 5, 29), 3, True, date(2003, 8, 31)),
        (date(2003, 5, 30), 7, True, date(2003, 12, 31)),
        (date(2003, 11, 30), 3, False, date(2004, 2, 29)),
    ],
)
def test_months_after(start, months, end_of_month, expected):
    assert months_after(start, After("x", months, end_of_month)) == expected


def test_every_text_and_unit_is_there_in_every_language():
    said = {lang: words(lang) for lang, _ in LANGUAGES}
    for lang in said.values():
        assert lang.text.keys() == said["es"].text.keys()
        assert {row.unit for row in PLAN.rows.values()} <= lang.units.keys()


@pytest.mark.parametrize(
    ("lang", "one", "two"), [("es", "curso", "cursos"), ("en", "course", "courses"), ("fr", "cours", "cours")]
)
def test_one_of_a_unit_is_said_in_the_singular(lang, one, two):
    said = words(lang)
    assert (said.unit("courses", 1.0), said.unit("courses", 2), said.unit("courses", None)) == (one, two, two)
    assert said.units_of_one.keys() == words("en").units_of_one.keys() <= said.units.keys()


def test_a_plan_brings_words_for_units_and_labels_of_its_own():
    plan = load(Path(__file__).parents[2] / "plans" / "second")
    assert words("es", plan).unit("members", 2) == "integrantes"
    assert words("es", PLAN).unit("members", 2) == "members"
