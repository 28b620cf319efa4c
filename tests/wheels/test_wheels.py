"""The wheels, installed where nothing else is: a stranger's suite on the kit, and the client alone."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest

from infra.testkit.processes import free_port
from tests.wheels.building import ROOT, UV, installed, run

JACKSON = ":".join(f"/usr/share/java/jackson-{part}.jar" for part in ("annotations", "core", "databind"))
STRANGER = Path(__file__).parent / "stranger"


@pytest.fixture
def memory(monkeypatch):
    """A folder in memory for this test alone, where the kit's servers lie; nothing is left in it."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL does not run as root
        monkeypatch.setenv("TMPDIR", folder)
        yield
        assert not list(Path(folder).glob("crm-testkit-*"))


def test_no_file_is_in_two_wheels_and_all_data_are_in_one(wheels):
    held = [run(sys.executable, "-m", "zipfile", "-l", wheel, cwd=ROOT).splitlines()[1:] for wheel in wheels]
    names = [line.split()[0] for lines in held for line in lines if ".dist-info/" not in line]
    assert len(names) == len(set(names))
    tracked = run("git", "ls-files", "services", "shared", "infra", cwd=ROOT).splitlines()
    missing = [name for name in tracked if name not in names and not name.startswith("infra/wheels/")]
    assert not missing


def test_each_says_under_which_licence_it_is_and_what_comes_from_others(wheels):
    for wheel in wheels:
        held = zipfile.ZipFile(wheel)
        names = [name.rpartition("/")[2] for name in held.namelist() if "/licenses/" in name]
        assert "LICENSE" in names
        if any(name.startswith("shared/contracts/") for name in held.namelist()):
            assert "ATTRIBUTION.md" in names
        assert b"\nLicense-Expression: Apache-2.0\n" in held.read(
            f"{'-'.join(wheel.name.split('-')[:2])}.dist-info/METADATA"
        )


def test_the_versions_are_one(wheels):
    assert len({wheel.name.split("-")[1] for wheel in wheels}) == 1


def test_the_client_alone_brings_three_packages_and_no_service(wheels, tmp_path):
    (client,) = [wheel for wheel in wheels if wheel.name.startswith("crm_client")]
    python = installed(tmp_path / "venv", client)
    have = {line.partition("==")[0] for line in run(UV, "pip", "freeze", "--python", python, cwd=tmp_path).splitlines()}
    assert {name.split(" ")[0] for name in have} == {
        "crm-client", "msgspec", "nats-py", "nkeys", "pynacl", "cffi", "pycparser"
    }  # fmt: skip
    said = run(
        python,
        "-c",
        "from shared.client import CountryClient, Invalid\n"
        "gtm = CountryClient(None, 'GTM', 'sicam')\n"
        "try:\n    gtm._checked(gtm.report('intel.document.flagged', {'issuing': 'XX'}))\n"
        "except Invalid as error:\n    print(error)\n"
        "try:\n    import services\nexcept ModuleNotFoundError:\n    print('no services')",
        cwd=tmp_path,
    )
    assert "/data" in said
    assert "no services" in said


def test_a_strangers_suite_of_twenty(wheels, tmp_path, memory):
    python = installed(tmp_path / "venv", *wheels)
    suite = shutil.copytree(STRANGER, tmp_path / "suite")
    said = run(python, "-m", "pytest", "-q", "-s", "--durations=5", cwd=suite, HOME=str(tmp_path))
    assert "20 passed" in said, said[-3000:]
    started = json.loads((suite / "started.json").read_text())
    print(said[-1500:])
    print("seconds to start, after the first:", sorted(round(one, 1) for one, _ in started[1:]))
    print("of this process's own:", sorted(round(own, 2) for _, own in started[1:]))
    assert not [line for line in run("ps", "-eo", "args", cwd=tmp_path).splitlines() if str(tmp_path / "venv") in line]


def test_the_command_works_without_the_checkout(wheels, tmp_path):
    python = installed(tmp_path / "venv", *wheels)
    run(python.parent / "crm", "plan", "check", cwd=tmp_path)
    run(python.parent / "crm", "--help", cwd=tmp_path)


@pytest.fixture
def testbed(wheels, tmp_path, memory):
    python = installed(tmp_path / "venv", *wheels)
    port = free_port()
    said = (tmp_path / "testbed.log").open("wb")
    command = [python.parent / "crm", "testbed", "--port", str(port)]
    process = subprocess.Popen(command, stdout=said, stderr=said, cwd=tmp_path)
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        if address in (tmp_path / "testbed.log").read_text():
            break
        assert process.poll() is None, (tmp_path / "testbed.log").read_text()
        time.sleep(0.1)
    yield address
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    said.close()


def test_the_same_suite_in_javascript(testbed, tmp_path):
    suite = shutil.copytree(STRANGER.with_name("stranger-js"), tmp_path / "suite-js")
    run("npm", "install", "--silent", "--no-audit", "--no-fund", cwd=suite)
    said = run("node", "--test", "--test-reporter=tap", ".", cwd=suite, CRM_TESTBED=testbed)
    assert "# pass 20" in said, said[-3000:]
    assert "# fail 0" in said
    print("seconds to start, after the first:", json.loads((suite / "started.json").read_text())[1:])
    assert systems(testbed) == []


def test_a_suite_in_go(testbed, tmp_path):
    suite = shutil.copytree(STRANGER.with_name("stranger-go"), tmp_path / "suite-go")
    debian = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(tmp_path / "cache")}
    said = run("go", "test", "-v", ".", cwd=suite, CRM_TESTBED=testbed, **debian)
    assert said.count("--- PASS") == (suite / "ministry_test.go").read_text().count("\nfunc Test")
    assert systems(testbed) == []


def test_a_suite_in_java(testbed, tmp_path):
    suite = shutil.copytree(STRANGER.with_name("stranger-java"), tmp_path / "suite-java")
    run("javac", "-cp", JACKSON, "Testbed.java", "Ministry.java", cwd=suite)
    said = run("java", "-cp", f".:{JACKSON}", "Ministry", cwd=suite, CRM_TESTBED=testbed)
    assert "6 passed, 0 failed" in said
    assert systems(testbed) == []


def systems(testbed):
    """The systems that still run there."""
    with urllib.request.urlopen(f"{testbed}/systems") as answer:
        return json.load(answer)
