"""The keys by which logs are signed and witnessed: made once, each secret one in a file that only its owner can read.

`<service>.log` signs a service's checkpoints, `<country>.witness` cosigns them; `logs` and `witnesses` hold their
public keys, one a line (C2SP vkeys). A country that made its own key hands in that line, and no secret of it is here.
These keys sign nothing else: a NATS key signs whatever a server asks it to at login.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path

from infra.keys.files import write
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from shared.record.note import COSIGNS, SIGNS, Signer, signer_in, verifiers_in

ORIGIN = "crm.region"
"""What the names of the logs and witnesses begin with."""


def make(folder: Path) -> None:
    """Make what is missing in the folder; nothing is replaced."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    logs = {service: Signer(f"{ORIGIN}/log/{service}", SIGNS, secrets.token_bytes(32)) for service in SERVICES}
    _made(logs_file(folder), [(log_file(folder, service), fresh) for service, fresh in logs.items()])
    witnesses = {one: Signer(f"{ORIGIN}/witness/{one}", COSIGNS, secrets.token_bytes(32)) for one in MEMBERS}
    _made(witnesses_file(folder), [(witness_file(folder, one), fresh) for one, fresh in witnesses.items()])


def log_file(folder: Path, service: str) -> Path:
    """Return where the key lies with which a service signs."""
    return folder / f"{service}.log"


def witness_file(folder: Path, country: str) -> Path:
    """Return where the key lies with which a country cosigns."""
    return folder / f"{country}.witness"


def logs_file(folder: Path) -> Path:
    """Return where the public keys of the logs lie."""
    return folder / "logs"


def witnesses_file(folder: Path) -> Path:
    """Return where the public keys of the witnesses lie."""
    return folder / "witnesses"


def env(folder: Path, service: str) -> dict[str, str]:
    """Return the settings of a service whose keys lie in the folder."""
    return {"CRM_LOG_KEY": str(log_file(folder, service)), "CRM_WITNESSES": str(witnesses_file(folder))}


def _made(public: Path, wanted: Sequence[tuple[Path, Signer]]) -> None:
    """Make the keys whose name has no public key yet; older ones of a name stay, so that what they signed is known."""
    known = verifiers_in(public) if public.exists() else []
    names = {one.name for one in known}
    missing = [(file, fresh) for file, fresh in wanted if fresh.name not in names]
    for file, fresh in missing:
        if not file.exists():
            write(file, f"{fresh.line}\n")
    if missing:
        write(public, "".join(f"{one.vkey}\n" for one in (*known, *(signer_in(file).verifier for file, _ in missing))))
