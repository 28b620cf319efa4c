"""The units of systemd are ones that systemd takes, and what they name is there."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

from infra.compose import keys
from shared.contracts import SERVICES
from shared.run.settings import EXIT_MISCONFIGURED, PREFIX, Settings

UNITS = Path(__file__).parents[2] / "infra/systemd"


@pytest.fixture
def units(tmp_path):
    """All units as they would be installed; in place of our own programs stands one that is on this machine."""
    for file in UNITS.iterdir():
        names = [file.name.replace("@", f"@{one}") for one in SERVICES] if "@" in file.name else [file.name]
        for name in (file.name, *names):
            (tmp_path / name).write_text(re.sub(r"/opt/crm/bin/\w+", "/usr/bin/env", file.read_text()))
    return tmp_path


def verified(units):
    every = [
        file for file in sorted(units.iterdir()) if file.suffix in {".service", ".timer"} and "@." not in file.name
    ]
    command = ["systemd-analyze", "verify", "--man=no", *map(str, every)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_systemd_takes_them(units):
    done = verified(units)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_wrong_one_is_found(units):
    timer = units / "crm-verify.timer"
    timer.write_text(timer.read_text().replace("OnCalendar=", "OnCalendar=each "))
    assert "crm-verify.timer:5: Failed to parse calendar" in verified(units).stderr


def test_what_the_service_is_given_is_what_it_reads_and_what_is_laid_out(tmp_path, monkeypatch):
    unit = (UNITS / "crm@.service").read_text()
    given = dict(re.findall(r"(CRM_\w+)=(\S+)", unit))
    assert {name.removeprefix(PREFIX).lower() for name in given} <= {*Settings.model_fields} | {"signing_file"}
    monkeypatch.setenv("CRM_HOSTS", "nats.example.org")
    keys.lay_out(tmp_path)
    for service in SERVICES:
        there = {file.name for file in (tmp_path / service).iterdir()}
        assert {Path(value).name for value in given.values()} <= there, "the same names as in compose's folders"
        assert importlib.util.find_spec(f"services.{service}.__main__")
        assert f"u crm-{service} " in (UNITS / "crm.sysusers").read_text()
    assert f"RestartPreventExitStatus={EXIT_MISCONFIGURED}\n" in unit
