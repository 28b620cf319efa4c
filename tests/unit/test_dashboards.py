"""The dashboards: what the code generates, about metrics and rows that exist, in a form that Grafana takes."""

import json
import re
from typing import get_args

import pytest

from infra.grafana import plan
from infra.grafana.__main__ import FOLDER, outdated
from infra.grafana.panels import Panels
from services.indicators.planned.plan import load
from services.indicators.planned.rows import Kind
from tests.harness.metrics import known_metrics, metrics_in


@pytest.fixture(
    scope="module", params=sorted(FOLDER.rglob("*.json")), ids=lambda file: f"{file.parent.name}/{file.stem}"
)
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
    variable, *_ = dashboard["templating"]["list"]
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


@pytest.mark.parametrize("lang", ["es", "en", "fr"])
def test_every_row_and_milestone_of_the_plan_is_on_a_dashboard_of_each_language(lang):
    folder = FOLDER if lang == "es" else FOLDER / lang
    text = "".join(file.read_text() for file in folder.glob("*.json"))
    loaded, say = load(), Panels(lang).say
    titles = [f"{row.id}  {say(row.title)}" for row in loaded.rows.values()]
    titles += [f"{one.id}  {say(one.title)}" for one in loaded.milestones.values() if one.recurring is None]
    assert [title for title in titles if json.dumps(title, ensure_ascii=False) not in text] == []


def test_links_reach_every_dashboard_of_the_same_language(dashboard):
    """A dashboard has two tags: one of all, and one by which the links of its language find it."""
    _, found = dashboard["tags"]
    lang = found[-2:]
    wanted = {tag for link in dashboard["links"] for tag in link["tags"]}
    assert wanted == {f"crm-plan-{lang}", f"crm-operations-{lang}"}
    assert found in wanted
    folder = FOLDER if lang == "es" else FOLDER / lang
    there = {json.loads(file.read_text())["uid"] for file in folder.glob("*.json")}
    doors = re.findall(r'"url": "/d/([^"]+)"', json.dumps(dashboard))
    areas = [area.id for area in load().areas]
    assert {door.replace("${__value.raw}", area) for door in doors for area in areas} <= there


def test_no_column_has_two_units_and_every_graph_has_one(panels):
    for panel in panels:
        if panel["type"] != "table":
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


@pytest.mark.parametrize("folder", [FOLDER, FOLDER / "en", FOLDER / "fr"], ids=lambda folder: folder.name)
def test_no_folder_has_a_title_twice(folder):
    """Grafana would then take none of the folder's dashboards."""
    titles = [json.loads(file.read_text())["title"] for file in folder.glob("*.json")]
    assert len(titles) == len({*titles})
    provider = (FOLDER.parent / "provisioning" / "dashboards" / "crm.yml").read_text()
    assert "foldersFromFilesStructure: true" in provider


def test_dashboards_are_told_apart():
    uids = [json.loads(file.read_text())["uid"] for file in FOLDER.rglob("*.json")]
    assert len(uids) == len(set(uids))
    assert "crm-plan" in uids, "an address that was given out"


def test_of_every_kind_it_is_known_how_the_regions_figure_comes_about():
    assert {*get_args(Kind)} == plan.RATIOS | plan.PLAIN
    assert not plan.RATIOS & plan.PLAIN


UNJUDGED = {
    'crm_stream_messages{stream="QUARANTINE"}': "how full it is stands beside it",
    'crm_stream_bytes{stream="QUARANTINE"}': "the same",
    "crm_nats_connections": "any number is right: countries' systems come and go",
    "crm_nats_memory_bytes": "it has no limit of its own; the machine's is watched",
    'count(crm_milestone_reached_timestamp_seconds{milestone!~".+/.+"})': "few are right at first",
    "max(crm_clock_timestamp_seconds) * 1000": "a time of day",
}
"""Figures of which no number is good or bad: their query -> why."""


def judged(panel):
    return len(panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", ())) > 1


def test_a_large_figure_says_whether_it_is_good_or_there_is_a_reason(panels):
    for panel in panels:
        if panel["type"] == "stat":
            assert judged(panel) is not (panel["targets"][0]["expr"] in UNJUDGED), panel["title"]


def test_the_plans_own_numbers_part_good_from_bad():
    plan_, country = (
        json.loads((FOLDER / "en" / f"{name}.json").read_text()) for name in ("plan-of-action", "country")
    )
    steps = {
        panel["title"]: [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]][1:]
        for panel in (*plan_["panels"], *country["panels"])
        if panel["type"] == "stat" and judged(panel)
    }
    known = load()
    targets = sum(row.target is not None for row in known.rows.values())
    assert steps["Targets judged"] == [targets]
    assert steps["Targets met"] == pytest.approx([targets / 2, targets * 0.8])
    assert steps["Last report ago"] == [known.silent_days * 86_400]
