"""The reports as published, and what has been announced."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, ParamSpec, TypeVar

import msgspec
from msgspec import Struct

from services.indicators.figures.milestones import Told
from services.indicators.publish.recalling import busy
from shared import contracts
from shared.contracts.indicators import CountrySilent, ThresholdCrossed
from shared.contracts.report import UNREADABLE
from shared.run.database import LOST, Connection, Pool

Asked = ParamSpec("Asked")
Found = TypeVar("Found")
PATIENCE_S = 3.0
"""So long whoever reads a page waits for the database; the figures do not need it."""
_left: set["asyncio.Future[Any]"] = set()
"""Readings that nobody waits for any more: a database that hangs ends them when it goes on, or its connection does."""


class Published(Struct, frozen=True):
    """A revision of a quarter's report as it stands."""

    quarter: str
    revision: int
    published: datetime
    figures: bytes
    """Fingerprint of what it shows."""


def answering(read: Callable[Asked, Awaitable[Found]]) -> Callable[Asked, Awaitable[Found]]:
    """Return a reading that is refused (503) where the database is away, or hangs."""

    async def found(*asked: Asked.args, **named: Asked.kwargs) -> Found:
        reading = asyncio.ensure_future(read(*asked, **named))
        await asyncio.wait({reading}, timeout=PATIENCE_S)
        if not reading.done():
            reading.cancel()
            _left.add(reading)
            reading.add_done_callback(_forget)
            raise busy("database_away")
        try:
            return reading.result()
        except LOST as error:
            raise busy("database_away") from error

    return found


def _forget(reading: "asyncio.Future[Any]") -> None:
    _left.discard(reading)
    if not reading.cancelled():
        reading.exception()  # nobody else asks for it


async def load_announced(pool: Pool) -> dict[str, list[Told]]:
    """Return for each milestone what was announced of it so far, in order."""
    kinds = [f"crm.indicators.milestone.{verb}.v1" for verb in ("reached", "missed", "due")]
    rows = await pool.fetch("select type, entity, payload from log where type = any($1) order by position", kinds)
    told: dict[str, list[Told]] = {}
    for row in rows:
        due = None
        with contextlib.suppress(*UNREADABLE):  # of another version: what it tells is known from its type and subject
            due = contracts.decode(row["payload"]).data.due
        told.setdefault(row["entity"], []).append((row["type"].split(".")[3], due))
    return told


async def load_silence(pool: Pool) -> dict[str, str]:
    """Return for each country of which it was told, whether that it is `silent` or has `resumed`."""
    rows = await pool.fetch(
        "select country, type from log where type in"
        " ('crm.indicators.country.silent.v1', 'crm.indicators.country.resumed.v1') order by position"
    )
    return {row["country"]: row["type"].split(".")[3] for row in rows}


async def load_silences(pool: Pool) -> set[tuple[str, date]]:
    """Return of each silence that was told the country and the day of its last report before."""
    rows = await pool.fetch("select payload from log where type = 'crm.indicators.country.silent.v1'")
    told = set()
    for row in rows:
        with contextlib.suppress(*UNREADABLE):  # of another version: told again
            one: CountrySilent = contracts.decode(row["payload"]).data
            told |= {(str(one.country), one.last.astimezone(UTC).date())} if one.last else set()
    return told


async def load_crossings(pool: Pool) -> dict[str, float]:
    """Return for each row of which a crossing was told, its figure then."""
    rows = await pool.fetch(
        "select payload from log where type = 'crm.indicators.threshold.crossed.v1' order by position"
    )
    told: dict[str, float] = {}
    for row in rows:
        with contextlib.suppress(*UNREADABLE):  # of another version: told again, if it still holds
            one: ThresholdCrossed = contracts.decode(row["payload"]).data
            told[one.indicator] = one.new
    return told


async def load_reports(pool: Pool) -> dict[str, Published]:
    """Return the latest revision of each quarter's report."""
    rows = await pool.fetch(
        "select distinct on (quarter) quarter, revision, published, figures from report order by quarter, revision desc"
    )
    return {row["quarter"]: Published(**dict(row)) for row in rows}


async def load_revisions(pool: Pool) -> list[Published]:
    """Return every revision of every quarter's report, in order."""
    rows = await pool.fetch("select quarter, revision, published, figures from report order by quarter, revision")
    return [Published(**dict(row)) for row in rows]


async def save_report(connection: Connection, one: Published, content: bytes, folded: Mapping[str, int]) -> None:
    """Store a revision for ever; `folded`: at which sequences it was made."""
    await connection.execute(
        "insert into report (quarter, revision, published, figures, content, folded) values ($1, $2, $3, $4, $5, $6)",
        one.quarter,
        one.revision,
        one.published,
        one.figures,
        content,
        msgspec.json.encode(folded).decode(),
    )


async def load_report(pool: Pool, quarter: str, revision: int | None = None) -> bytes | None:
    """Return the bytes of a revision (the latest, unless one is named) of a quarter's report, if there is one."""
    row = await pool.fetchrow(
        "select content from report where quarter = $1 and revision = coalesce($2, revision)"
        " order by revision desc limit 1",
        quarter,
        revision,
    )
    return None if row is None else bytes(row["content"])


async def load_folded(pool: Pool, quarter: str, revision: int) -> dict[str, int]:
    """Return at which sequences a revision was made, by service; empty: it stands in the report, or is not known."""
    found = await pool.fetchval("select folded from report where quarter = $1 and revision = $2", quarter, revision)
    return msgspec.json.decode(found, type=dict[str, int]) if found else {}


async def load_seats(pool: Pool) -> list[tuple[datetime, str, str]]:
    """Return every seat assigned: (since, body, holder), in order."""
    rows = await pool.fetch("select since, body, holder from seat order by since, body")
    return [(row["since"], row["body"], row["holder"]) for row in rows]
