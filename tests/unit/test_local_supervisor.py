import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.local.plantime import FIRST_DAY, PlanTime
from infra.local.postgres import remove

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
UP = [sys.executable, str(ROOT / "tests/harness/standins.py"), "up"]


class Copy:
    def __init__(self, state: Path, **env: str) -> None:
        self.state = state
        free = {"CRM_HTTP_PORT": "0", "CRM_OPS_PORT": "0", "CRM_NATS_PORT": "0"}
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("CRM_", "MAKE"))}
        self.env = {**kept, **free, "CRM_STATE_DIR": str(state), "PYTHONPATH": str(ROOT), **env}
        self.process = None

    def start(self) -> dict:
        self.launch()
        until(lambda: (self.state / "run.json").exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.output()
        return self.run()

    def launch(self, **options) -> None:
        with (self.state.parent / "out").open("ab") as out:
            self.process = subprocess.Popen(UP, env=self.env, stdout=out, stderr=out, **options)

    def run(self) -> dict:
        return json.loads((self.state / "run.json").read_text())

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def output(self) -> str:
        return (self.state.parent / "out").read_text()


@pytest.fixture
def copy(tmp_path):
    made = Copy(tmp_path / "state")
    yield made
    if made.process and made.process.poll() is None:
        made.process.terminate()
        made.process.wait(PATIENCE_S)
    remove(made.state / "postgres")


def until(condition, seconds: float = PATIENCE_S) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not come about in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ports(run: dict) -> list[int]:
    return [int(address.rpartition(":")[2]) for address in (run["nats"], run["monitor"], *run["ops"].values())]


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_starts_everything_and_ctrl_c_leaves_nothing(copy):
    run = copy.start()
    assert set(run["pids"]) >= {"nats", "postgres", "intel", "victims", "legal", "training", "indicators", "region"}
    assert all(map(alive, run["pids"].values()))
    assert all(map(listening, ports(run)))
    assert copy.end() == 0
    assert not any(map(alive, run["pids"].values()))
    assert not any(map(listening, ports(run)))
    assert not (copy.state / "run.json").exists()


def test_a_process_that_ends_is_started_again(copy):
    run = copy.start()
    os.kill(run["pids"]["legal"], signal.SIGKILL)
    until(lambda: copy.run()["pids"]["legal"] != run["pids"]["legal"])
    assert "legal ended (SIGKILL)" in copy.output()
    until(lambda: listening(ports(copy.run())[4]))


@pytest.mark.parametrize("server", ["nats", "postgres"])
def test_a_server_that_ends_is_started_again_at_the_same_address(copy, server):
    run = copy.start()
    os.kill(run["pids"][server], signal.SIGKILL)
    until(lambda: copy.run()["pids"][server] != run["pids"][server])
    again = copy.run()
    assert (again["nats"], again["monitor"], again["postgres"]) == (run["nats"], run["monitor"], run["postgres"])


def test_nothing_outlives_a_killed_supervisor_and_the_next_start_is_clean(copy):
    run = copy.start()
    copy.process.kill()
    copy.process.wait()
    until(lambda: not any(map(alive, run["pids"].values())))
    (copy.state / "run.json").unlink()
    copy.start()
    assert copy.end(signal.SIGTERM) == 0


def test_a_stubborn_process_is_ended_all_the_same(copy):
    copy.env["STANDIN_STUBBORN"] = "1"
    run = copy.start()
    assert copy.end() == 0
    assert not any(map(alive, run["pids"].values()))


def test_a_second_copy_in_the_same_folder_is_refused(copy):
    copy.start()
    second = subprocess.run(UP, env=copy.env, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert second.returncode == 1
    assert "is in use by a running copy" in second.stdout.replace("\n", " ")
    assert copy.process.poll() is None


def test_two_copies_run_side_by_side(copy, tmp_path):
    first = copy.start()
    other_place = tmp_path / "other"
    other_place.mkdir()
    other = Copy(other_place / "state")
    try:
        second = other.start()
        assert not set(ports(first)) & set(ports(second))
        assert other.end() == 0
    finally:
        remove(other.state / "postgres")


def test_a_port_that_was_asked_for_and_is_busy_stops_the_start(copy):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        copy.env["CRM_HTTP_PORT"] = str(busy.getsockname()[1])
        copy.launch()
        assert copy.process.wait(PATIENCE_S) == 1
    assert f"port {copy.env['CRM_HTTP_PORT']} is in use" in copy.output()


def test_ctrl_c_under_make_on_a_terminal_is_no_failure_of_make(copy, tmp_path):
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"run:\n\t@exec {' '.join(UP)}\n")
    master, slave = pty.openpty()
    copy.process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", "make", "-f", str(makefile), "run"],
        env=copy.env,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    until((copy.state / "run.json").exists)
    run = copy.run()
    os.write(master, b"\x03")
    os.write(master, b"\x03")
    assert copy.process.wait(PATIENCE_S) == 0
    os.close(master)
    assert not any(map(alive, run["pids"].values()))


def test_the_clock_goes_on_where_it_stopped(tmp_path):
    file = tmp_path / "clock.json"
    first = PlanTime.begin(file, "", None)
    assert (first.clock.start, first.clock.speed) == (FIRST_DAY, 86_400)
    first.remember()
    shown = json.loads(file.read_text())["shown"]
    second = PlanTime.begin(file, "", 1000)
    assert second.clock.start.isoformat() == shown
    assert second.clock.speed == 1000
    earlier = PlanTime.begin(file, "2001-01-01", None)
    assert earlier.clock.start.isoformat() == shown


def test_the_real_clock_is_the_default_of_a_service(tmp_path):
    now = PlanTime.begin(tmp_path / "clock.json", "now", None)
    assert now.env() == {}
    assert PlanTime.begin(tmp_path / "clock.json", "now", 10).env()["CRM_SPEED"] == "10"


def test_a_time_that_is_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match="CLOCK is a time such as"):
        PlanTime.begin(tmp_path / "clock.json", "tomorrow", None)
