"""Service processes for tests, forked from one that has imported what they all import.

A service takes a second of processor time to import its libraries; the tests start some hundreds. Here one process a
session imports them, and each service is a fork of it: a process of its own, with its own environment and output, that
runs `python -m <module>` from there on. Its parent is the test's process (a subreaper), which can wait for it. Where
that cannot be, or the environment matters to what is imported, it is an ordinary process.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import BinaryIO

from shared.contracts import SERVICES

ROOT = Path(__file__).resolve().parents[2]
ALONE = ("CRM_CRASH_AT", "OTEL_")
"""Environment variables that are read when a module is imported."""
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
ADOPTED_S = 5.0
"""So long the process between may take to end."""


def start(module: str, env: Mapping[str, str], output: BinaryIO) -> "subprocess.Popen[bytes]":
    """Start `python -m <module>` with this environment; both its outputs go to `output`."""
    elsewhere = module.partition(".")[0] not in {"services", "tests"}
    if elsewhere or sys.platform != "linux" or any(name.startswith(ALONE) for name in env):
        command = [sys.executable, "-m", module]
        return subprocess.Popen(command, cwd=ROOT, env={**env}, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603 - our own
    return Forked(module, _forks().fork(module, env, output.name))


class Forked(subprocess.Popen[bytes]):
    """A process that was forked elsewhere and belongs to this one."""

    def __init__(self, module: str, pid: int) -> None:
        self.args = ["python", "-m", module]
        self.pid, self.returncode = pid, None
        self.stdin = self.stdout = self.stderr = None
        self._child_created = True
        self._waitpid_lock = threading.Lock()


class _Forks:
    """The process that forks, and how it is asked to."""

    def __init__(self) -> None:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._process = subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, "-m", __name__], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        atexit.register(self._end)

    def fork(self, module: str, env: Mapping[str, str], output: str) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([module, {**env}, output, os.getpid()]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def _end(self) -> None:
        self._process.communicate()


@cache
def _forks() -> _Forks:
    return _Forks()


def _serve() -> None:
    """Fork what is asked for, a line each, until nobody asks any more."""
    for service in SERVICES:
        importlib.import_module(f"services.{service}.__main__")
        del sys.modules[f"services.{service}.__main__"]  # it is run, and so must not have been imported
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        module, env, output, parent = json.loads(line)
        reading, writing = os.pipe()
        if (between := os.fork()) == 0:
            if pid := os.fork():
                os.write(writing, str(pid).encode())
                os._exit(0)
            _dies_with(parent)
            _become(module, env, output)
        os.waitpid(between, 0)
        sys.stdout.write(os.read(reading, 20).decode() + "\n")
        sys.stdout.flush()
        os.close(reading)
        os.close(writing)


def _dies_with(parent: int) -> None:
    """Have this process killed when `parent` ends, which gets it as soon as the process between is gone."""
    end = time.monotonic() + ADOPTED_S
    while os.getppid() != parent and time.monotonic() < end:
        time.sleep(0.001)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _become(module: str, env: Mapping[str, str], output: str) -> None:
    """Run the module in this fork, and end with it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(env)
    into = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, place in ((nothing, 0), (into, 1), (into, 2)):
        os.dup2(descriptor, place)
    os.closerange(3, 256)
    sys.stdin = open(0)  # noqa: SIM115 - the old one is that of the process that forks
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    _serve()
