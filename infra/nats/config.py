"""The accounts part of the nats-server configuration, and the keys behind it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nkeys

from infra import keyfiles
from infra.nats import limits
from infra.nats.rights import Rights, central, country, mailbox_subjects, principals
from shared.contracts.vocabulary import MEMBERS
from shared.flow.streams import RECEIVERS

CENTRAL = "CRM"
LOGS = "crm.log.*"
"""Where the countries hear what the services sign of their logs."""


def keys(folder: Path) -> dict[str, str]:
    """Return each principal's public key; all secret keys are made once, in `folder`, readable by nobody else."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keyfiles.make(folder)
    return {principal: _public(seed_file(folder, principal)) for principal in principals()}


def seed_file(folder: Path, principal: str) -> Path:
    """Return where a principal's seed lies."""
    return folder / f"{principal}.nk"


def accounts(public_keys: Mapping[str, str]) -> dict[str, Any]:
    """Return the configuration of all accounts: CRM with one user per service, one account per country.

    The server maps a country's own subjects to the central ones, so that a country cannot name another.
    """
    users = [_user(public_keys[name], rights) for name, rights in central().items()]
    heard = {"stream": LOGS, "accounts": list(MEMBERS)}
    exports = [heard, *(export for name in RECEIVERS for export in _exports(name))]
    configured: dict[str, Any] = {CENTRAL: {"jetstream": "enabled", "users": users, "exports": exports}}
    for name in RECEIVERS:
        user = _user(public_keys[name], country(name))
        configured[name] = {"users": [user], "imports": _imports(name), "limits": limits.account(name)}
    return {"accounts": configured}


def server(public_keys: Mapping[str, str], store: str = "/data") -> dict[str, Any]:
    """Return a whole configuration for a server of its own: every write synced, monitoring on 8222.

    TLS belongs to where it runs: a deployment adds `tls` where the link leaves its private network.
    """
    return {
        "listen": "0.0.0.0:4222",
        "http": "0.0.0.0:8222",
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
    ]


def _imports(name: str) -> list[dict[str, Any]]:
    mapped = [(f"crm.in.{name}.>", "report.>"), *((f"crm.ask.{one}.>", "ask.>") for one in MEMBERS if one == name)]
    return [
        *({"stream": {"account": CENTRAL, "subject": LOGS}, "to": "log.*"} for one in MEMBERS if one == name),
        *({"service": {"account": CENTRAL, "subject": subject}, "to": local} for subject, local in mapped),
        *({"service": {"account": CENTRAL, "subject": subject}} for subject in mailbox_subjects(name)),
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
        fresh = seed.with_suffix(".new")
        fresh.touch(0o600)
        fresh.write_bytes(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER) + b"\n")
        fresh.rename(seed)
    pair = nkeys.from_seed(bytearray(seed.read_bytes().strip()))
    return str(pair.public_key.decode())
