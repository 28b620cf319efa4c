"""`crm down`, `crm logs` and `crm region` on the folder of a copy that runs here."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from typer.testing import CliRunner

from infra.cli import app

SUPERVISOR = """
import pathlib, signal, sys
def end(*_):
    pathlib.Path(sys.argv[1]).unlink()
    sys.exit(0)
signal.signal(signal.SIGINT, end)
print("ready", flush=True)
while True:
    signal.pause()
"""


def crm(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


def line(at, level, event, **more):
    return json.dumps({"timestamp": at, "level": level, "event": event, "service": "x", **more})


@pytest.fixture
def folder(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    recorded = line("2004-01-01T10:00:01Z", "info", "recorded", sequence=7)
    intel = [recorded, line("2004-01-01T10:00:03Z", "error", "away")]
    (logs / "intel.log").write_text("\n".join([*intel, ""]))
    (logs / "nats.log").write_text(line("2004-01-01T10:00:02Z", "warning", "\x1b[2Jslow") + "\nno JSON at all\n")
    (logs / "nats.old.log").write_text(line("2003-01-01T10:00:02Z", "error", "of before") + "\n")
    return tmp_path


def test_logs_of_all_processes_come_in_order_of_time(folder):
    told = crm("logs", "--state-dir", folder).stdout
    assert "no JSON" in told
    assert "of before" not in told
    assert told.index("recorded  sequence=7") < told.index("slow") < told.index("away")
    assert "\x1b" not in told, "what a process wrote moves nothing on the terminal"
    (folder / "logs" / "nats.log").write_bytes(b"no JSON \x1b[2J\xc2\x9b2J\n")
    told = crm("logs", "--json", "--state-dir", folder).stdout
    assert r"no JSON \u001b[2J\u009b2J" in told
    assert not {"\x1b", "\x9b"} & {*told}


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (["intel"], {"recorded", "away"}),
        (["--level", "error"], {"away"}),
        (["--level", "warning"], {"slow", "away"}),
        (["intel", "-n", "1"], {"away"}),
        (["-n", "0"], set()),
    ],
)
def test_logs_of_some_of_a_level_and_the_last_of_them(folder, asked, shown):
    told = crm("logs", *asked, "--state-dir", folder).stdout
    assert {word for word in ("recorded", "away", "slow") if word in told} == shown


def test_logs_as_they_were_written(folder):
    told = crm("logs", "intel", "--json", "--state-dir", folder).stdout.splitlines()
    assert [json.loads(one)["event"] for one in told] == ["recorded", "away"]


@pytest.mark.parametrize("asked", [["legal"], ["--level", "loud"]])
def test_logs_says_what_there_is_where_it_is_called_wrongly(folder, asked):
    found = crm("logs", *asked, "--state-dir", folder)
    assert found.exit_code == 2
    assert "intel, nats" in found.output or "warning" in found.output


def test_logs_follows_what_comes_until_ctrl_c(folder):
    command = [sys.executable, "-m", "infra.cli", "logs", "intel", "-n", "1", "-f", "--state-dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert "away" in process.stdout.readline()
        with (folder / "logs" / "intel.log").open("a") as log:
            log.write(line("2004-01-01T10:00:09Z", "info", "back") + "\n")
        assert "back" in process.stdout.readline()
        process.send_signal(2)
        assert process.wait(30) == 0


def test_down_ends_the_copy_in_order_and_says_so(tmp_path):
    run = tmp_path / "run.json"
    with subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(run)], stdout=subprocess.PIPE) as process:
        run.write_text(json.dumps({"pids": {"supervisor": process.pid}}))
        process.stdout.readline()
        reaping = threading.Thread(target=process.wait)  # as whoever started it would
        reaping.start()
        found = crm("down", "--state-dir", tmp_path)
        reaping.join(30)
    assert found.exit_code == 0
    assert "stopped" in found.stdout
    assert process.returncode == 0
    assert not run.exists()


def test_down_where_nothing_runs_is_a_finding(tmp_path):
    assert crm("down", "--state-dir", tmp_path).exit_code == 1
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "run.json").write_text(json.dumps({"pids": {"supervisor": gone.pid}}))
    assert "nothing runs" in crm("down", "--state-dir", tmp_path).output


def test_down_gives_up_on_what_does_not_end(tmp_path, monkeypatch):
    monkeypatch.setattr("infra.cli.local.STOP_S", 0.3)
    deaf = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        (tmp_path / "run.json").write_text(json.dumps({"pids": {"supervisor": process.pid}}))
        begun = time.monotonic()
        assert crm("down", "--state-dir", tmp_path).exit_code == 1
        assert time.monotonic() - begun < 30
        os.kill(process.pid, 9)


CLOCK = {"CRM_CLOCK_START": "2003-05-09T00:00:00+00:00", "CRM_CLOCK_EPOCH": "2026-01-01T00:00:00+00:00"}


@pytest.fixture
def started(tmp_path, monkeypatch):
    """A copy without traffic, as its run.json tells of it; what a verb would become is noted."""
    became = []
    monkeypatch.setattr("os.execve", lambda _path, words, env: became.append((words, env)))
    monkeypatch.setattr("os.chdir", lambda _folder: None)

    def told(**more):
        run = {"nats": "nats://127.0.0.1:1", "clock": CLOCK, "pids": {"supervisor": os.getpid()}}
        (tmp_path / "run.json").write_text(json.dumps(run | more))
        return crm("region", "--rate", "7", "--state-dir", tmp_path), became

    return told


def test_region_reports_to_the_copy_by_its_clock(started, tmp_path):
    found, [(words, env)] = started()
    assert found.exit_code == 0
    assert words[1:] == ["-m", "infra.region"]
    assert env.items() >= CLOCK.items()
    assert (env["CRM_NATS_URL"], float(env["CRM_RATE"])) == ("nats://127.0.0.1:1", 7)
    assert env["CRM_CREDS_DIR"] == str(tmp_path / "creds")
    found, became = started()
    assert (found.exit_code, len(became)) == (1, 1), "one at a time"
    assert "runs already" in found.output


def test_region_where_there_is_no_place_for_it_is_a_finding(started, tmp_path):
    assert crm("region", "--state-dir", tmp_path).exit_code == 1
    found, became = started(pids={"supervisor": os.getpid(), "region": os.getpid()})
    assert (found.exit_code, became) == (1, [])
    assert "runs already" in found.output
