"""Prometheus' configuration and rules, tried with Debian's promtool (package `prometheus`)."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "infra" / "prometheus"
DASHBOARDS = ROOT / "infra" / "grafana" / "dashboards"


@pytest.fixture(scope="module")
def promtool():
    found = shutil.which("promtool")
    assert found, "promtool is missing: apt-get install prometheus"

    def run(*arguments) -> str:
        done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_configuration_is_valid(promtool):
    told = promtool("check", "config", "--syntax-only", PROMETHEUS / "prometheus.yml")
    assert "SUCCESS" in told


def test_each_alert_fires_when_it_should_and_only_then(promtool):
    files = sorted((PROMETHEUS / "tests").glob("*.yml"))
    assert files
    promtool("test", "rules", *files)


def test_every_dashboard_query_is_promql(promtool, tmp_path):
    queries = []
    for file in sorted(DASHBOARDS.rglob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            queries += [target["expr"].replace("$country", "GTM") for target in panel.get("targets", [])]
    assert queries
    rules = [{"record": f"query_{number}", "expr": expr} for number, expr in enumerate(queries)]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    promtool("check", "rules", file)
