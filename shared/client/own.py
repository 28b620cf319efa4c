"""A country's own check: whether all that stands in the region under its name carries its signature.

It trusts nobody's tables: the keys are those that the country itself names, and the signature is checked here.
"""

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Any

import msgspec

from shared import contracts
from shared.client import CountryClient, Unreachable
from shared.contracts import Event, questions, signing


class Forged(msgspec.Struct, frozen=True):
    """What is on record in the country's name, and it did not sign."""

    service: str
    sequence: int
    """Its position in the service's log."""
    id: str
    type: str
    code: str
    """`signature_required` (there is none), `signature_invalid`, `key_unknown` (made with another's key),
    `signature_differs` (the country signed something else) or `repeated` (it stands there twice)."""


async def forged(
    client: CountryClient,
    keys: Collection[str],
    since: datetime | None = None,
    *,
    services: Collection[str] = contracts.SERVICES,
) -> AsyncIterator[Forged]:
    """Yield what a country did not say of all that its mailbox ever had from its own systems, service by service.

    `keys`: all public keys that it ever signed with, the root keys too; `since`: what the region knew before is not
    looked at, as from before the country began to sign. Raises as `ask` does.
    """
    for service in services:
        seen: set[tuple[str, str]] = set()
        after, more = 0, True
        while more:
            asked = {"after": after} | ({"since": since.isoformat()} if since else {})
            part: questions.MailboxAnswer = await client.ask(service, "mailbox", asked)
            if len(part.signatures) != len(part.events):
                raise Unreachable(f"{service} does not tell signatures: it is of an older version")
            for payload, signature in zip(part.events, part.signatures, strict=True):
                event = _own(client.country, bytes(payload))
                if event is None:
                    continue
                code = "repeated" if (event.source, event.id) in seen else _amiss(event, signature, keys)
                seen.add((event.source, event.id))
                if code:
                    yield Forged(service, event.sequence, event.id, event.type, code)
            after, more = part.next, part.more and part.next > after


def _own(country: str, payload: bytes) -> Event[Any] | None:
    """Return an event that one of the country's systems is said to have reported."""
    try:
        event = contracts.decode(payload)
    except Exception:  # noqa: BLE001 - what no reader can read says nothing in anybody's name
        return None
    return event if contracts.sender_of(event.source) == country else None


def _amiss(event: Event[Any], signature: str, keys: Collection[str]) -> str:
    if not signature:
        return "signature_required"
    try:
        key, payload = signing.opened(signature.encode())
    except ValueError:
        return "signature_invalid"
    if key not in keys:
        return "key_unknown"
    return "" if signing.agrees(event, payload) else "signature_differs"
