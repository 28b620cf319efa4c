"""A service process that is started again when it ends."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.process import spawn

DELAY_S, DELAY_S_MAX = 0.2, 5.0
STEADY_S = 10.0
"""A process that ran so long had started well: the delay before the next start begins small again."""
LOG_BYTES_MAX = 50 * 1024**2
OK = 200


@dataclass
class Child:
    """One process: how to start it, where it answers, what became of it."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str]
    log: Path
    cwd: Path
    ops: str = ""
    """Address of /readyz; empty: ready as soon as it runs."""
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    again_at: float = 0.0
    """When (monotonic) it will be started again; 0: it runs."""
    delay_s: float = DELAY_S
    faults: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Start the process now."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".old.log"))
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.process = spawn(self.command, log=self.log, env={**inherited, **self.env}, cwd=self.cwd)
        self.started, self.again_at = time.monotonic(), 0.0

    def watch(self) -> str:
        """Start the process again when its time has come; return what there is to tell, mostly nothing."""
        now = time.monotonic()
        if self.again_at:
            if now >= self.again_at:
                self.start()
            return ""
        assert self.process is not None
        code = self.process.poll()
        if code is None:
            return ""
        self.delay_s = DELAY_S if now - self.started > STEADY_S else min(self.delay_s * 2, DELAY_S_MAX)
        self.again_at = now + self.delay_s
        return f"{self.name} ended ({_cause(code)}); starting it again in {self.delay_s:.1f} s (see {self.log})"

    def ready(self) -> bool:
        """Ask /readyz; `faults` then says what is missing."""
        if not self.ops:
            return self.runs()
        try:
            with urllib.request.urlopen(f"{self.ops}/readyz", timeout=1) as answer:  # noqa: S310 - our own address
                self.faults = []
                # Another process may listen where this one could not.
                return bool(answer.status == OK and _pid(answer.read()) in {None, self.pid})
        except urllib.error.HTTPError as error:
            self.faults = _faults(error.read())
        except OSError:
            self.faults = ["does not answer yet"]
        return False

    @property
    def to_be_restored(self) -> bool:
        """Whether it said, when last asked, that it waits for `crm restore`."""
        return any("crm restore" in fault for fault in self.faults)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; one that has ended already is fine."""
        if self.process is not None and self.runs():
            self.process.send_signal(number)

    def runs(self) -> bool:
        """Tell whether the process is there."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """The process id."""
        assert self.process is not None
        return self.process.pid


def _pid(body: bytes) -> int | None:
    """Return the process that answers, where it says so."""
    try:
        return int(json.loads(body)["pid"])
    except (ValueError, KeyError, TypeError):
        return None


def _faults(body: bytes) -> list[str]:
    try:
        return [str(fault) for fault in json.loads(body)["faults"]]
    except (ValueError, KeyError, TypeError):
        return ["not ready"]


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
