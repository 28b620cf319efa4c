"""TCP ports on loopback."""

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

GIVEN = range(15_000, 32_000)
"""Below those that the system itself gives to outgoing connections: one of them would take a port before its server."""


def free_port() -> int:
    """Return a port that is free right now."""
    while True:
        port = random.SystemRandom().choice(GIVEN)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def is_free(port: int) -> bool:
    """Tell whether a server could listen on `port` now; one that just closed counts as free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_reserved: list[int] = []


def reserve(port: int) -> bool:
    """Tell whether `port` is free, and if so keep it from other copies that are starting, as long as this one lives.

    Between choosing a port and listening on it lie seconds, in which another copy would choose the same.
    """
    try:
        file = os.open(Path(tempfile.gettempdir()) / f"crm-port-{port}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
    except PermissionError:
        return False  # another user's copy has had it
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return False
    if not is_free(port):
        os.close(file)
        return False
    _reserved.append(file)
    return True


def choose(asked: int | None, usual: int, count: int = 1) -> list[int]:
    """Return `count` ports: from `asked` on; or from `usual` on where those are free, else any free ones.

    ValueError when a port that was asked for is busy: whoever names one relies on it.
    """
    if asked == 0:
        return [_any_free() for _ in range(count)]
    if asked is not None:
        ports = [asked + step for step in range(count)]
        if busy := [port for port in ports if not reserve(port)]:
            raise ValueError(f"port {busy[0]} is in use")
        return ports
    ports = list(range(usual, usual + count))
    return ports if all(map(reserve, ports)) else [_any_free() for _ in ports]


def _any_free() -> int:
    while not reserve(port := free_port()):
        pass
    return port
