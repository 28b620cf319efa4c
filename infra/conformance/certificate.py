"""The certificate of a system that keeps all rules: a signed note (C2SP signed-note), which Go's sumdb/note reads too.

For example:

    crm.region/conformance
    system GTM:sicam
    version 0.1.0
    contracts 5d1f…
    day 2026-11-27
    kept reports refused repeats patient reads answers redelivered withdrawn goes_on owns
"""

import re
import secrets
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from infra.keys.files import write
from infra.witnessing import ORIGIN
from shared.contracts.evolution import digest
from shared.record.note import SIGNS, Signer, signer_in

KIND = f"{ORIGIN}/conformance"
SYSTEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
"""What a system is called in it: no spaces, and no place for a person's name."""


def certificate(system: str, version: str, day: date, kept: Iterable[str], key: Signer) -> str:
    """Return the note of a system that kept these rules, by the contracts as they are here."""
    said = (
        KIND,
        f"system {system}",
        f"version {version}",
        f"contracts {digest()}",
        f"day {day}",
        f"kept {' '.join(kept)}",
    )
    text = "".join(f"{line}\n" for line in said)
    return f"{text}\n{key.sign(text)}"


def key_in(file: Path) -> Signer:
    """Return the key by which certificates are signed, made where there is none; NoteError or OSError.

    Beside it lies its public key (`.pub`, a C2SP vkey), by which others read certificates.
    """
    if not file.exists():
        fresh = Signer(KIND, SIGNS, secrets.token_bytes(32))
        write(file, f"{fresh.line}\n")
        write(file.with_name(f"{file.name}.pub"), f"{fresh.verifier.vkey}\n", 0o644)
    return signer_in(file)
