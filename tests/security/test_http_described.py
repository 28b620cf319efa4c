"""The OpenAPI documents of a running system, held against its answers by schemathesis."""

import asyncio
import json
import os
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.harness.speaking import clock
from tests.harness.system import free_port

HERE = Path(__file__).parent
NUMBER = os.environ.get("NUMBER", "1")
"""Examples of each kind for each address."""
SEED = os.environ.get("SEED", "1")
TOKEN = "operator"
QUIET = {"ready", "waiting", "folded anew", "took over"}
"""All that the service has to say of it."""


@pytest.fixture
async def ports(system):
    found = {"board": free_port(), "process": free_port()}
    env = {"CRM_HTTP_PORT": str(found["board"]), "CRM_OPS_PORT": str(found["process"]), "CRM_OPERATOR_TOKEN": TOKEN}
    system.start("indicators", **env, **clock())
    await system.ready()
    return found


def configured(folder, document):
    """What schemathesis is to know; where a period can be asked for, values that are right alone may contradict."""
    periods = [
        path
        for path, item in document["paths"].items()
        if any(one.get("name") == "until" for one in item.get("get", {}).get("parameters", ()))
    ]
    accepted = "checks.positive_data_acceptance.expected-statuses = [200, 400, 403, 404]"
    more = [f"[[operations]]\ninclude-path = {json.dumps(path)}\n{accepted}" for path in periods]
    file = folder / "schemathesis.toml"
    file.write_text("\n\n".join([(HERE / "schemathesis.toml").read_text(), *more]))
    return file


@pytest.mark.parametrize("port", ["board", "process"])
async def test_schemathesis_finds_nothing(system, ports, port, tmp_path):
    address = f"http://127.0.0.1:{ports[port]}/api/openapi.json"
    with urllib.request.urlopen(address, timeout=60) as answer:
        config = configured(tmp_path, json.load(answer))
    command = [
        *(Path(sys.executable).with_name("st"), "--no-color", "--config-file", config, "run"),
        *(address, "--continue-on-failure"),
        # Who shows no token gets 403, as ever, where this check wants 401; that a token is asked for, another checks.
        *("--exclude-checks", "missing_required_header"),
        *("--request-timeout", "120"),  # a machine that has much to do takes its time
        *("--max-examples", NUMBER, "--generation-database", "none", "--seed", SEED, "--workers", "2"),
        *("--phases", "examples,coverage,fuzzing" if NUMBER == "1" else "examples,coverage,fuzzing,stateful"),
        *("--suppress-health-check", "all"),
    ]
    env = os.environ | {"CRM_OPERATOR_TOKEN": TOKEN}
    asked = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asked.communicate()
    assert asked.returncode == 0, said.decode()[-20_000:]
    assert "Tested: 0" not in said.decode()
    assert {line["event"] for line in system.output("indicators")} <= QUIET
    print(said.decode()[-600:])
