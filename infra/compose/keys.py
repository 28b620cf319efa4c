"""Make the keys and passwords of a compose deployment, and lay out for each container its own and no other's.

`python -m infra.compose.keys /keys`; safe to run again: what exists is kept, what is new is added.

    all/            every key and password, for provisioning only
    <service>/      seed.nk, pgpass, sealing.key, log.key, recipients.json, signing.toml, and witnesses
    countries/      the countries' keys, for the synthetic region and for handing out
    indicators/     operator.token, too
    upkeep/         seed.nk and pgpass of what verifies and backs up, logs and witnesses
    provision/ nats/ postgres/ prometheus/ grafana/ alertmanager/

Each has its certificate (`seed.crt`, `seed.tls.key`), the region's authority (`ca.crt`) and what of it is revoked
(`crl.pem`). `CRM_HOSTS` names what countries call this system, with spaces between. `CRM_NATS_DISK_GIB` says how much
of the disk NATS may take; by default three quarters of what is free at the first time. `CRM_ALERTS_*` name to whom
alerts are told. What is not named again stays.
"""

import json
import os
import secrets
import shutil
import sys
from pathlib import Path

from infra import keyfiles, signing, witnessing
from infra.compose import alerting
from infra.keys.files import write
from infra.keys.ring import OWNER, Ring
from infra.nats.config import at_rest, keys, seed_file, server
from infra.nats.rights import PROVISIONER, UPKEEP
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from shared.flow.streams import RECEIVERS

HBA = """# In its own container the image's set-up is the owner; else by TLS, with the certificate of the role.
local all all trust
hostssl all all all scram-sha-256 clientcert=verify-full
"""
PRIVATE, LEGIBLE = 0o600, 0o644
"""LEGIBLE is for containers that run as another user; each is given its own folder only."""
DISK_SHARE = 0.75
"""Of what is free at first; keys, database and streams mostly lie on one disk."""


def lay_out(root: Path) -> None:
    """Write everything below `root`."""
    everything = root / "all"
    ring = Ring(everything, os.environ.get("CRM_HOSTS", "").split())
    config = {**server(keys(everything), tls=True), **ring.nats(Path("/etc/crm"))}
    config["jetstream"] = {**config["jetstream"], **at_rest(everything), "max_file_store": _disk(root) << 30}
    _write(root / "nats" / "nats.json", json.dumps(config, indent=1))
    for server_ in ("nats", "postgres", "prometheus", "alertmanager", "grafana", "otel"):
        _certified(ring, root / server_, server_, server_, PRIVATE if server_ == "nats" else LEGIBLE)
    _alerting(root / "alertmanager" / "alertmanager.yml")
    _write(root / "postgres" / "pg_hba.conf", HBA, LEGIBLE)
    signing.make(everything)
    for service in SERVICES:
        if not seed_file(everything, service).exists():
            continue  # it is revoked
        _certified(ring, root / service, service, "seed")
        _write(root / service / "seed.nk", seed_file(everything, service).read_text())
        _write(root / service / "pgpass", (everything / f"{service}.pgpass").read_text())
        _write(root / service / "recipients.json", keyfiles.recipients_file(everything).read_text())
        _write(root / service / "sealing.key", keyfiles.own_file(everything, service).read_text())
        if service == keyfiles.HASHES:
            _write(root / service / "numbers.key", keyfiles.numbers_file(everything).read_text())
        _write(root / service / "log.key", witnessing.log_file(everything, service).read_text())
        _write(root / service / "signing.toml", signing.region_file(everything).read_text())
        _write(root / service / "witnesses", witnessing.witnesses_file(everything).read_text())
    _upkeep(ring, root / "upkeep")
    _write(root / "countries" / "logs", witnessing.logs_file(everything).read_text())
    _write(root / "countries" / "witnesses", witnessing.witnesses_file(everything).read_text())
    _write(root / "countries" / "recipients.json", keyfiles.recipients_file(everything).read_text())
    for country in RECEIVERS:
        if seed_file(everything, country).exists():  # not revoked, and not kept by the country itself
            _write(seed_file(root / "countries", country), seed_file(everything, country).read_text())
            _certified(ring, root / "countries", country, country)
        if (identity := keyfiles.identity_file(everything, country)).exists():
            _write(keyfiles.identity_file(root / "countries", country), identity.read_text())
        if (own := witnessing.witness_file(everything, country)).exists():
            _write(witnessing.witness_file(root / "countries", country), own.read_text())
    for file in [file for country in MEMBERS for file in signing.files(everything, country)]:
        _write(root / "countries" / file.name, file.read_text())
    owner = _kept(root / "postgres" / "owner.pw")
    _kept(root / "grafana" / "admin.pw")
    token = _kept(root / "indicators" / "operator.token", PRIVATE)
    _write(root / "prometheus" / "operator.token", token, LEGIBLE)
    _write(root / "provision" / "seed.nk", seed_file(everything, PROVISIONER).read_text())
    _certified(ring, root / "provision", PROVISIONER, "seed")
    _certified(ring, root / "provision", OWNER, "owner")
    _write(root / "provision" / "pgpass", f"*:*:*:crm:{owner}\n")


def _upkeep(ring: Ring, folder: Path) -> None:
    """Lay out what verifies and backs up needs: its own key and password, and the public keys of the logs."""
    everything = ring.folder
    if not seed_file(everything, UPKEEP).exists():
        return  # it is revoked
    _certified(ring, folder, UPKEEP, "seed")
    _write(folder / "seed.nk", seed_file(everything, UPKEEP).read_text())
    _write(folder / "pgpass", (everything / f"{UPKEEP}.pgpass").read_text())
    _write(folder / "logs", witnessing.logs_file(everything).read_text())
    _write(folder / "witnesses", witnessing.witnesses_file(everything).read_text())


def _alerting(file: Path) -> None:
    """Write to whom alerts are told: as is named now, else as before."""
    if not alerting.named(os.environ) and file.exists():
        return
    if not alerting.named(os.environ):
        print(f"alerts reach nobody: name {alerting.WEBHOOK} or {alerting.EMAIL}", file=sys.stderr)  # noqa: T201
    try:
        _write(file, json.dumps(alerting.config(os.environ), indent=1), LEGIBLE)
    except alerting.AlertingError as error:
        sys.exit(str(error))


def _disk(root: Path) -> int:
    """Return the GiB that NATS may take: a number that does not shrink as the disk fills, as the server's own would."""
    kept = root / "nats" / "disk_gib"
    given = os.environ.get("CRM_NATS_DISK_GIB") or (kept.read_text() if kept.exists() else "")
    if given and not (given.isdigit() and int(given)):
        sys.exit(f"CRM_NATS_DISK_GIB={given!r}: a whole number of GiB is wanted, such as 40")
    gib = int(given) if given else max(1, int(shutil.disk_usage(root).free * DISK_SHARE) >> 30)
    _write(kept, f"{gib}")
    return gib


def _certified(ring: Ring, folder: Path, name: str, called: str, mode: int = PRIVATE) -> None:
    """Lay out what `name` shows, as files that begin with `called`."""
    if not ring.certificate(name).exists():
        return
    for ending in ("crt", "tls.key"):
        _write(folder / f"{called}.{ending}", (ring.folder / f"{name}.{ending}").read_text(), mode)
    for public in ("ca.crt", "crl.pem"):
        _write(folder / public, (ring.folder / public).read_text(), LEGIBLE)


def _kept(file: Path, mode: int = LEGIBLE) -> str:
    """Return the password in the file, made once."""
    if not file.exists():
        _write(file, secrets.token_urlsafe(24), mode)
    return file.read_text()


def _write(file: Path, text: str, mode: int = PRIVATE) -> None:
    """Write a file, and the folder that it lies in."""
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    write(file, text, mode)


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]))
