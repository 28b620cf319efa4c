"""The whole of compose.yaml, started once."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from pyrage import x25519

from tests.containers import images
from tests.containers.composed import ROOT, Composed
from tests.containers.podman import LIMITS, Podman
from tests.containers.seen import Region

NAME = "nats.example.org"
OUTSIDE = [*IPv4Network("198.51.100.0/24").subnets(new_prefix=28)]
"""Networks that a country may be in (RFC 5737)."""

NOT_SHOWN = """
What these containers cannot show:
- Others' images: no registry is reached. Debian's PostgreSQL 15, Prometheus 2.42 and Alertmanager 0.25 stand in, laid
  out as those images are; nats-server 2.15 is the release's, beside GNU's wget for Alpine's.
- Grafana, and what else has no stand-in here, is not started: {unavailable}.
- Docker Engine and `docker compose` themselves: podman and runc do what tests/containers/composed.py reads in
  compose.yaml. Health checks are asked for by the test, a log has one file instead of five, parts of the volume `keys`
  are mounted as folders.
"""


@pytest.fixture(scope="session")
def started() -> Iterator[Composed]:
    """All services of compose.yaml for which there are images, up and well; nothing is left of them afterwards.

    FOLDER names a place where images are kept for the next run.
    """
    kept = os.environ.get("FOLDER")
    podman = Podman(Path(kept or tempfile.mkdtemp(prefix="crm-containers-", dir="/var/tmp")))
    handed = Path(tempfile.mkdtemp(prefix="crm-handed-", dir="/var/tmp"))
    ports = {name: str(_free()) for name in ("CRM_HTTP_PORT", "CRM_PROMETHEUS_PORT")}
    outside = _unused()
    address = str(outside[1])
    given = {"CRM_NATS_ADDRESS": address, "CRM_HOSTS": f"{NAME} {address}", **ports}
    given["CRM_ALERTS_WEBHOOK"] = f"http://{address}:{_free()}/"
    on_call = x25519.Identity.generate()
    given["CRM_BACKUP_TO"] = str(on_call.to_public())
    (handed / "operator.age").write_text(f"{on_call}\n")
    composed = Composed(podman, ROOT / "compose.yaml", given, without=set(images.UNAVAILABLE.values()))
    composed.handed = handed
    try:
        podman.empty()
        if not podman.has("docker.io/library/servers"):
            images.make_others(podman)
        composed.build()
        _country(podman, handed, outside)
        composed.up()
        _hand_out(composed)
        yield composed
    finally:
        podman.empty() if kept else podman.remove()
        shutil.rmtree(handed)
    print(NOT_SHOWN.format(unavailable=", ".join(sorted(images.UNAVAILABLE))))
    assert kept or not podman.folder.exists()


@pytest.fixture(scope="module")
def region(started) -> Region:
    return Region(started)


def _country(podman: Podman, handed: Path, outside: IPv4Network) -> None:
    """Start a machine of a country, in a network that is not ours; this machine has its first address."""
    podman("network", "create", "--subnet", outside, "--gateway", outside[1], "crm_outside")
    options = ["--name=country", "--network=crm_outside", f"--add-host={NAME}:{outside[1]}", "--user=0:0", *LIMITS]
    options += [f"--volume={handed}:/handed:ro", '--entrypoint=["sleep", "infinity"]']
    podman("run", "--detach", *options, "crm-provision:0.1.0")


def _hand_out(composed: Composed) -> None:
    """Hand Guatemala and Honduras their keys, as docs/operations.md says that they are taken from the volume."""
    for file in [f"{country}.{ending}" for country in ("GTM", "HND") for ending in ("nk", "crt", "tls.key")] + [
        "ca.crt"
    ]:
        (composed.handed / file).write_text(composed.run("keys", f"/keys/countries/{file}", entrypoint=["cat"]) + "\n")
        (composed.handed / file).chmod(0o600)


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _unused() -> IPv4Network:
    """Return a network in which this machine has no address: another run, or one that was killed, may have some."""
    return next(one for one in OUTSIDE if not _is_here(one[1]))


def _is_here(address: IPv4Address) -> bool:
    """Whether this machine has that address: only then can a socket be bound to it."""
    with socket.socket() as one:
        try:
            one.bind((str(address), 0))
        except OSError:
            return False
    return True
