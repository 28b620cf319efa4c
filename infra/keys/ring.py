"""All that there is of keys in one folder.

A principal has an nkey (`GTM.nk`) and a certificate (`GTM.crt`, `GTM.tls.key`). A country may keep its keys to itself:
then the folder has its public nkey (`GTM.pub`) and its certificate only. What was replaced and still holds, for a time,
lies in `previous`, what is not used yet in `next`. Who is revoked has a file `GTM.revoked`, and nothing else.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nkeys
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from infra.keys.authority import Authority, pin, private
from infra.keys.files import write
from infra.nats.config import REVOKED, accounts, keys, make_seed, public_of, seed_file
from infra.nats.rights import principals
from infra.postgres.provision import ROLES
from infra.postgres.provision import passwords as passwords_of
from shared.contracts import SERVICES

OWNER = "crm"
"""The owner of the database, whose certificate has its name."""
SERVERS = ("nats", "postgres", "prometheus", "alertmanager", "grafana", "otel")
ANY_SERVICE = "crm-service"
"""A name that each service's certificate has beside its own: Prometheus finds them by addresses."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PREVIOUS, NEXT = "previous", "next"


class UnknownNameError(LookupError):
    """There is no principal or server of this name."""


@dataclass
class Ring:
    """The folder, and how its servers are called from elsewhere."""

    folder: Path
    hosts: Sequence[str] = field(default=())
    """What countries, or the operator's machines, call this system's servers (names or addresses)."""

    def __post_init__(self) -> None:
        """Make what is missing: keys, passwords, authority, a certificate for each; nothing is replaced."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        listed = self.folder / "hosts"
        before = listed.read_text().split() if listed.exists() else []
        self.hosts = [*(self.hosts or before)]
        write(listed, "\n".join(self.hosts).encode())
        keys(self.folder)
        passwords_of(self.folder)
        self.authority = Authority(self.folder)
        for name in names():
            elsewhere = self.hosts != before and name in SERVERS  # is called by other names than its certificate has
            if not self._gone(name) and (elsewhere or not self.certificate(name).exists()):
                self._certify(name, self.folder)

    def certificate(self, name: str) -> Path:
        """Return where a certificate lies."""
        return self.folder / f"{name}.crt"

    def prepare(self, name: str) -> None:
        """Make new keys of a principal or server, which servers take already and nobody uses yet (`settle`).

        This, `accept`, `end` and `revoke` raise AwayError, and change nothing, while the authority's key is elsewhere.
        """
        known(name)
        self.authority.present()
        there = self._folder(NEXT)
        for ending in SECRET:
            (there / f"{name}.{ending}").unlink(missing_ok=True)
        if name in principals():
            make_seed(seed_file(there, name))
        self._certify(name, there)

    def accept(self, name: str, public_nkey: str, request: bytes) -> None:
        """Take keys that a principal made and keeps to itself: its public nkey and a request for a certificate (PEM).

        They are prepared (`settle`). Raises ValueError where they are none.
        """
        known(name)
        self.authority.present()
        csr = x509.load_pem_x509_csr(request)
        public = csr.public_key()
        if not csr.is_signature_valid or not isinstance(public, ec.EllipticCurvePublicKey):
            raise ValueError("the request for a certificate must be signed by its own key, on a curve (P-256)")
        if not is_public(public_nkey):
            raise ValueError("the public nkey of a user begins with U and has 56 letters and digits")
        there = self._folder(NEXT)
        write(there / f"{name}.pub", public_nkey.encode())
        write(there / f"{name}.crt", self.authority.certify(name, public), 0o644)

    def settle(self, name: str) -> None:
        """Have what was prepared be what is used; what was used holds on as the previous, until `end` or `revoke`."""
        there = self._folder(PREVIOUS)
        self.end(name)
        if not self._gone(name):
            if (public := public_of(self.folder, name)) is not None:
                write(there / f"{name}.pub", public.encode())
            if self.certificate(name).exists():
                write(there / f"{name}.crt", self.certificate(name).read_bytes(), 0o644)
        for ending in (*SECRET, "crt"):
            fresh, used = self.folder / NEXT / f"{name}.{ending}", self.folder / f"{name}.{ending}"
            fresh.replace(used) if fresh.exists() else used.unlink(missing_ok=True)
        for ending in (REVOKED, "pw", "pgpass"):
            (self.folder / f"{name}.{ending}").unlink(missing_ok=True)
        keys(self.folder)
        passwords_of(self.folder)

    def end(self, name: str) -> None:
        """End what was replaced."""
        known(name)
        self._end(self.folder / PREVIOUS, name)

    def revoke(self, name: str) -> None:
        """End all that a principal or server has; `prepare` and `settle` would let it in again."""
        known(name)
        self.authority.present()
        write(self.folder / f"{name}.{REVOKED}", datetime.now(UTC).isoformat().encode())
        for folder in (self.folder, self.folder / NEXT, self.folder / PREVIOUS):
            self._end(folder, name)
        for ending in ("pw", "pgpass"):
            (self.folder / f"{name}.{ending}").unlink(missing_ok=True)

    def take(self, name: str, to: Path) -> None:
        """Move the secrets of a principal to the folder `to`, with what they need there; what is public stays."""
        known(name)
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        public = public_of(self.folder, name)
        for file in (seed_file(self.folder, name), self.folder / f"{name}.tls.key", self.certificate(name)):
            if file.exists():
                write(to / file.name, file.read_bytes())
        write(to / "ca.crt", self.authority.file.read_bytes(), 0o644)
        if public:
            write(self.folder / f"{name}.pub", public.encode())
        for ending in ("nk", "tls.key"):
            (self.folder / f"{name}.{ending}").unlink(missing_ok=True)

    def nats(self, folder: Path | None = None) -> dict[str, Any]:
        """Return the accounts and the `tls` part of the NATS configuration, whose files lie in `folder`."""
        there = folder or self.folder
        tls = {
            "cert_file": str(there / "nats.crt"),
            "key_file": str(there / "nats.tls.key"),
            "ca_file": str(there / "ca.crt"),
            "verify": True,
            "min_version": "1.3",
            # A client that waits for the server's word in clear could be told there that no TLS is needed. Ours speak
            # first; so long the server waits for that (by default 50 ms, which a busy machine may take).
            "handshake_first": "500ms",
            "timeout": 10,
            # A server cannot read a list of what is revoked: it knows the keys that are not.
            "pinned_certs": sorted(pin(certificate) for certificate in self._valid(principals())),
        }
        return {"tls": tls, **self.accounts()}

    def accounts(self) -> dict[str, Any]:
        """Return the accounts of the NATS configuration."""
        return accounts(keys(self.folder), self._beside(PREVIOUS), self._beside(NEXT))

    def state(self) -> list[dict[str, Any]]:
        """Return what there is, for a person: name, serial, from, until, and how it stands."""
        rows: list[dict[str, Any]] = []
        for name in names():
            for stands in ("", PREVIOUS, NEXT):
                file = self.folder / stands / f"{name}.crt"
                if file.exists():
                    rows.append({"name": name, "state": stands or "in use", **_facts(_read(file))})
            if self._gone(name):
                rows.append({"name": name, "state": "revoked"})
        return rows

    def _beside(self, which: str) -> Mapping[str, str]:
        found = {name: public_of(self.folder / which, name) for name in principals()}
        return {name: public for name, public in found.items() if public}

    def _valid(self, who: Iterable[str]) -> list[x509.Certificate]:
        folders = (self.folder, self.folder / PREVIOUS, self.folder / NEXT)
        files = [folder / f"{name}.crt" for name in who for folder in folders]
        return [_read(file) for file in files if file.exists()]

    def _gone(self, name: str) -> bool:
        return (self.folder / f"{name}.{REVOKED}").exists()

    def _folder(self, which: str) -> Path:
        there = self.folder / which
        there.mkdir(mode=0o700, exist_ok=True)
        return there

    def _certify(self, name: str, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        called: tuple[str, ...] = ()
        if name in SERVERS:
            called = (name, *LOOPBACK, *self.hosts)
        elif name in SERVICES:
            called = (name, ANY_SERVICE, *LOOPBACK)
        hosts = dict.fromkeys(called)
        certificate = self.authority.certify(name, key.public_key(), [*hosts])
        write(folder / f"{name}.tls.key", private(key))
        write(folder / f"{name}.crt", certificate, 0o644)

    def _end(self, folder: Path, name: str) -> None:
        file = folder / f"{name}.crt"
        if file.exists():
            self.authority.revoke([_read(file)])
        for ending in (*SECRET, "crt"):
            (folder / f"{name}.{ending}").unlink(missing_ok=True)


SECRET = ("nk", "pub", "tls.key")
"""Endings of what belongs to a principal's certificate, or to itself beside it."""


def names() -> tuple[str, ...]:
    """Return everybody who has a certificate."""
    return tuple(dict.fromkeys((*principals(), *ROLES, OWNER, *SERVERS)))


def known(name: str) -> None:
    """Raise UnknownNameError unless there is one of this name."""
    if name not in names():
        raise UnknownNameError(f"there is no {name!r}; there are {', '.join(names())}")


def is_public(nkey: str) -> bool:
    """Say whether this is the public nkey of a user (base32, with a checksum at its end)."""
    if not re.fullmatch(r"U[A-Z2-7]{55}", nkey):
        return False
    raw = base64.b32decode(nkey)
    checksum: int = nkeys.crc16(raw[:-2])
    return checksum == int.from_bytes(raw[-2:], "little")


def rewrite(config: Path, part: Mapping[str, Any]) -> None:
    """Put the accounts and the `tls` part into a server's configuration, and leave the rest of it."""
    whole = json.loads(config.read_text())
    write(config, json.dumps({**whole, **part}, indent=1).encode(), config.stat().st_mode & 0o777)


def _read(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def _facts(certificate: x509.Certificate) -> dict[str, Any]:
    return {
        "serial": f"{certificate.serial_number:x}",
        "from": certificate.not_valid_before_utc.date().isoformat(),
        "until": certificate.not_valid_after_utc.date().isoformat(),
        "days": (certificate.not_valid_after_utc - datetime.now(UTC)).days,
    }
