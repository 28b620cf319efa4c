"""Gaps: obligations of a party to a treaty that no law of its carries out in full."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Any

import msgspec

from services.legal import store
from services.legal.obligations import OBLIGATIONS
from services.legal.rules import transposed
from services.legal.rules.notices import SERVICE, alert
from shared.contracts import Data, Event, Problem, Refused
from shared.contracts.intel import EntryRequirementDeclared
from shared.contracts.legal import GapClosed, GapOpened, LawAmended, LawRepealed, Obligation, ProvisionMapped
from shared.contracts.legal.laws import TreatyAct
from shared.contracts.vocabulary import Country, Instrument
from shared.database import Connection
from shared.rules import derive

ENTRY_RULES = "entry_rules_review"
"""The alert that asks a country to look at its entry rules under a changed law (choreography 3)."""


async def settled(
    cause: Event[Any], country: Country, instrument: Instrument, at: datetime, connection: Connection
) -> list[Event[Any]]:
    """Bring the open gaps to what acts, mappings and laws now say; return what opened and closed.

    Computed from what is on record, never from what came last: the order of arrival does not matter. A gap
    opens and closes `at` the time of the report that changed something, so that it is right as of any day.
    """
    open_now = await store.gaps(connection, country, instrument)
    wanted: set[str] = set()
    if await store.party_since(connection, country, instrument):
        wanted = {*OBLIGATIONS[instrument]} - await store.carried_out(connection, country, instrument)
    outcome = []
    for article in OBLIGATIONS[instrument]:
        if article in wanted and article not in open_now:
            await store.open_gap(connection, country, instrument, article, at)
            outcome.append(_gap(GapOpened, cause, country, (instrument, article), at, at))
        elif article in open_now and article not in wanted:
            await store.close_gap(connection, country, instrument, article)
            outcome.append(_gap(GapClosed, cause, country, (instrument, article), open_now[article], at))
    return outcome + await transposed.told(cause, country, instrument, connection)


def _gap(  # noqa: PLR0913, PLR0917 - the facts of a gap
    kind: type[GapOpened | GapClosed],
    cause: Event[Any],
    country: Country,
    about: tuple[Instrument, str],
    since: datetime,
    at: datetime,
) -> Event[Any]:
    instrument, article = about
    told = kind(country=country, obligation=Obligation(instrument=instrument, article=article), since=since)
    name = f"{instrument}.{article}"
    return derive(SERVICE, told, cause=cause, to=country, key=name, subject=name, time=max(since, at))


async def on_provision_mapped(event: Event[ProvisionMapped], connection: Connection) -> Iterable[Event[Any]]:
    """Have a law that carries out an obligation in full close the gap."""
    data = event.data
    _judge(data, "/data")
    return await settled(event, data.country, data.obligation.instrument, event.time, connection)


def _judge(data: ProvisionMapped, at: str) -> None:
    """Refuse a mapping of an article that asks nothing; `at`: where the report says it."""
    if data.obligation.article not in OBLIGATIONS[data.obligation.instrument]:
        why = "this article asks nothing of national law"
        raise Refused(Problem(f"{at}/obligation/article", "unknown_value", why))


async def amend_provision_mapped(
    _root: Event[Any], previous: Data, new: Data | None, _connection: Connection
) -> tuple[Data, Data | None]:
    """Refuse what may not have been reported so in the first place; the gaps follow in `resettled`.

    What a mapping of before counted by itself is taken back there, too, and not a second time with it.
    """
    previous = msgspec.structs.replace(previous, change=None)
    if isinstance(new, ProvisionMapped):
        _judge(new, "/data/data")
        new = msgspec.structs.replace(new, change=None)
    return previous, new


async def on_law_changed(event: Event[LawAmended | LawRepealed], connection: Connection) -> Iterable[Event[Any]]:
    """Have the provisions of a changed law judged again; until then they carry out nothing (choreography 3)."""
    data = event.data
    outcome = []
    if await store.entry_rules_before(connection, data.country, data.law_id, event.time):
        outcome.append(alert(event, ENTRY_RULES, data.law_id))
    instruments = await store.instruments_of(connection, data.country, data.law_id)
    if instruments:
        outcome.append(alert(event, "mapping_review", data.law_id))
    for instrument in instruments:
        outcome += await settled(event, data.country, instrument, event.time, connection)
    return outcome


async def on_entry_rule(event: Event[EntryRequirementDeclared], connection: Connection) -> list[Event[Any]]:
    """Ask for a look at an entry rule that was declared under a law changed since (choreography 3)."""
    law_id = event.data.legal_ref
    if law_id is None or not await store.changed_since(connection, event.data.destination, law_id, event.time):
        return []
    return [alert(event, ENTRY_RULES, law_id)]


async def resettled(
    told: Event[Any], before: Event[Any], after: Event[Any] | None, connection: Connection
) -> list[Event[Any]]:
    """Bring the gaps that hang on an amended report to what they are as it now stands (a `Follow`)."""
    touched: set[tuple[Any, Any]] = set()
    for one in (before, after):
        if one is not None:
            touched |= {pair async for pair in _touched(one.data, connection)}
    outcome = []
    for country, instrument in sorted(touched):
        outcome += await settled(told, country, instrument, before.time, connection)
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
