"""Holds every country's reports on record against its signatures: keys come from the region's file and the logs alone.

What the key tables of the services say counts for nothing here: whoever owns the database may have written them. A key
counts from the event that the country's root key signed.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared import contracts
from shared.contracts import Event
from shared.contracts.keys import KeyAdded, KeyRevoked
from shared.contracts.signing import agrees, opened
from shared.contracts.vocabulary import MEMBERS
from shared.record import signers
from shared.run.database import Connection

ROWS = 1000
KEYS = "indicators"
"""The service in whose log the countries say which keys sign."""
Keys = dict[str, tuple[signers.Key, ...]]
Policies = Mapping[str, signers.Policy]


@dataclass(slots=True)
class Signatures:
    """What was found in one log."""

    service: str
    signed: int = 0
    """Rows whose signature fits."""
    unsigned: Counter[str] = field(default_factory=Counter)
    """Reports that are not signed and need not be, by country."""
    findings: list[tuple[int, str, str, str]] = field(default_factory=list)
    """(position, country, event id, code)"""


async def checked(connection: Connection, service: str, policies: Policies, keys: Keys) -> Signatures:
    """Check each report of a country in a service's log, with the keys that `known` found.

    Codes are those of refusals (docs/integrating.md), and `signature_differs`: the country signed another report.
    """
    found = Signatures(service)
    async for position, event, signature in _reports(connection, service):
        country = contracts.sender_of(event.source)
        code = _amiss(event, signature, policies, keys.get(country, ()))
        if code:
            found.findings.append((position, country, event.id, code))
        elif signature:
            found.signed += 1
        else:
            found.unsigned[country] += 1
    return found


async def known(connection: Connection, policies: Policies) -> Keys:
    """Return the keys of each country by what its root key signed."""
    keys: Keys = {}
    async for _, event, signature in _reports(connection, KEYS, "crm.indicators.key."):
        if isinstance(event.data, KeyAdded | KeyRevoked):
            before = keys.get(event.country, ())
            if signature and not _amiss(event, signature, policies, before):
                keys[event.country] = signers.told(before, event)
    return keys


async def _reports(
    connection: Connection, service: str, kind: str = ""
) -> AsyncIterator[tuple[int, Event[Any], bytes | None]]:
    """Yield the countries' reports in a log, in order; what cannot be read is `crm verify`'s own finding."""
    after = 0
    while rows := await connection.fetch(
        f"select position, payload, signature from {service}.log"  # noqa: S608 - our own names
        " where position > $1 and starts_with(type, $2) order by position limit $3",
        after,
        kind,
        ROWS,
    ):
        after = rows[-1]["position"]
        for row in rows:
            try:
                event = contracts.decode(row["payload"])
            except Exception:  # noqa: BLE001, S112 - whatever it is, the rows behind it are looked at as well
                continue
            if contracts.sender_of(event.source) in MEMBERS:
                yield row["position"], event, row["signature"]


def _amiss(event: Event[Any], signature: bytes | None, policies: Policies, keys: tuple[signers.Key, ...]) -> str:
    """Return the code of what is wrong with a report's signature; empty: nothing."""
    country = contracts.sender_of(event.source)
    policy = policies[country]
    if event.country != country:
        return "country_mismatch"
    key = None
    if signature is not None:
        try:
            key, payload = opened(signature)
        except ValueError:
            return "signature_invalid"
        if not agrees(event, payload):
            return "signature_differs"
    if isinstance(event.data, KeyAdded | KeyRevoked):
        return "" if key in policy.roots(event.recordedtime) else "root_required"
    problem = signers.amiss(event, key, policy, keys)
    return problem.code if problem else ""
