"""TCP ports on loopback."""

import socket


def free_port() -> int:
    """Return a port that is free right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Tell whether a server could listen on `port` now; one that just closed counts as free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose(asked: int | None, usual: int, count: int = 1) -> list[int]:
    """Return `count` ports: from `asked` on; or from `usual` on where those are free, else any free ones.

    ValueError when a port that was asked for is busy: whoever names one relies on it.
    """
    if asked is not None:
        ports = [asked + step if asked else free_port() for step in range(count)]
        if busy := [port for port in ports if not is_free(port)]:
            raise ValueError(f"port {busy[0]} is in use")
        return ports
    ports = list(range(usual, usual + count))
    return ports if all(map(is_free, ports)) else [free_port() for _ in ports]
