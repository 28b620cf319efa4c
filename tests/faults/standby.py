"""Two PostgreSQL servers under Patroni, each on a host of its own; etcd says who leads."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from infra.local.postgres import FLAGS, OWNER, Postgres, _reachable
from infra.local.process import clean_env, spawn, stop
from tests.faults.hosts import Host
from tests.harness.system import ROOT, free_port

PACKAGES = ROOT / ".tools" / "standby"
READY_S = 240.0
TTL_S, LOOP_S, RETRY_S = 20, 5, 5
"""What docs/operations.md recommends: a leader that is lost is replaced after TTL_S at the latest."""
DYNAMIC = {
    "ttl": TTL_S,
    "loop_wait": LOOP_S,
    "retry_timeout": RETRY_S,
    "maximum_lag_on_failover": 0,
    "synchronous_mode": True,
    "postgresql": {"use_pg_rewind": True, "use_slots": True, "parameters": {"max_connections": 400}},
}
"""A commit is told only when both have it; where one is lost, Patroni notes that the other goes on alone."""


class NoStandbyError(RuntimeError):
    """This machine has not what is needed; the message says what."""


class Etcd:
    """One of the servers that agree on who leads."""

    def __init__(self, pair: "Pair", name: str, host: Host) -> None:
        self.pair, self.name, self.host = pair, name, host
        self.port, self.peers = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.cluster = "new"

    @property
    def peer(self) -> str:
        return f"http://{self.host.address}:{self.peers}"

    @property
    def client(self) -> str:
        return f"http://{self.host.address}:{self.port}"

    @property
    def data(self) -> Path:
        return self.pair.place / f"etcd-{self.name}"

    def launch(self) -> None:
        options: dict[str, str | Path] = {
            "name": self.name,
            "data-dir": self.data,
            "listen-client-urls": self.client,
            "advertise-client-urls": self.client,
            "listen-peer-urls": self.peer,
            "initial-advertise-peer-urls": self.peer,
            "initial-cluster": ",".join(f"{one.name}={one.peer}" for one in self.pair.etcds),
            "initial-cluster-state": self.cluster,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        log = self.pair.log.with_suffix(f".etcd-{self.name}.log")
        command, user = self.host.command(["etcd", *words], self.pair.user)
        self.process = spawn(command, log=log, env=clean_env(), cwd=self.pair.place, user=user)

    def join_anew(self, through: "Etcd") -> None:
        """While it is off: have the others forget it and take it as a new member, whose disk is empty.

        What `etcdctl member remove` and `member add` do. A member that comes back without what it has confirmed ends
        itself at the first thing that it is told of it.
        """
        found = through.asked("list")["members"]
        own = next(one["ID"] for one in found if one["name"] == self.name)
        through.asked("remove", ID=own)
        through.asked("add", peerURLs=[self.peer])
        shutil.rmtree(self.data)
        self.cluster = "existing"

    def asked(self, what: str, **said: object) -> dict[str, Any]:
        """What the cluster answers to a question about its members."""
        asked = json.dumps(said).encode()
        with urllib.request.urlopen(f"{self.client}/v3/cluster/member/{what}", asked, timeout=READY_S) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


class Machine:
    """One PostgreSQL server, and the Patroni that starts it, promotes it and follows the other."""

    def __init__(self, pair: "Pair", name: str, host: Host) -> None:
        self.pair, self.name, self.host = pair, name, host
        self.port, self.rest = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def home(self) -> Path:
        return self.pair.place / self.name

    @property
    def config(self) -> Path:
        return self.home / "patroni.yml"

    def configure(self, password: str, bin_folder: Path) -> None:
        here, hba = self.host.address, [f"host {what} all samenet scram-sha-256" for what in ("all", "replication")]
        flags = {name: value for name, value in FLAGS.items() if name != "listen_addresses"}
        parameters = {**flags, "unix_socket_directories": str(self.home), "wal_log_hints": "on", "max_wal_senders": 8}
        account = {"username": OWNER, "password": password}
        told = {
            "scope": "crm",
            "name": self.name,
            "restapi": {"listen": f"{here}:{self.rest}", "connect_address": f"{here}:{self.rest}"},
            "etcd3": {"hosts": [f"{one.host.address}:{one.port}" for one in self.pair.etcds]},
            "bootstrap": {
                "dcs": DYNAMIC,
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"],
            },
            "postgresql": {
                "listen": f"{here}:{self.port}",
                "connect_address": f"{here}:{self.port}",
                "data_dir": str(self.home / "data"),
                "bin_dir": str(bin_folder),
                "pgpass": str(self.home / "pgpass"),
                "authentication": {"superuser": account, "replication": account, "rewind": account},
                "parameters": parameters,
                "pg_hba": hba,
            },
            "tags": {"nofailover": False},
        }
        self.home.mkdir(exist_ok=True)
        self.config.write_text(json.dumps(told))
        self.pair.give(self.home)

    def launch(self) -> None:
        command, user = self.host.command([self.pair.python, "-m", "patroni", self.config], self.pair.user)
        self.process = spawn(
            command,
            log=self.pair.log.with_suffix(f".{self.name}.log"),
            env={**clean_env(), "PYTHONPATH": str(self.pair.packages), "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=self.home,
            user=user,
            orphaned=signal.SIGINT,
        )

    def role(self) -> str:
        """Return what Patroni says it is (`primary`, `replica`), running; empty: neither, or it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{self.host.address}:{self.rest}/patroni", timeout=1) as answer:
                told = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            told = json.loads(error.read())
        except (OSError, ValueError):
            return ""
        if told.get("state") != "running":
            return ""
        role = "primary" if told.get("role") in {"primary", "master"} else "replica"
        return "synchronous" if told.get("sync_standby") else role

    def pids(self) -> list[int]:
        """Return all processes of the machine: Patroni, the server, and what that has started."""
        mine = str(self.home).encode()
        found = [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit() and mine in _told(one)]
        return [*found, *(child for pid in found for child in _children(pid) if child not in found)]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of them; again, for those that came meanwhile."""
        for _ in range(2):
            for pid in self.pids():
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    continue
        if number == signal.SIGKILL and self.process:
            self.process.wait()


class Pair:
    """What `Postgres` is for one server, for two: the address names both."""

    def __init__(self, home: Path, hosts: Sequence[Host] = (Host(),)) -> None:
        """Remember where; of the hosts, each has an etcd. NoStandbyError where this machine lacks etcd or Patroni."""
        self.home, self.log = home, home / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.wheel = Postgres(home)
        self.user = self.wheel.user
        self.etcds = [Etcd(self, f"etcd{number}", host) for number, host in enumerate(hosts, 1)]
        self.machines = [Machine(self, "first", hosts[0]), Machine(self, "second", hosts[1 % len(hosts)])]
        if not shutil.which("etcd"):
            raise NoStandbyError("etcd is missing: apt-get install --no-install-recommends etcd-server")
        if not PACKAGES.is_dir():
            raise NoStandbyError("Patroni is missing: make standby-tools")

    # --- what Stand asks of a server ---------------------------------------------------------------------------------
    def prepare(self) -> None:
        self.wheel.prepare()
        self.place = self.wheel.place
        self.packages = PACKAGES
        if self.user and not _reachable(PACKAGES / "patroni"):
            self.packages = Path(shutil.copytree(PACKAGES, self.place / "packages"))
        self.python = self._python()
        self.password = (self.home / "owner.pw").read_text().strip()
        for one in self.machines:
            one.configure(self.password, self.wheel.bin)

    def launch(self) -> None:
        for etcd in self.etcds:
            etcd.launch()
        for one in self.machines:
            one.launch()

    def wait(self) -> None:
        """Return when one leads and the other has all that is committed."""
        end = time.monotonic() + READY_S
        while not self.paired():
            if time.monotonic() > end:
                raise TimeoutError(f"no leader with a standby: {[(one.name, one.role()) for one in self.machines]}")
            time.sleep(0.2)

    def paired(self) -> bool:
        """Say whether one leads, and the other is told of every commit before it is acknowledged."""
        return sorted(one.role() for one in self.machines) == ["primary", "synchronous"]

    def leader(self) -> Machine:
        return next(one for one in self.machines if one.role() == "primary")

    @property
    def port(self) -> int:
        return self.leader().port

    def url(self, role: str = OWNER, password: str | None = None, database: str = "crm") -> str:
        hosts = ",".join(f"{one.host.address}:{one.port}" for one in self.machines)
        return f"postgresql://{role}:{password or self.password}@{hosts}/{database}?target_session_attrs=read-write"

    def stop(self) -> None:
        for one in self.machines:
            one.signal(signal.SIGKILL)
        for etcd in self.etcds:
            if etcd.process is not None:
                etcd.process.send_signal(signal.SIGCONT)
                stop(etcd.process)
        if getattr(self, "place", self.home) != self.home / "cluster":
            shutil.rmtree(self.wheel.place, ignore_errors=True)

    # --- as whom -----------------------------------------------------------------------------------------------------
    def give(self, folder: Path) -> None:
        """Give a folder to the user as whom the servers run."""
        if self.user:
            for one in (folder, *folder.rglob("*")):
                shutil.chown(one, self.user)

    def _python(self) -> str:
        """Return a Python that this user may run, and for which the packages are."""
        for python in (sys.executable, "/usr/bin/python3"):
            command = [python, "-c", "import psycopg, patroni, psutil"]
            env = {**clean_env(), "PYTHONPATH": str(self.packages)}
            try:
                done = subprocess.run(command, env=env, cwd="/", user=self.user, capture_output=True, check=False)
            except OSError:
                continue
            if done.returncode == 0:
                return python
        raise NoStandbyError(f"no Python that {self.user} may run imports Patroni")


def _told(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def _children(pid: int) -> Iterator[int]:
    try:
        yield from map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    except OSError:
        return
