"""The keys that seal and hash: made once, each secret one in a file that only its owner can read.

`<name>.age` holds a secret key as `age-keygen` writes it, of each who reports and of the operator on call;
`recipients.json` their public keys; `<service>.key` what a service seals with for itself. A file may hold several keys,
a line each, the newest first. Where a country made its own, its public key is in `recipients.json`, and no file here.
`numbers.key` hashes telephone numbers for the countries, by versions; the public keys to it are in `numbers.json`.
"""

import json
import secrets
from pathlib import Path

from pyrage import x25519

from infra import witnessing
from infra.keys.files import write
from shared.contracts import SERVICES
from shared.flow.sealing import ON_CALL
from shared.flow.streams import RECEIVERS
from shared.numbers import evaluators

KEY_BYTES = 32
HASHES = "legal"
"""The service that answers `numbers`: it has the key, and sees no address book."""
KEEPS = "victims"
"""The service that keeps the keys of what countries seal."""


def make(folder: Path) -> None:
    """Make what is missing in the folder; nothing is replaced."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = recipients_file(folder)
    public: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    for name in (*RECEIVERS, ON_CALL):
        if name not in public:
            public[name] = _identity(identity_file(folder, name))
            write(file, json.dumps(public, indent=1) + "\n")
    for service in SERVICES:
        own = own_file(folder, service)
        if not own.exists():
            write(own, secrets.token_hex(KEY_BYTES) + "\n")
    numbers = numbers_file(folder)
    if not numbers.exists():
        write(numbers, f"1 {secrets.token_hex(KEY_BYTES)}\n")
    public_keys = {version: key.public_key.serialize().hex() for version, key in evaluators(numbers).items()}
    write(public_numbers_file(folder), json.dumps(public_keys, indent=1) + "\n")
    witnessing.make(folder)


def recipients_file(folder: Path) -> Path:
    """Return where the public keys lie."""
    return folder / "recipients.json"


def identity_file(folder: Path, name: str) -> Path:
    """Return where the secret key lies with which `name` opens what is sealed for it."""
    return folder / f"{name}.age"


def own_file(folder: Path, service: str) -> Path:
    """Return where the key lies with which a service seals for itself."""
    return folder / f"{service}.key"


def numbers_file(folder: Path) -> Path:
    """Return where the key lies with which telephone numbers are hashed."""
    return folder / "numbers.key"


def public_numbers_file(folder: Path) -> Path:
    """Return where the public keys to it lie, by version."""
    return folder / "numbers.json"


def kept_file(folder: Path) -> Path:
    """Return where the keys of what countries seal are kept: beside the folder, whose backup must not have them."""
    return folder.parent / "sealed" / "keys.sqlite"


def env(folder: Path, service: str) -> dict[str, str]:
    """Return the settings of a service whose keys lie in the folder."""
    named = {"CRM_RECIPIENTS": recipients_file(folder), "CRM_SEALING_KEY": own_file(folder, service)}
    if service == HASHES:
        named["CRM_NUMBERS_KEY"] = numbers_file(folder)
    if service == KEEPS:
        named["CRM_KEYS_FILE"] = kept_file(folder)
    return {name: str(file) for name, file in named.items()} | witnessing.env(folder, service)


def _identity(file: Path) -> str:
    """Return the public key of the newest secret key in the file, which is made when it is missing."""
    if not file.exists():
        identity = x25519.Identity.generate()
        write(file, f"# public key: {identity.to_public()}\n{identity}\n")
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return str(x25519.Identity.from_str(lines[0]).to_public())
