"""podman with a store and networks of its own, of which nothing is left behind."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

PACKAGES = ["podman", "runc", "netavark", "aardvark-dns", "iptables"]
FORWARDS = Path("/proc/sys/net/ipv4/ip_forward")
LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"]
"""podman's own are higher than some machines allow."""


class PodmanError(AssertionError):
    """A command failed; the message is all that it said."""


class Podman:
    """Commands to podman; all that they make lies below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rules, self._forwards = self._filters(), FORWARDS.read_text()
        (folder / "networks").mkdir(parents=True, exist_ok=True)
        self._own = ["podman", "--root", f"{folder}/root", "--runroot", f"{folder}/run", "--tmpdir", f"{folder}/tmp"]
        self._own += ["--network-config-dir", f"{folder}/networks", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]
        # Without systemd nobody runs the health checks by the clock: who waits for health asks for it.
        self._environment = {**os.environ, "DISABLE_HC_SYSTEMD": "true"}

    def __call__(self, *words: object, stdin: bytes | None = None, timeout_s: float = 600) -> str:
        """Return what the command wrote; PodmanError with what it complained of when it failed."""
        done = self.tried(*words, stdin=stdin, timeout_s=timeout_s)
        if done.returncode:
            told = (done.stderr + done.stdout).decode(errors="replace")
            raise PodmanError(f"podman {' '.join(map(str, words))[:300]}: exit code {done.returncode}\n{told[-4000:]}")
        return done.stdout.decode(errors="replace").strip()

    def tried(
        self, *words: object, stdin: bytes | None = None, timeout_s: float = 600
    ) -> subprocess.CompletedProcess[bytes]:
        """Return how the command ended."""
        command = [*self._own, *map(str, words)]
        return subprocess.run(
            command, input=stdin, capture_output=True, check=False, env=self._environment, timeout=timeout_s
        )

    def inspected(self, container: str) -> dict[str, Any]:
        """Return all that podman knows of a container."""
        found: list[dict[str, Any]] = json.loads(self("container", "inspect", container))
        return found[0]

    def has(self, image: str) -> bool:
        """Whether there is such an image."""
        return self.tried("image", "exists", image).returncode == 0

    def empty(self) -> None:
        """End and remove all containers, volumes and networks."""
        self.tried("rm", "--all", "--force", "--time", "1", "--volumes")
        self.tried("volume", "rm", "--all", "--force")
        for network in self.tried("network", "ls", "--format", "{{.Name}}").stdout.decode().split():
            self.tried("network", "rm", "--force", network)

    def remove(self) -> None:
        """End and remove whatever was made, also in the kernel's rules, where there were none of this kind before."""
        self.empty()
        self.tried("system", "reset", "--force")
        mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for place in sorted((one for one in mounted if one.startswith(str(self.folder))), reverse=True):
            subprocess.run(["umount", "--lazy", place], check=False)
        shutil.rmtree(self.folder)
        if "NETAVARK" not in self._rules:
            left = "".join(line for line in self._filters().splitlines(keepends=True) if "NETAVARK" not in line)
            subprocess.run(["iptables-restore"], input=left.encode(), check=True)
        FORWARDS.write_text(self._forwards)

    @staticmethod
    def _filters() -> str:
        """Return the kernel's rules of packets; empty: it has none."""
        return subprocess.run(["iptables-save"], capture_output=True, check=False).stdout.decode()
