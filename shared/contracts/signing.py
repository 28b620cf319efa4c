"""A country's signature: a detached JWS (RFC 7515, appendix F) with Ed25519 (RFC 8037) over a report's bytes.

It stands in a header beside the report. The region keeps it with the bytes that were signed, as an ordinary compact
JWS: whoever has that needs no more than a JOSE library and the country's public key.
"""

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Raw, Struct
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from shared import contracts
from shared.contracts import Corrected, Event, Problem, Refused, Report, Retracted
from shared.contracts.binary import said_in
from shared.contracts.door import shortened
from shared.contracts.owned import identified
from shared.contracts.report import accepted

HEADER = "Crm-Signature"
SIGNATURE_MAX = 512
"""Characters of a signature in its header; ours have 178."""
SIGNED_BYTES_MAX = 47_000
"""Of a report that is signed: with its signature it goes in a header of the stream, which takes 64 KiB (base64)."""
KEY_BYTES, KEY_CHARACTERS = 32, 43
PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
"""What stands before the seed of an Ed25519 key in PKCS #8 (RFC 8410)."""
UNKEPT = ("tracestate", "dataschema")
"""Attributes that are taken and not recorded: in what is signed they would be."""


class Signature(Struct, frozen=True):
    """A signature that fits its report; whether the key is one of the country's is another question."""

    jws: bytes
    """The compact JWS, with the report's bytes in it."""
    key: str
    """The public key that made it (base64url, as `x` of a JWK)."""


class _Protected(Struct):
    alg: Literal["EdDSA", "Ed25519"]
    """RFC 8037, and as RFC 9864 calls it."""
    kid: str
    """The public key itself: nobody has to look it up to check the signature."""
    crit: None = None
    """What this names must be understood; nothing of it is (RFC 7515, 4.1.11)."""


_protected = msgspec.json.Decoder(_Protected)
_members = msgspec.json.Decoder(dict[str, Raw])
_encode = msgspec.json.Encoder(order="deterministic").encode


def verified(headers: Mapping[str, str] | None, payload: bytes) -> Signature | None:
    """Return the signature of a report whose contract took it; None: it has none. Raises Refused (`signature_invalid`).

    Only a report in structured mode can be signed, and only one in which nothing stands but what is recorded.
    """
    found = [value for name, value in (headers or {}).items() if name.lower() == HEADER.lower()]
    if not found:
        return None
    if len(found) > 1:
        raise _invalid("there are several signatures; send one")
    if said_in(headers) is not None:
        raise _invalid("a report in binary mode cannot be signed: send it in structured mode")
    if problems := unsignable(payload):
        raise Refused(*problems)
    if len(found[0]) > SIGNATURE_MAX:
        raise _invalid(f"a signature has at most {SIGNATURE_MAX} characters: a detached JWS, by Ed25519")
    try:
        head, middle, tail = found[0].split(".")
        if middle:
            raise ValueError
        jws = ".".join((head, _written(payload), tail)).encode()
        key, _ = opened(jws)
    except ValueError:
        raise _invalid("it is no detached JWS (RFC 7515) by Ed25519 over the bytes of this report") from None
    return Signature(jws, key)


def opened(jws: bytes) -> tuple[str, bytes]:
    """Return the public key that made a compact JWS, and what it signed; raises ValueError where it does not fit."""
    signed, _, tail = jws.rpartition(b".")
    head, _, payload = signed.partition(b".")
    key = _key(head)
    try:
        _verifier(key).verify(signed, read(tail))
    except (CryptoError, TypeError) as error:
        raise ValueError("the signature does not fit") from error
    return key, read(payload)


def signed(payload: bytes, key: SigningKey) -> str:
    """Return the signature of a report's bytes, as it goes into its header."""
    head = _head(public(key))
    tail = key.sign(f"{head}.{_written(payload)}".encode()).signature
    return f"{head}..{_written(tail)}"


def public(key: SigningKey) -> str:
    """Return the public key of a secret one, as it is written everywhere."""
    return _written(bytes(key.verify_key))


def secret(file: Path) -> SigningKey:
    """Return the Ed25519 key in a file as `openssl genpkey -algorithm ed25519` makes it; raises ValueError."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("-----")]
    try:
        der = base64.b64decode("".join(lines), validate=True)
    except binascii.Error:
        der = b""
    if not der.startswith(PKCS8) or len(der) != len(PKCS8) + KEY_BYTES:
        message = f"{file.name} holds no Ed25519 key (PKCS #8, PEM)"
        raise ValueError(message)
    return SigningKey(der[len(PKCS8) :])


def written(key: SigningKey) -> str:
    """Return a secret key as a file holds it."""
    body = base64.b64encode(PKCS8 + bytes(key)).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"


def agrees(event: Event[Any], payload: bytes) -> bool:
    """Say whether an event on record says what was signed: no more, no less, but for what recording fills in."""
    sender = contracts.sender_of(event.source)
    try:
        sent = accepted(f"crm.in.{sender}.{event.name}", None, payload, event.recordedtime)
        return _said(sent, event) == _said(event, event)
    except (Refused, msgspec.ValidationError, KeyError, AttributeError):
        return False


def _said(one: Event[Any], recorded: Event[Any]) -> tuple[Any, ...]:
    """Return what an event says of its own, as it was sent or as it is recorded."""
    agreed = contracts.registry()[recorded.type]
    data = msgspec.structs.replace(one.data, **dict.fromkeys(agreed.derived))
    if isinstance(data, Corrected):
        original = contracts.registry()[recorded.data.original]
        kind = contracts.report_type(original)
        known = {field.encode_name for field in msgspec.structs.fields(kind)}
        told = {name: value for name, value in one.data.data.items() if name in known}
        corrected = msgspec.convert(shortened(told, kind), kind)
        assert isinstance(corrected, Report)
        new, _ = identified(original, corrected, one.country)
        new = msgspec.structs.replace(new, **dict.fromkeys(original.derived))
        data = msgspec.structs.replace(data, data=msgspec.to_builtins(new))
    # Of an amendment the service says what it is about.
    about = "" if isinstance(data, Corrected | Retracted) else one.subject
    whole = (one.id, one.source, one.type, one.time, one.expirytime, one.causationid, one.correlationid, one.country)
    return (*whole, about, _encode(data))


def unsignable(payload: bytes) -> list[Problem]:
    """Return why a report that its contract took cannot be signed: it is too long, or says what is not recorded."""
    if len(payload) > SIGNED_BYTES_MAX:
        return [Problem("", "signature_invalid", f"a signed report has at most {SIGNED_BYTES_MAX} bytes")]
    members = _members.decode(payload)
    message = "leave it out of a signed report: it is not recorded, and what is signed is kept"
    problems = [Problem(f"/{name}", "signature_invalid", message) for name in UNKEPT if name in members]
    kind = members.get("datacontenttype")
    if kind is not None and bytes(kind).strip() not in {b'"application/json"', b"null"}:
        message = "in a signed report it is application/json, without parameters, or left out"
        problems.append(Problem("/datacontenttype", "signature_invalid", message))
    return problems


def _invalid(message: str) -> Refused:
    return Refused(Problem("", "signature_invalid", message))


@lru_cache(1024)
def _key(head: bytes) -> str:
    """Return the key that a protected header names; raises ValueError. A system's reports all have the same one."""
    return _protected.decode(read(head)).kid


@lru_cache(1024)
def _head(key: str) -> str:
    return _written(msgspec.json.encode({"alg": "EdDSA", "kid": key}))


@lru_cache(1024)
def _verifier(key: str) -> VerifyKey:
    if len(key) != KEY_CHARACTERS:
        raise ValueError("no Ed25519 key")
    return VerifyKey(read(key.encode()))


def _written(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def read(text: bytes) -> bytes:
    """Return what base64url without padding says; raises ValueError for every other way to write it."""
    content = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    if _written(content).encode() != text:
        raise binascii.Error("not base64url as RFC 7515 has it")
    return content
