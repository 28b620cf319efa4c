"""The manifests for Kubernetes are ones that its schemas take, and their names are those of code and compose."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from infra.compose import keys
from infra.kubernetes.__main__ import PENDING, Given, everything, scaled
from shared.contracts import SERVICES
from shared.flow.streams import durables

TOP = Path(__file__).parents[2]
OTHERS = {"ScaledObject", "PodMonitor"}
"""Kinds of operators: their schemas are not Kubernetes' own."""


@pytest.fixture(scope="module")
def things():
    told = subprocess.run([sys.executable, "-m", "infra.kubernetes"], cwd=TOP, capture_output=True, check=True)
    return json.loads(told.stdout)["items"]


def of(things, kind):
    return {one["metadata"]["name"]: one for one in things if one["kind"] == kind}


def validated(things, folder):
    (folder / "own.yaml").write_text(
        "---\n".join(json.dumps(one) + "\n" for one in things if one["kind"] not in OTHERS)
    )
    command = [TOP / ".tools/bin/uv", "tool", "run", "-q", "kubernetes-validate==1.37.0", "--strict", "own.yaml"]
    return subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)


def test_the_schemas_of_kubernetes_take_them(things, tmp_path):
    done = validated(things, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_one_is_found(things, tmp_path):
    (one, *_) = of(things, "Deployment").values()
    wrong = json.loads(json.dumps(one))
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    assert validated([wrong], tmp_path).returncode


COMPOSE_ALONE = {"CRM_UPKEEP"}
"""Its container `upkeep` shares a folder with indicators; a cluster has its own way to verify and back up."""


def test_each_service_is_told_what_compose_tells_it(things):
    composed = yaml.safe_load((TOP / "compose.yaml").read_text())["services"]
    settings = of(things, "ConfigMap")["crm"]["data"]
    for service in SERVICES:
        (container,) = of(things, "Deployment")[f"crm-{service}"]["spec"]["template"]["spec"]["containers"]
        given = settings | {one["name"]: one["value"] for one in container["env"]}
        wanted = {
            name: value
            for name, value in composed[service]["environment"].items()
            if name.startswith("CRM_") and value and name not in COMPOSE_ALONE
        }
        wanted["CRM_LOG_LEVEL"] = "INFO"
        assert given == wanted, service
        ours, theirs = container["resources"]["limits"], composed[service]["deploy"]["resources"]["limits"]
        assert (ours["cpu"], ours["memory"]) == (theirs["cpus"], f"{theirs['memory']}i")


def test_the_keys_that_are_named_are_laid_out(things, tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_HOSTS", "nats.example.org")
    keys.lay_out(tmp_path)
    for service in SERVICES:
        (container,) = of(things, "Deployment")[f"crm-{service}"]["spec"]["template"]["spec"]["containers"]
        values = [*of(things, "ConfigMap")["crm"]["data"].values(), *(one["value"] for one in container["env"])]
        named = {file for value in values for file in re.findall(r"/run/crm/([\w.]+)", value)}
        assert named <= {file.name for file in (tmp_path / service).iterdir()}
    tls = of(things, "PodMonitor")["crm"]["spec"]["podMetricsEndpoints"][0]["tlsConfig"]
    named = {tls["ca"]["secret"]["key"], tls["cert"]["secret"]["key"], tls["keySecret"]["key"]}
    assert named <= {file.name for file in (tmp_path / "prometheus").iterdir()}


def test_what_scaling_asks_for_is_what_the_services_tell(things):
    assert set(of(things, "ScaledObject")) == {f"crm-{one}" for one in SERVICES if scaled(one)}
    code = "\n".join(file.read_text() for file in (TOP / "shared").rglob("*.py"))
    assert f'"{PENDING}"' in code
    for name, one in of(things, "ScaledObject").items():
        (query,) = [trigger["metadata"]["query"] for trigger in one["spec"]["triggers"]]
        stream = re.compile(re.search(r'stream=~"([^"]+)"', query)[1])
        service = name.removeprefix("crm-")
        asked = {intake for intake in durables() if stream.fullmatch(intake)}
        assert asked == {intake for intake in durables() if intake.startswith("INTAKE_")}
        assert all(service in durables()[intake] for intake in asked)
        assert one["spec"]["scaleTargetRef"]["name"] in of(things, "Deployment")
        assert name in of(things, "PodDisruptionBudget")


def test_every_place_can_be_named():
    given = Given("r.example/", "2", "tls://n:1", "https://n:2", "p:3", "http://q:4")
    text = json.dumps(everything(given))
    assert all(one in text for one in ("r.example/crm-intel:2", "tls://n:1", "https://n:2", "@p:3/crm", "http://q:4"))
