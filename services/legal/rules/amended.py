"""What follows when a report is corrected or retracted, beyond the amendment itself."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from services.legal import store
from services.legal.rules import cases
from services.legal.rules.gaps import settled
from shared.contracts import Corrected, Data, Event, Retracted, registry
from shared.contracts.legal import CaseResolved, LawAmended, LawRepealed, ProvisionMapped
from shared.contracts.legal.laws import TreatyAct
from shared.database import Connection
from shared.rules import Rules, Stored
from shared.service import Running


async def on_amended(event: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
    """Bring what the report had set off to what it would have set off as it now stands."""
    before, after = versions(event)
    if isinstance(before.data, CaseResolved):
        return await cases.reopened(before, after, connection)
    touched: set[tuple[Any, Any]] = set()
    for one in (before, after):
        if one is not None:
            touched |= {(country, instrument) async for country, instrument in _touched(one.data, connection)}
    outcome = []
    for country, instrument in sorted(touched):
        outcome += await settled(before, country, instrument, connection)
    return outcome


async def _touched(data: Data, connection: Connection) -> AsyncIterator[tuple[str, str]]:
    """Yield the countries and treaties whose gaps may hang on a report."""
    match data:
        case TreatyAct():
            yield data.country, data.instrument
        case ProvisionMapped():
            yield data.country, data.obligation.instrument
        case LawAmended() | LawRepealed():
            for instrument in await store.instruments_of(connection, data.country, data.law_id):
                yield data.country, instrument


def versions(event: Event[Any]) -> tuple[Event[Any], Event[Any] | None]:
    """Return the amended report as it stood and as it stands, each when it happened and known by the amendment."""
    agreed = registry()[event.data.original]

    def version(data: dict[str, Any]) -> Event[Any]:
        standing = msgspec.convert(data, agreed.data)
        return msgspec.structs.replace(event, type=agreed.type, time=event.data.original_time, data=standing)

    corrected = event.data.data if isinstance(event.data, Corrected) else None
    return version(event.data.previous), version(corrected) if corrected is not None else None


def following(rules: Rules) -> Rules:
    """Return the rules with `on_amended` behind every amendment."""

    def both(amend: Stored) -> Stored:
        async def on_amendment(event: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
            (told,) = await amend(event, connection)
            return [told, *await on_amended(told, connection)]

        return on_amendment

    return {**rules, Corrected: both(rules[Corrected]), Retracted: both(rules[Retracted])}  # type: ignore[arg-type]


@asynccontextmanager
async def amending(running: Running) -> AsyncIterator[None]:
    """Put `on_amended` to work in a service about to start."""
    running.log.rules = following(running.log.rules)
    yield
