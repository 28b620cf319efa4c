"""compose.yaml as an operator starts it: a report's way, upkeep, scaling, upgrades, losses."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from shared import tls
from shared.client import CountryClient
from shared.contracts import SERVICES
from tests.containers.conftest import NAME
from tests.containers.seen import Region
from tests.harness.system import until

FLAGGED = {
    "doc_code": "PP",
    "issuing": "HND",
    "fraud_type": "photo_substitution",
    "detected_by": "second_line",
    "reported_by": "immigration",
}
FIGURE = "IE-3.1ii"


@asynccontextmanager
async def reporting(region: Region) -> AsyncIterator[list[str]]:
    """Honduras reports all the while; the ids of what was acknowledged. Afterwards each is recorded, once."""
    sent: list[str] = []
    stopping = asyncio.Event()

    async def report() -> None:
        async with region.country("HND") as hnd:
            while not stopping.is_set():
                one = hnd.report("intel.document.flagged", FLAGGED, subject=f"doc-{time.monotonic_ns()}")
                await hnd.publish(one)
                sent.append(one["id"])
                await asyncio.sleep(0.05)

    task = asyncio.create_task(report())
    await until(lambda: task.done() or len(sent) > 5, "the first reports", 60)
    yield sent
    before = len(sent)
    await until(lambda: task.done() or len(sent) > before + 5, "reports after it", 120)
    stopping.set()
    await task
    await until(lambda: set(sent) <= set(region.recorded()), "every report to be recorded", 180)
    mine = [one for one in region.recorded() if one in set(sent)]
    assert len(mine) == len(sent), "each once"


# --- a report's way ------------------------------------------------------------------------------------------------
async def test_a_country_elsewhere_reports_by_tls_and_is_told(region):
    """From another network, by the address and the name that the operator gave; nothing else answers there."""
    said = ["pub", "-", "--as", "GTM", "--nats-url", f"tls://{NAME}:4222", "--seed", "/handed/GTM.nk"]
    async with region.country("GTM") as gtm:
        report = gtm.report("intel.document.flagged", FLAGGED, subject="elsewhere-1")
    crm = ["exec", "--interactive", "country", "python", "-m", "infra.cli"]
    told = region.podman(*crm, *said, stdin=json.dumps(report).encode())
    assert f"stored {report['id']}" in told
    await until(lambda: report["id"] in region.recorded(), "the report to be recorded", 60)
    knock = (
        "import socket,sys\nfor port in (4222, 8222, 5432, 8081, 8080, 9090):\n try:\n"
        f"  socket.create_connection(('{region.address}', port), 2)\n  print(port)\n except OSError: pass"
    )
    assert region.podman("exec", "country", "python", "-c", knock).split() == ["4222"]


async def test_a_report_is_recorded_mailed_back_and_moves_its_figure(region):
    def figure() -> float:
        row = region.exact(f"/api/indicators/{FIGURE}")
        return sum(cell["value"] or 0 for cell in row["values"] if cell["country"] == "GTM")

    before = figure()
    async with region.country("GTM") as gtm:
        report = gtm.report("intel.document.flagged", FLAGGED, subject="figure-1")
        await gtm.publish(report)
        async for event in gtm.mailbox(idle_s=60):
            if event.id == report["id"]:
                break
    await until(lambda: figure() == before + 1, "the figure", 60)
    assert region.recorded().count(report["id"]) == 1


def test_the_board_is_read_by_tls(region):
    page = region.get("/")
    assert "<html" in page
    assert FIGURE in page
    assert json.loads(region.get("/api/indicators"))


async def test_prometheus_finds_every_process_and_has_the_rules(region):
    def targets() -> dict[str, str]:
        found = _prometheus(region, "targets?state=active")["activeTargets"]
        return {one["scrapeUrl"]: one["health"] for one in found}

    wanted = len(SERVICES) + 1
    await until(lambda: sum(health == "up" for health in targets().values()) >= wanted, "every target to be up", 90)
    assert _prometheus(region, "rules")["groups"]


def _prometheus(region: Region, asked: str) -> Any:
    told = region.podman("exec", "crm-prometheus-1", "cat", "/run/crm/prometheus.crt")
    key = region.podman("exec", "crm-prometheus-1", "cat", "/run/crm/prometheus.tls.key")
    (region.handed / "prometheus.crt").write_text(told + "\n")
    (region.handed / "prometheus.tls.key").write_text(key + "\n")
    context = tls.Files(*(region.handed / one for one in ("ca.crt", "prometheus.crt", "prometheus.tls.key"))).client()
    address = f"https://127.0.0.1:{region.composed.environment['CRM_PROMETHEUS_PORT']}/api/v1/{asked}"
    with urllib.request.urlopen(address, timeout=20, context=context) as answer:
        return json.loads(answer.read())["data"]


async def test_an_alert_reaches_whom_the_operator_named(region):
    """Prometheus knows Alertmanager, and that tells the address that was named at the start."""
    told: list[str] = []

    class Named(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    port = int(region.composed.environment["CRM_ALERTS_WEBHOOK"].rstrip("/").rpartition(":")[2])
    server = ThreadingHTTPServer((region.address, port), Named)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert _prometheus(region, "alertmanagers")["activeAlertmanagers"]
        asked = [
            "amtool",
            "--alertmanager.url=https://localhost:9093",
            "--http.config.file=/etc/alertmanager/client.yml",
        ]
        region.podman("exec", "crm-alertmanager-1", *asked, "alert", "add", "CrmTried", "severity=page")
        await until(lambda: any("CrmTried" in one for one in told), "the alert", 60)
    finally:
        server.shutdown()
        server.server_close()


# --- upkeep --------------------------------------------------------------------------------------------------------
async def test_the_logs_are_verified_and_backed_up_without_anybody_asking(region):
    """Noted where Prometheus and `crm doctor` look; the backup is opened with the key that is on no server."""

    def noted(name: str) -> dict[str, float]:
        found = _prometheus(region, f"query?query=crm_upkeep_{name}")["result"]
        return {one["metric"]["what"]: float(one["value"][1]) for one in found}

    def both() -> bool:
        at = noted("timestamp_seconds")
        return set(at) == {"verify", "backup"} and all(at.values())

    await until(both, f"both to be noted: {region.composed.said('upkeep')}", 120)
    assert set(noted("findings").values()) == {0}, region.composed.said("upkeep")
    # What ends at once in a container may end before all that it said is handed on.
    listed = await until(lambda: _backup(region), "the backup to be read", 60)
    for service in SERVICES:
        for table in ("log_1", "recorded", "tree", "migration"):
            assert f"TABLE DATA {service} {table} " in listed, f"{service}.{table}"


def _backup(region: Region) -> str:
    """What stands in the newest backup, opened outside."""
    newest = region.podman("exec", "crm-upkeep-1", "sh", "-c", "ls /backups/*.age | tail -1")
    sealed = region.podman.tried("exec", "crm-upkeep-1", "cat", newest).stdout
    assert b"intel" not in sealed
    words = [sys.executable, "-m", "infra.cli", "backup", "open", "--key", str(region.handed / "operator.age")]
    opened = subprocess.run(words, input=sealed, capture_output=True, check=True).stdout
    restoring = ["exec", "--interactive", "crm-postgres-1", "pg_restore", "--list"]
    return region.podman(*restoring, stdin=opened)


async def test_upkeep_writes_to_its_own_folders_and_reads_the_database_only(region):
    def may(*words: str) -> bool:
        return region.podman.tried("exec", *words).returncode == 0

    for place in ("/run/crm", "/app", "/opt/postgres", "/"):
        assert not may("crm-upkeep-1", "touch", f"{place}/x"), place
    assert may("crm-upkeep-1", "touch", "/backups/x")
    assert not may("crm-indicators-1", "touch", "/upkeep/x"), "who reads what is noted notes nothing"
    granted = "select distinct privilege_type from information_schema.role_table_grants where grantee = 'upkeep'"
    assert region.sql(granted) == ["SELECT"]
    killed = region.main("crm-upkeep-1")
    os.kill(killed, signal.SIGKILL)
    await until(lambda: region.main("crm-upkeep-1") not in {0, killed}, "it to be started again", 60)


# --- scaling, upgrades, losses -------------------------------------------------------------------------------------
async def test_intel_by_three_and_back(region):
    async with reporting(region):
        region.composed.scale("intel", 3)
        assert region.composed.containers("intel") == ["crm-intel-1", "crm-intel-2", "crm-intel-3"]
        named = region.podman("exec", "crm-prometheus-1", "getent", "ahosts", "intel")
        assert len({line.split()[0] for line in named.splitlines()}) == 3, "one name, three addresses"
        await until(lambda: all(map(region.healthy, region.composed.containers("intel"))), "three to be ready", 240)
        region.podman("stop", "crm-intel-1")
        region.podman("start", "crm-intel-1")
    region.composed.scale("intel", 1)
    assert region.composed.containers("intel") == ["crm-intel-1"]


async def test_an_upgrade_is_rolled_under_traffic(region):
    """Two replicas, replaced one after another by a new version's image, as docs/operations.md tells it."""
    composed = region.composed
    async with reporting(region):
        composed.scale("intel", 2)
        before = region.podman.inspected("crm-intel-1")["ImageName"]
        composed.environment["CRM_VERSION"] = "0.1.1"
        composed.build("provision", "intel")
        composed.replace("crm-provision-1")
        for container in ("crm-intel-1", "crm-intel-2"):
            composed.replace(container)
            assert region.podman.inspected(container)["ImageName"] != before
    composed.scale("intel", 1)
    assert region.podman.inspected("crm-intel-1")["ImageName"].endswith("crm-intel:0.1.1")
    del composed.environment["CRM_VERSION"]
    async with reporting(region):
        composed.replace("crm-intel-1")  # and back
    assert region.podman.inspected("crm-intel-1")["ImageName"] == before


@pytest.mark.parametrize("name", ["intel", "nats", "postgres", "indicators"])
async def test_what_is_killed_comes_back_by_itself(region, name):
    container = f"crm-{name}-1"
    async with reporting(region):
        killed = region.main(container)
        os.kill(killed, signal.SIGKILL)
        await until(lambda: region.main(container) not in {0, killed}, f"{name} to be started again", 30)
        await until(lambda: region.healthy(container), f"{name} to be well", 120)
    assert region.podman.inspected(container)["RestartCount"] >= 1


async def test_what_is_told_to_stop_stops_in_time_and_stays(region):
    began = time.monotonic()
    region.podman("stop", "crm-legal-1")
    took = timedelta(seconds=time.monotonic() - began)
    state = region.podman.inspected("crm-legal-1")["State"]
    print(f"legal stopped in {took.total_seconds():.1f} s")
    assert (state["Status"], state["ExitCode"]) == ("exited", 0), "by itself: after the grace period it would be 137"
    region.podman("start", "crm-legal-1")
    await until(lambda: region.healthy("crm-legal-1"), "legal to be well", 120)


async def test_all_is_taken_down_and_brought_up_again(region):
    """Containers and networks anew, from the volumes: keys, streams and figures are those of before."""
    async with region.country("GTM") as gtm:
        report = gtm.report("intel.document.flagged", FLAGGED, subject="before-1")
        await gtm.publish(report)
    await until(lambda: report["id"] in region.recorded(), "the report to be recorded", 60)
    logs = region.recorded()
    figures = region.exact(f"/api/indicators/{FIGURE}")["values"]
    certificate = region.composed.run("keys", "/keys/all/nats.crt", entrypoint=["cat"])
    region.composed.down()
    region.composed.up()
    assert region.composed.run("keys", "/keys/all/nats.crt", entrypoint=["cat"]) == certificate
    assert region.recorded()[: len(logs)] == logs
    await until(lambda: region.exact(f"/api/indicators/{FIGURE}")["values"] == figures, "the figures of before", 60)
    client: CountryClient
    async with region.country("GTM") as client:
        await client.publish(client.report("intel.document.flagged", FLAGGED, subject="after-1"))
