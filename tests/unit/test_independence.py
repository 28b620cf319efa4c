"""Each service starts and works with the other services' code, and infra's, gone."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.contracts import SERVICES
from tests.harness.system import PATIENCE_S, until

ROOT = Path(__file__).parents[2]


def _alone(folder: Path, service: str) -> Path:
    """What the service's image holds: shared and its own folder."""
    home = folder / service
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "shared", home / "shared", ignore=unwanted)
    shutil.copytree(ROOT / "services" / service, home / "services" / service, ignore=unwanted)
    shutil.copy(ROOT / "services" / "__init__.py", home / "services")
    return home


def test_the_others_are_really_gone(tmp_path):
    home = _alone(tmp_path, "intel")
    for absent in ("services.victims", "infra", "tests"):
        done = subprocess.run([sys.executable, "-c", f"import {absent}"], cwd=home, capture_output=True, check=False)
        assert b"ModuleNotFoundError" in done.stderr, absent


@pytest.mark.long
async def test_each_service_starts_alone(tmp_path, region):
    started = {}
    for service in SERVICES:
        home = _alone(tmp_path, service)
        with (home / "log").open("wb") as output:
            started[service] = subprocess.Popen(
                [sys.executable, "-m", f"services.{service}"],
                cwd=home,
                env={**os.environ, **region.env(service)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
    try:
        for service, process in started.items():
            log = tmp_path / service / "log"

            def ready(process=process, log=log) -> bool:
                text = log.read_text()
                assert process.poll() is None, text[-2000:]
                return '"event": "ready"' in text

            await until(ready, f"{service} to be ready")
        for process in started.values():
            process.send_signal(signal.SIGTERM)
        assert {service: process.wait(PATIENCE_S) for service, process in started.items()} == dict.fromkeys(SERVICES, 0)
    finally:
        for process in started.values():
            process.kill()
