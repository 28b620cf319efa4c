"""The signed record of what the provisioner's key was used for: a line of JSON each, chained by hashes.

The server keeps one of its own, of streams made, changed or deleted by whomever (stream CHANGES).
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nkeys
from nacl.signing import VerifyKey

from infra.keys.files import write


def add(file: Path, seed: Path, done: Iterable[str]) -> None:
    """Add a line that tells what was done, signed with the seed's key (Ed25519)."""
    pair = nkeys.from_seed(bytearray(seed.read_bytes().strip()))
    lines = file.read_text().splitlines() if file.exists() else []
    told = {
        "at": datetime.now(UTC).isoformat(),
        "by": pair.public_key.decode(),
        "before": hashlib.sha256(lines[-1].encode()).hexdigest() if lines else "",
        "done": [*done],
    }
    signature = base64.b64encode(pair.sign(_signed(told))).decode()
    write(file, "".join(f"{line}\n" for line in [*lines, json.dumps({**told, "signature": signature})]).encode())


def faults(file: Path) -> list[str]:
    """Tell in words where the record is not as it was signed, or a line of it is gone; a cut at its end is not seen."""
    found, before = [], ""
    for number, line in enumerate(file.read_text().splitlines(), 1):
        try:
            told: dict[str, Any] = json.loads(line)
            signature = base64.b64decode(told.pop("signature"))
            VerifyKey(base64.b32decode(told["by"])[1:-2]).verify(_signed(told), signature)
            whole = told["before"] == before
        except Exception:  # noqa: BLE001 - whatever is wrong with a line: it is none that was signed
            found.append(f"line {number} is not as it was signed")
        else:
            found += [] if whole else [f"before line {number} a line is gone or changed"]
        before = hashlib.sha256(line.encode()).hexdigest()
    return found


def _signed(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True).encode()
