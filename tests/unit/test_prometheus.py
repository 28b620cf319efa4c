"""Prometheus' rules ask for metrics that exist, of services that exist, and each alert is tried."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from shared.contracts import SERVICES
from tests.harness.metrics import known_metrics, metrics_in

PROMETHEUS = Path(__file__).parents[2] / "infra" / "prometheus"
SEVERITIES = {"page", "ticket", "none"}
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def _yaml(file: Path):
    return YAML(typ="safe").load(file)


@pytest.fixture(scope="module")
def rules():
    files = sorted((PROMETHEUS / "rules").glob("*.yml"))
    return [rule for file in files for group in _yaml(file)["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def alerts(rules):
    return {rule["alert"]: rule for rule in rules if "alert" in rule}


def test_rules_ask_for_metrics_that_exist(rules):
    recorded = {rule["record"] for rule in rules if "record" in rule}
    for rule in rules:
        assert metrics_in(rule["expr"]) <= known_metrics() | recorded, rule


def test_every_alert_says_how_urgent_it_is_and_what_it_means(alerts):
    for name, rule in alerts.items():
        assert rule["labels"]["severity"] in SEVERITIES, name
        assert set(rule["annotations"]) == {"runbook_url", "summary", "description"}, name


def test_every_alert_is_tried(alerts):
    files = sorted((PROMETHEUS / "tests").glob("*.yml"))
    tried = [one for file in files for test in _yaml(file)["tests"] for one in test["alert_rule_test"]]
    assert {one["alertname"] for one in tried if one["exp_alerts"]} == set(alerts)


def test_every_alert_has_its_page_where_its_link_leads(alerts):
    """An anchor as GitHub and Markdown's readers make it of a heading; and no page for an alert that is none."""
    pages = re.findall(r"^### (\w+)$", OPERATIONS.read_text(), re.MULTILINE)
    assert [page for page in pages if page.startswith(("Crm", "Watchdog"))] == [*alerts]
    for name, rule in alerts.items():
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{name.lower()}"


def test_every_metric_of_a_process_is_explained_to_operators():
    told, process = OPERATIONS.read_text(), re.compile(r"process_|python_|.*_created$")
    names = {re.sub("_(bucket|sum|count)$", "", name) for name in known_metrics() if not process.match(name)}
    assert [name for name in sorted(names - {"up"}) if name not in told] == []


def test_a_missing_service_is_noticed_for_each_of_the_five(alerts):
    missed = re.findall(r'absent\(crm_ready\{service="(\w+)"\}\)', alerts["CrmServiceMissing"]["expr"])
    assert sorted(missed) == sorted(SERVICES)


def test_every_replica_of_each_service_is_scraped():
    jobs = {job["job_name"]: job for job in _yaml(PROMETHEUS / "prometheus.yml")["scrape_configs"]}
    (found,) = jobs["crm-services"]["dns_sd_configs"]
    assert sorted(found["names"]) == sorted(SERVICES)
    assert found["port"] == 8081
    assert jobs["crm-board"]["static_configs"] == [{"targets": ["indicators:8080"]}]
