"""Hosts with an address and a link of their own: network namespaces on one bridge, which need root and iproute2."""

import itertools
import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Host:
    """A host, by its namespace (empty: this machine itself) and address."""

    space: str = ""
    address: str = LOOPBACK
    link: str = ""
    """The bridge's end of its cable."""

    def command(self, command: Sequence[str | Path], user: str | None = None) -> tuple[list[str | Path], str | None]:
        """Return what starts a process there, and as whom that must be started itself."""
        if not self.space:
            return [*command], user
        entered: list[str | Path] = ["ip", "netns", "exec", self.space]
        if user:  # only root may enter
            group = str(pwd.getpwnam(user).pw_gid)
            entered += ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--pdeathsig=SIGINT"]
        return [*entered, *command], None

    def part(self) -> None:
        """Pull the cable: nothing comes or goes, and nobody is told."""
        _ip("link", "set", self.link, "down")

    def join(self) -> None:
        """Put the cable in again."""
        _ip("link", "set", self.link, "up")


@contextmanager
def hosts(number: int) -> Iterator[list[Host]]:
    """Yield hosts that see each other and this machine; on the way out they are gone, with all that runs there."""
    tag = f"{os.getpid() % 65536:x}"
    bridge, net = f"crmbr{tag}", f"10.{213 + os.getpid() % 8}.{os.getpid() // 8 % 256}"
    found = [Host(f"crm{tag}-{n}", f"{net}.{n}", f"crm{tag}v{n}") for n in range(1, number + 1)]
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{net}.254/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for one in found:
            _ip("netns", "add", one.space)
            _ip("link", "add", one.link, "type", "veth", "peer", "name", "eth0", "netns", one.space)
            _ip("link", "set", one.link, "master", bridge)
            _ip("link", "set", one.link, "up")
            inside = ("-n", one.space)
            _ip(*inside, "addr", "add", f"{one.address}/24", "dev", "eth0")
            _ip(*inside, "link", "set", "eth0", "up")
            _ip(*inside, "link", "set", "lo", "up")
        yield found
    finally:
        for words in itertools.chain((("netns", "del", one.space) for one in found), [("link", "del", bridge)]):
            _ip(*words, check=False)


def why_not() -> str:
    """Return why there can be no hosts here; empty: there can."""
    if os.geteuid():
        return "hosts of their own need root"
    try:
        with hosts(1):
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network namespaces here: {error}"


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)
