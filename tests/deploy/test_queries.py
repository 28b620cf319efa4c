"""A real Prometheus scrapes a system that plays the Plan: every query of every dashboard and alert gives data.

It needs Debian's `prometheus`. Queries are asked until each has given something once: much happens late in the Plan.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.parse
import urllib.request

import pytest
from ruamel.yaml import YAML

from tests.harness.metrics import selectors_in
from tests.harness.system import ROOT, free_port, until

PROMETHEUS = ROOT / "infra" / "prometheus"
DASHBOARDS = ROOT / "infra" / "grafana" / "dashboards"
PATIENCE_S = 420
COUNTRY = "GTM"
EMPTY = {
    "crm_certificate_expires_timestamp_seconds": "the copy here speaks without TLS; tests/deploy/test_tls.py has it on",
    "crm_trust_expires_timestamp_seconds": "as above",
    "crm_upkeep_timestamp_seconds > 0": "nobody has verified or backed up this copy yet",
}
"""What is rightly without data here: part of the query -> why."""
SOMETIMES = {
    r"max by \(indicator\) \(crm_indicator_met\{.*": "a verdict that is not known for certain is not given",
    r"max by \(indicator\) \(crm_indicator_coverage_ratio\{.*": "of what countries do not report there is no coverage",
    r"sum by \(indicator\) \(crm_indicator_value\{country=\"GTM\".*": "a few rare things do not happen in each country",
}
"""What may be without data of one table or another: the query -> why. Most of each must have some."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The whole system on this machine, with the synthetic region, ten plan days a second."""
    folder = tmp_path_factory.mktemp("played", numbered=True)
    state = folder / "state"
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CRM_", "MAKE", "TLS"))}
    env = {**kept, "PYTHONPATH": str(ROOT), "CRM_HTTP_PORT": "0", "CRM_OPS_PORT": "0", "CRM_NATS_PORT": "0"}
    command = [sys.executable, "-m", "infra.cli", "up", "--state-dir", str(state), "--speed", "864000"]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out)

    def there() -> bool:
        assert process.poll() is None, (folder / "out").read_text()
        return (state / "run.json").exists()

    try:
        asyncio.run(until(there, "the copy to run", 240))
        yield json.loads((state / "run.json").read_text()) | {"token": state / "creds" / "operator.token"}
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


@pytest.fixture(scope="module")
def prometheus(copy, tmp_path_factory):
    """A Prometheus with our rules, which scrapes that system as the one of compose does; its address."""
    found = shutil.which("prometheus")
    assert found, "prometheus is missing: apt-get install prometheus"
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    ops = [address.removeprefix("http://") for address in copy["ops"].values()]
    config = {
        "global": {"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "2s"},
        "rule_files": [str(PROMETHEUS / "rules" / "*.yml")],
        "scrape_configs": [
            {"job_name": "crm-services", "static_configs": [{"targets": ops}]},
            {
                "job_name": "crm-board",
                "metrics_path": "/metrics/operator",
                "authorization": {"credentials_file": str(copy["token"])},
                "honor_labels": True,
                "scrape_interval": "10s",
                "scrape_timeout": "10s",  # what is played so fast changes as a whole between two scrapes
                "static_configs": [{"targets": [copy["http"].removeprefix("http://")]}],
            },
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    command = [found, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=out, stderr=out, cwd=folder
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def queries() -> dict[str, str]:
    """Every query -> where it stands: of dashboards as they are, of rules what they ask for."""
    found = {}
    for file in sorted(DASHBOARDS.glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", []):
                found[target["expr"].replace("$country", COUNTRY)] = f"{file.stem}: {panel['title']}"
    for file in sorted((PROMETHEUS / "rules").glob("*.yml")):
        for group in YAML(typ="safe").load(file)["groups"]:
            for rule in group["rules"]:
                name = rule.get("alert", rule.get("record"))
                found |= dict.fromkeys(selectors_in(rule["expr"]), name)
    return found


def asked(prometheus: str, query: str) -> list:
    address = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        return json.load(answer)["data"]["result"]


def test_the_dashboards_of_other_languages_ask_the_same():
    """So it is enough to ask one language's."""
    for folder in (DASHBOARDS / "en", DASHBOARDS / "fr"):
        for file in sorted(DASHBOARDS.glob("*.json")):
            of = [
                [
                    target["expr"]
                    for panel in json.loads(one.read_text())["panels"]
                    for target in panel.get("targets", [])
                ]
                for one in (file, folder / file.name)
            ]
            assert of[0] == of[1]


def test_every_query_gives_data(prometheus):
    waiting = {query: where for query, where in queries().items() if not any(part in query for part in EMPTY)}
    assert len(waiting) > 300
    sometimes = {kind: [query for query in waiting if re.fullmatch(kind, query)] for kind in SOMETIMES}
    found: set[str] = set()

    def excused() -> bool:
        return waiting.keys() <= {query for some in sometimes.values() for query in some} and all(
            len(found.intersection(some)) > 0.7 * len(some) for some in sometimes.values()
        )

    def all_given() -> bool:
        for query in [*waiting]:
            try:
                given = asked(prometheus, query)
            except OSError:
                return False  # it starts
            if given:
                found.add(query)
                del waiting[query]
        return excused()

    async def whole() -> None:
        try:
            await until(all_given, "all queries to give data", PATIENCE_S)
        except TimeoutError:
            told = "\n".join(f"{where}: {query}" for query, where in waiting.items())
            raise AssertionError(f"without data, of {len(found) + len(waiting)}:\n{told}") from None

    asyncio.run(whole())


@pytest.mark.parametrize("part", EMPTY)
def test_what_is_said_to_be_empty_is_asked_for(part):
    assert any(part in query for query in queries())


def test_the_watchdog_fires_and_nothing_says_that_the_system_is_broken(prometheus):
    """The alerts about the Plan's own course may fire: it is played. And so may those of a machine that is too slow."""
    own = {"CrmReferralOverdue", "CrmMilestoneMissed", "CrmCountrySilent", "CrmRejectedHigh"}
    own |= {"CrmFiguresLate", "CrmFiguresLateSlowly", "CrmIntakeLate", "CrmIntakeLateSlowly", "CrmWaiting"}
    firing = {one["metric"]["alertname"] for one in asked(prometheus, 'ALERTS{alertstate="firing"}')}
    assert "Watchdog" in firing
    assert firing - own == {"Watchdog"}


def test_a_query_of_a_metric_that_nobody_has_gives_none(prometheus):
    """The control: what the test above would find."""
    assert asked(prometheus, "crm_no_such_metric") == []
