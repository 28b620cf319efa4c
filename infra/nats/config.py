"""The accounts part of the nats-server configuration, and the keys behind it."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nkeys

from infra import keyfiles
from infra.nats import crossing, limits
from infra.nats.rights import CENTRAL, Rights, country, hands, mailbox_subjects, opening, principals, services
from shared.contracts.vocabulary import MEMBERS
from shared.flow.streams import RECEIVERS

LOGS = "crm.log.*"
"""Where the countries hear what the services sign of their logs."""
REVOKED = "revoked"
"""Ending of the file that says that a principal's keys are revoked: it gets none until `crm keys rotate` gives some."""


def keys(folder: Path) -> dict[str, str]:
    """Return the public key of each principal that is not revoked.

    All secret keys are made once, in `folder`, readable by nobody else; but for whom a public key lies there already.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keyfiles.make(folder)
    found = {}
    for principal in principals():
        if not (folder / f"{principal}.{REVOKED}").exists():
            found[principal] = public_of(folder, principal) or _public(seed_file(folder, principal))
    return found


def public_of(folder: Path, principal: str) -> str | None:
    """Return the public key that `folder` has of a principal; None: it has none."""
    seed, kept_elsewhere = seed_file(folder, principal), folder / f"{principal}.pub"
    if not seed.exists():
        return kept_elsewhere.read_text().strip() if kept_elsewhere.exists() else None
    return _public(seed)


def seed_file(folder: Path, principal: str) -> Path:
    """Return where a principal's seed lies."""
    return folder / f"{principal}.nk"


def accounts(public_keys: Mapping[str, str], *more: Mapping[str, str]) -> dict[str, Any]:
    """Return the configuration of all accounts: CRM with one user per service, one account per country and hand.

    The server maps a country's own subjects to the central ones, so that a country cannot name another. Who has no key
    is nobody; `more` are keys that hold beside these while they are replaced.
    """
    heard = {"stream": LOGS, "accounts": list(MEMBERS)}
    by_hand = hands()
    exports = [heard, *(export for name in RECEIVERS for export in _exports(name)), *crossing.exports(by_hand)]

    def users_of(name: str, rights: Rights) -> list[dict[str, Any]]:
        return [_user(found[name], rights) for found in (public_keys, *more) if name in found]

    users = [user for name, rights in services().items() for user in users_of(name, rights)]
    configured: dict[str, Any] = {CENTRAL: {"jetstream": "enabled", "users": users, "exports": exports}}
    for name, rights in by_hand.items():
        configured[name] = {
            "users": users_of(name, crossing.local(rights)),
            "mappings": crossing.MAPPINGS,
            "imports": crossing.imports(rights),
        }
    for name in RECEIVERS:
        own = users_of(name, country(name))
        configured[name] = {"users": own, "imports": _imports(name), "limits": limits.account(name)}
    return {"accounts": configured}


def at_rest(folder: Path) -> dict[str, str]:
    """Return what the `jetstream` part needs to encrypt all that it stores; the key is made once, in `folder`.

    A store of before is encrypted when the server starts with it.
    """
    file = folder / "streams.key"
    if not file.exists():
        fresh = file.with_suffix(".new")
        fresh.touch(0o600)
        fresh.write_text(secrets.token_urlsafe(32))
        fresh.rename(file)
    return {"cipher": "chachapoly", "key": file.read_text()}


def server(public_keys: Mapping[str, str], store: str = "/data", *, tls: bool = False) -> dict[str, Any]:
    """Return a whole configuration for a server of its own: every write synced, monitoring on 8222.

    With `tls`, monitoring is by HTTPS; the `tls` part itself is `infra.keys.ring.Ring.nats`.
    """
    return {
        "listen": "0.0.0.0:4222",
        "https" if tls else "http": "0.0.0.0:8222",
        "jetstream": {"store_dir": store, "sync_interval": "always", **limits.jetstream()},
        **limits.server(),
        **accounts(public_keys),
    }


def _exports(name: str) -> list[dict[str, Any]]:
    pull, ack = mailbox_subjects(name)
    return [
        {"service": f"crm.in.{name}.>", "accounts": [name]},
        *({"service": f"crm.ask.{one}.>", "accounts": [one]} for one in MEMBERS if one == name),
        {"service": pull, "response_type": "stream", "accounts": [name]},
        {"service": ack, "accounts": [name]},
        *({"service": asked, "accounts": [name]} for asked in opening(name) if asked != pull),
    ]


def _imports(name: str) -> list[dict[str, Any]]:
    mapped = [(f"crm.in.{name}.>", "report.>"), *((f"crm.ask.{one}.>", "ask.>") for one in MEMBERS if one == name)]
    return [
        *({"stream": {"account": CENTRAL, "subject": LOGS}, "to": "log.*"} for one in MEMBERS if one == name),
        *({"service": {"account": CENTRAL, "subject": subject}, "to": local} for subject, local in mapped),
        *({"service": {"account": CENTRAL, "subject": subject}} for subject in mailbox_subjects(name)),
        *({"service": {"account": CENTRAL, "subject": asked}, "to": local} for asked, local in opening(name).items()),
    ]


def _user(public_key: str, rights: Rights) -> dict[str, Any]:
    permissions: dict[str, Any] = {
        "publish": {"allow": list(rights.publish)},
        "subscribe": {"allow": list(rights.subscribe)},
    }
    if rights.answers:
        permissions["allow_responses"] = {"max": 1, "expires": "1m"}
    return {"nkey": public_key, "permissions": permissions}


def _public(seed: Path) -> str:
    """Return the public key of the seed in the file, which is made when it is missing."""
    if not seed.exists():
        make_seed(seed)
    pair = nkeys.from_seed(bytearray(seed.read_bytes().strip()))
    return str(pair.public_key.decode())


def make_seed(seed: Path) -> None:
    """Make a seed in the file."""
    fresh = seed.with_suffix(".new")
    fresh.touch(0o600)
    fresh.write_bytes(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER) + b"\n")
    fresh.rename(seed)
