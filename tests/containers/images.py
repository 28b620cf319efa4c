"""The images that compose.yaml names: ours from infra/Dockerfile, others' stood in for by Debian's packages."""

import shutil
import sysconfig
import tempfile
from pathlib import Path

from tests.containers import base
from tests.containers.podman import LIMITS, Podman

PYTHON = ["python3", "python3-venv", "ca-certificates", "passwd"]
SERVERS = [*PYTHON, "postgresql-15", "prometheus", "prometheus-alertmanager", "wget", "age"]
STANDINS = Path(__file__).parent / "standins"
OTHERS = {
    "nats:2.15-alpine": "nats",
    "postgres:18": "postgres",
    "prom/prometheus:v3.5.0": "prometheus",
    "prom/alertmanager:v0.28.1": "alertmanager",
}
"""Others' images, by the stage of standins/Dockerfile that stands in."""
UNAVAILABLE = {"grafana/grafana:11.6.0": "grafana"}
"""Others' images for which nothing here can stand in, and the service that is not started."""


def make_others(podman: Podman) -> None:
    """Make what stands in for others' images, with their names."""
    if absent := base.missing(SERVERS):
        raise AssertionError(f"packages are missing: apt-get install --no-install-recommends {' '.join(absent)}")
    with tempfile.TemporaryDirectory() as folder:
        tar = Path(folder, "root.tar")
        for name, packages in (
            ("docker.io/library/python:3.11-slim-bookworm", PYTHON),
            ("docker.io/library/servers", SERVERS),
        ):
            base.write(tar, packages)
            podman("import", tar, name)
        tar.unlink()
        context = Path(shutil.copytree(STANDINS, Path(folder, "standins")))
        shutil.copy(Path(sysconfig.get_path("scripts"), "nats-server"), context)
        for name, stage in OTHERS.items():
            full = f"docker.io/{name}" if "/" in name else f"docker.io/library/{name}"
            command = ["build", "--quiet", "--pull=never", "--format", "docker", *LIMITS, "--network", "host"]
            podman(*command, "--target", stage, "--tag", full, context)
