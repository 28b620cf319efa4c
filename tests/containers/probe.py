"""Say whether this machine allows containers as the tests need them; exit code 0: it does."""

import shutil
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path

from tests.containers.podman import LIMITS, PACKAGES, Podman, PodmanError


def reason() -> str:
    """Return why containers cannot be tried here; empty: they can."""
    if absent := [name for name in ("podman", "runc") if shutil.which(name) is None]:
        return f"{' and '.join(absent)} missing: apt-get install --no-install-recommends {' '.join(PACKAGES)}"
    podman = Podman(Path(tempfile.mkdtemp(prefix="crm-containers-", dir="/var/tmp")))
    try:
        with tempfile.TemporaryDirectory() as folder:
            tar = Path(folder, "root.tar")
            with tarfile.open(tar, "w") as root:  # the one server that needs no libraries
                root.add(Path(sysconfig.get_path("scripts"), "nats-server").resolve(), "nats-server")
            podman("import", tar, "probe")
        podman("network", "create", "probe")
        confined = [
            "--read-only",
            "--cap-drop=all",
            "--user=10001:10001",
            "--memory=64m",
            "--cpus=1",
            "--pids-limit=64",
        ]
        podman("run", "--rm", "--network=probe", *confined, *LIMITS, "probe", "/nats-server", "--version")
    except PodmanError as error:
        return " ".join(str(error).split())
    finally:
        podman.remove()
    return ""


if __name__ == "__main__":
    if why := reason():
        print(why)
        sys.exit(1)
