"""The dashboards: what the code generates, about metrics and rows that exist, in a form that Grafana takes."""

import json
from typing import get_args

import pytest

from infra.grafana import plan
from infra.grafana.__main__ import FOLDER, outdated
from services.indicators.planned.plan import load
from services.indicators.planned.rows import Kind
from tests.harness.metrics import known_metrics, metrics_in


@pytest.fixture(scope="module", params=sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def dashboard(request):
    return json.loads(request.param.read_text())


@pytest.fixture(scope="module")
def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def test_committed_json_is_what_the_code_generates():
    assert outdated() == [], "run `python -m infra.grafana`"


def test_queries_ask_for_metrics_that_exist(panels):
    for panel in panels:
        for target in panel["targets"]:
            asked = metrics_in(target["expr"])
            assert asked, panel["title"]
            assert asked <= known_metrics(), panel["title"]


def test_panels_are_told_apart_and_explained(dashboard, panels):
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels:
        letters = [target["refId"] for target in panel["targets"]]
        assert all(letters), panel["title"]
        assert len(set(letters)) == len(letters), panel["title"]
        assert panel["description"], panel["title"]


def test_data_source_is_a_variable(dashboard, panels):
    (variable,) = dashboard["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    used = {source["uid"] for panel in panels for source in (panel["datasource"], panel["targets"][0]["datasource"])}
    assert used == {f"${{{variable['name']}}}"}


def test_panels_do_not_overlap(dashboard):
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_row_of_the_plan_is_on_the_dashboard():
    text = (FOLDER / "plan-of-action.json").read_text()
    loaded = load()
    titles = [f"{row.id}  {row.title.es}" for row in loaded.rows.values()]
    titles += [f"{one.id}  {one.title.es}" for one in loaded.milestones.values() if one.recurring is None]
    assert [title for title in titles if json.dumps(title, ensure_ascii=False) not in text] == []


def test_of_every_kind_it_is_known_how_the_regions_figure_comes_about():
    assert {*get_args(Kind)} == plan.RATIOS | plan.PLAIN
    assert not plan.RATIOS & plan.PLAIN
