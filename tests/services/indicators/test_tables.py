"""The same figures as CSV: each line is a cell of the JSON, guarded alike; the index tells what its columns mean."""

import csv
import io
import json
import re

import pytest

from services.indicators.planned.persons import row_about_persons
from tests.services.indicators.making import PLAN
from tests.services.indicators.serving import example_fold, get, served, viewed

TOKEN = {"Authorization": "Bearer secret"}
LANGUAGES = {"es", "en", "fr"}


@pytest.fixture(scope="module")
def base():
    with served(viewed(example_fold())) as address:
        yield address


def table(text):
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def number(text):
    return None if text == "" else float(text)


def test_a_rows_table_has_its_one_figure_and_a_line_for_each_cell(base):
    status, body, headers = get(f"{base}/api/indicators/LE-2.1?format=csv")
    assert (status, headers["content-type"]) == (200, "text/csv; charset=utf-8; header=present")
    title = "Countries party to the treaties"
    assert body == "".join(
        f"{line}\r\n"
        for line in (
            "indicator,title,country,label_instrument,unit,value,numerator,denominator,suppressed,target,met,as_of",
            f"LE-2.1,{title},REG,,countries,0,,,false,11.0,false,2003-12-31",
            f"LE-2.1,{title},BLZ,TIP,countries,1,,,false,,,2003-12-31",
            f"LE-2.1,{title},MEX,TIP,countries,1,,,false,,,2003-12-31",
            f"LE-2.1,{title},REG,TIP,countries,2,,,false,,,2003-12-31",
        )
    )


@pytest.mark.parametrize("headers", [{}, TOKEN], ids=["public", "operator"])
def test_the_table_has_what_json_has_and_nothing_else(base, headers):
    lines = table(get(f"{base}/api/indicators.csv?as_of=2004-12-31", **headers)[1])
    assert [*dict.fromkeys(one["indicator"] for one in lines)] == [
        row for row in PLAN.rows if any(one["indicator"] == row for one in lines)
    ]
    labels = [name for name in lines[0] if name.startswith("label_")]
    keys = [(one["indicator"], one["country"], *(one[name] for name in labels)) for one in lines]
    assert len({*keys}) == len(keys)
    listed = {one["id"]: one for one in json.loads(get(f"{base}/api/indicators?as_of=2004-12-31", **headers)[1])}
    hidden = 0
    for row in PLAN.rows:
        cells = json.loads(get(f"{base}/api/indicators/{row}?as_of=2004-12-31", **headers)[1])["values"]
        mine = [one for one in lines if one["indicator"] == row]
        whole = listed[row]
        alone = [] if any(one["country"] == "REG" and not one["labels"] for one in cells) else [whole]
        alone = alone if whole["value"] is not None or whole["suppressed"] else []
        expected = [*({**one, "country": "REG", "labels": {}} for one in alone), *cells]
        assert len(mine) == len(expected), row
        for line, one in zip(mine, expected, strict=True):
            assert (line["country"], line["unit"]) == (one["country"], PLAN.rows[row].unit)
            assert {name: line[f"label_{name}"] for name in one["labels"]} == one["labels"]
            assert sum(bool(line[name]) for name in labels) == len([value for value in one["labels"].values() if value])
            for name in ("value", "numerator", "denominator"):
                assert number(line[name]) == one[name], (row, line)
            assert line["suppressed"] == str(one["suppressed"]).lower()
            hidden += one["suppressed"]
            if one["country"] == "REG" and not one["labels"]:
                assert (number(line["target"]), line["met"]) == (
                    whole["target"],
                    "" if whole["met"] is None else str(whole["met"]).lower(),
                )
                # Of what is counted without a label there is a 0 before anything is known.
                assert whole["value"] in (number(line["value"]), None)
    assert bool(hidden) is not bool(headers)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("text/csv", "csv"),
        ("application/json;q=0.5, text/csv;q=0.9", "csv"),
        ("text/csv;q=0.1, application/json", "json"),
        ("text/html, */*;q=0.8", "json"),
        ("text/csv;q=0", "json"),
        ("text/csv;q=x, ,;", "json"),
        ("", "json"),
    ],
)
def test_the_form_is_what_the_client_likes_best(base, accept, form):
    for path in ("/api/indicators", "/api/indicators/LE-2.1", "/api/objectives", "/api/milestones"):
        _, _, headers = get(base + path, Accept=accept)
        assert form in headers["content-type"]
        assert "Accept" in headers["vary"]
        assert "csv" in get(f"{base}{path}?format=csv", Accept=accept)[2]["content-type"]
        assert "json" in get(f"{base}{path}?format=json", Accept=accept)[2]["content-type"]


def test_milestones_and_objectives_as_lines(base):
    due = {one["id"]: one for one in table(get(f"{base}/api/milestones?format=csv&lang=fr")[1])}
    assert [*due] == [one["id"] for one in json.loads(get(f"{base}/api/milestones")[1])]
    assert due["MS-LE-1"]["missing"].split(" ")[:2] == ["BLZ", "CAN"]
    assert (due["MS-IE-4/2003-07-01"]["state"], due["MS-IE-4/2003-07-01"]["reached"]) == ("missed", "")
    assert due["MS-LE-1"]["title"] == "Groupe technique créé"
    nodes = {one["id"]: one for one in table(get(f"{base}/api/objectives?format=csv&lang=es")[1])}
    assert next(iter(nodes)) == PLAN.areas[0].id
    assert len(nodes) == len(PLAN.areas) + len(PLAN.hierarchy.nodes)
    assert nodes["LE-R2.1"] | {"parent": "LE-O2", "level": "result", "not_met": "1"} == nodes["LE-R2.1"]


def test_the_index_names_every_row_label_value_and_code_in_three_languages(base):
    found = json.loads(get(f"{base}/api/index")[1])
    assert [one["id"] for one in found["indicators"]] == [*PLAN.rows]
    assert [one["id"] for one in found["milestones"]] == [*PLAN.milestones]
    named = [found, *found["areas"], *found["countries"], *found["units"], *found["indicators"], *found["milestones"]]
    named += [label for one in found["indicators"] for label in one["labels"]]
    named += [value for one in found["indicators"] for label in one["labels"] for value in label["values"]]
    for one in named:
        texts = one.get("title") or one.get("name")
        assert {*texts} == LANGUAGES
        assert all(texts.values()), one
    assert {one["unit"] for one in found["indicators"]} == {one["code"] for one in found["units"]}
    treaties = next(one for one in found["indicators"] if one["id"] == "LE-2.1")
    assert treaties["dimensions"] == ["country", "instrument"]
    assert {"code": "HND", "name": {"es": "Honduras", "en": "Honduras", "fr": "Honduras"}} in found["countries"]
    assert (treaties["target"], treaties["direction"], treaties["place"]) == (11, "at_least", "LE-R2.1")
    (guarded,) = (one for one in found["indicators"] if one["id"] == "VA-4.1")
    assert guarded["guarded"]
    sexes = next(label for label in guarded["labels"] if label["name"] == "sex")
    assert {one["code"] for one in sexes["values"]} >= {"female", "male"}
    (kinds,) = (one for one in found["indicators"] if one["id"] == "IE-3.2.2.kinds")
    assert (kinds["dimensions"], kinds["counted"]["name"]) == (["country"], "doc_code")
    for one in found["indicators"]:
        assert get(base + one["links"]["page"])[0] == get(base + one["links"]["table"])[0] == 200


def test_every_label_of_a_figure_is_a_dimension_of_its_row(base):
    found = {one["id"]: one for one in json.loads(get(f"{base}/api/index")[1])["indicators"]}
    for row, one in found.items():
        for cell in json.loads(get(f"{base}/api/indicators/{row}")[1])["values"]:
            assert [*cell["labels"]] in ([], one["dimensions"][1:])


def sdmx(base, path, **headers):
    status, body, got = get(f"{base}{path}{'&' if '?' in path else '?'}format=sdmx-csv", **headers)
    assert (status, got["content-type"]) == (200, "application/vnd.sdmx.data+csv; version=2.0.0")
    return table(body)


@pytest.fixture(scope="module")
def structure(base):
    _, body, headers = get(f"{base}/api/structure")
    assert headers["content-type"] == "application/vnd.sdmx.structure+json; version=2.0.0"
    return json.loads(body)["data"]


@pytest.mark.parametrize("headers", [{}, TOKEN], ids=["public", "operator"])
def test_sdmx_has_the_same_figures_under_keys_of_their_own(base, structure, headers):
    lines = table(get(f"{base}/api/indicators.csv?as_of=2004-12-31", **headers)[1])
    found = sdmx(base, "/api/indicators?as_of=2004-12-31", **headers)
    components = structure["dataStructures"][0]["dataStructureComponents"]
    dimensions = [one["id"] for one in components["dimensionList"]["dimensions"]]
    attributes = [one["id"] for one in components["attributeList"]["attributes"]]
    columns = ["STRUCTURE", "STRUCTURE_ID", "ACTION", *dimensions, "TIME_PERIOD", "OBS_VALUE", *attributes]
    assert [*found[0]] == columns
    lists = {one["id"]: {code["id"] for code in one["codes"]} for one in structure["codelists"]}
    coded = {"INDICATOR": "CL_INDICATOR", "REF_AREA": "CL_AREA", "UNIT_MEASURE": "CL_UNIT"}
    coded |= {"OBS_STATUS": "CL_OBS_STATUS", "CONF_STATUS": "CL_CONF_STATUS"}
    for line, one in zip(lines, found, strict=True):
        assert (one["STRUCTURE"], one["STRUCTURE_ID"], one["ACTION"]) == ("dataflow", "CRM:FIGURES(1.0.0)", "R")
        assert (one["REF_AREA"], one["OBS_VALUE"], one["NUMERATOR"], one["DENOMINATOR"]) == (
            *(line[name] for name in ("country", "value", "numerator", "denominator")),
        )
        labels = {name: value for name, value in line.items() if name.startswith("label_") and value}
        pairs = dict(part.split("=") for part in one["BREAKDOWN"].split(";")) if one["BREAKDOWN"] != "_T" else {}
        assert {f"label_{name}": value for name, value in pairs.items()} == labels
        assert (one["OBS_STATUS"] == "Q") is (line["suppressed"] == "true") is (one["CONF_STATUS"] == "C")
        assert (one["OBS_STATUS"] == "A") is (line["value"] != "")
        victims = row_about_persons(PLAN.rows[line["indicator"]])
        assert (one["CONF_STATUS"] == "N") is (victims and bool(headers))
        assert all(one[name] in lists[codes] for name, codes in coded.items())
    assert len({tuple(one[name] for name in [*dimensions, "TIME_PERIOD"]) for one in found}) == len(found)


def test_the_structure_has_a_code_for_every_row_with_its_words(structure):
    lists = {one["id"]: one["codes"] for one in structure["codelists"]}
    assert len({one["id"] for one in lists["CL_INDICATOR"]}) == len(PLAN.rows)
    for codes in lists.values():
        for one in codes:
            assert re.fullmatch(r"[A-Za-z0-9_@$-]+", one["id"])
            assert {*one["names"]} == LANGUAGES
            assert all(one["names"].values())
