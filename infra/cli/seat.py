"""`crm seat`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.up import State

if TYPE_CHECKING:
    import asyncpg

seat = typer.Typer(name="seat", help="Who speaks for a body of the region.", no_args_is_help=True)

PATIENCE_S = 20.0
DAY = ["%Y-%m-%d"]

Database = Annotated[
    str, typer.Option("--database-url", envvar="CRM_DATABASE_URL", help="As operator. By default the running copy's.")
]


@seat.command()
def show(
    *,
    at: Annotated[datetime | None, typer.Option(formats=DAY, help="A day; by default today, by the log.")] = None,
    state: State = Path(".crm"),
    database_url: Database = "",
) -> None:
    """Show who holds each seat on a day, and what was assigned since the region's file was written."""
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from infra.cli.running import running  # noqa: PLC0415

    asyncio.run(_shown(database_url or running(state)["postgres"], at))


async def _shown(database_url: str, at: datetime | None) -> None:
    from shared.contracts.vocabulary import SEATS  # noqa: PLC0415
    from shared.record.asking import holders  # noqa: PLC0415

    connection = await _connected(database_url)
    try:
        day = at.replace(tzinfo=UTC) if at else await _now(connection)
        held = await holders(connection, day)
        rows = await connection.fetch("select body, since, holder, recorded from seat order by since, body")
    finally:
        await connection.close()
    for body in SEATS:
        typer.echo(f"{body:17} {held.get(body, 'nobody')}")
    for row in rows:
        said = f"{row['body']} to {row['holder']} from {row['since']:%Y-%m-%d}"
        typer.echo(f"assigned: {said}, recorded {row['recorded']:%Y-%m-%d %H:%M}")


@seat.command()
def assign(  # noqa: PLR0913 - what an assignment says, and where
    body: Annotated[str, typer.Argument(help="The body, such as ppt.")],
    holder: Annotated[str, typer.Argument(help="Who speaks for it: a country, ST or SV.")],
    *,
    day: Annotated[datetime, typer.Option("--from", formats=DAY, help="The first day (UTC).")],
    why: Annotated[str, typer.Option(help="rotation, appointment, correction or other; it is recorded.")],
    state: State = Path(".crm"),
    database_url: Database = "",
    nats_url: Annotated[str, typer.Option(envvar="CRM_NATS_URL", help="By default the running copy's.")] = "",
    seed: Annotated[Path | None, typer.Option(help="The operator's key; by default the running copy's.")] = None,
) -> None:
    """Seat a holder from a day on, as the region's operator; exit 1 when that is refused or not answered."""
    import asyncio  # noqa: PLC0415

    from infra.cli.running import running  # noqa: PLC0415
    from infra.nats.rights import OPERATOR  # noqa: PLC0415

    if not (database_url and nats_url and seed):
        addresses = running(state)
        database_url, nats_url = database_url or addresses["postgres"], nats_url or addresses["nats"]
        seed = seed or Path(addresses["creds"][OPERATOR])
    data = {
        "body": body,
        "holder": holder,
        "effective_from": f"{day:%Y-%m-%d}",
        "reason": why,
        "reported_by": body,
    }
    asyncio.run(_assigned(database_url, nats_url, seed, data))


async def _assigned(database_url: str, nats_url: str, seed: Path, data: dict[str, Any]) -> None:
    import json  # noqa: PLC0415
    import uuid  # noqa: PLC0415

    from infra.nats.connection import connected  # noqa: PLC0415
    from infra.nats.rights import OPERATOR  # noqa: PLC0415
    from shared.contracts import Refused, source_of  # noqa: PLC0415
    from shared.contracts.report import accepted  # noqa: PLC0415
    from shared.contracts.vocabulary import OPERATING  # noqa: PLC0415

    connection = await _connected(database_url)
    try:
        now = await _now(connection)
        report = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": source_of(OPERATING, "crm"),
            "type": "crm.indicators.seat.assigned.v1",
            "time": now.isoformat(),
            "data": data,
        }
        payload, subject = json.dumps(report).encode(), f"crm.in.{OPERATING}.indicators.seat.assigned"
        try:
            accepted(subject, None, payload, now)
        except Refused as verdict:
            for problem in verdict.problems:
                typer.echo(f"{problem.pointer}: {problem.message} [{problem.code}]", err=True)
            raise typer.Exit(1) from None
        async with connected(nats_url, seed, OPERATOR) as nc:
            await nc.jetstream().publish(subject, payload)
        await _judged(connection, report["id"])
    finally:
        await connection.close()
    typer.echo(f"{data['body']} to {data['holder']} from {data['effective_from']}: recorded")


async def _judged(connection: "asyncpg.Connection[Any]", report_id: Any) -> None:
    """Wait until the report stands in the log; exit 1 when it is refused, or nothing is heard of it."""
    import asyncio  # noqa: PLC0415
    import time  # noqa: PLC0415

    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        row = await connection.fetchrow(
            "select l.id, l.type from recorded as r join log as l on l.position = r.position where r.id = $1"
            " union all select id, type from log where entity = $1 limit 1",
            report_id,
        )
        if row is not None and row["id"] == report_id:
            return
        if row is not None:
            typer.echo(f"refused; see `crm trace {row['id']}`", err=True)
            raise typer.Exit(1)
        await asyncio.sleep(0.1)
    typer.echo("taken in, but not recorded yet: see `crm seat show`", err=True)
    raise typer.Exit(1)


async def _connected(database_url: str) -> "asyncpg.Connection[Any]":
    from shared.run import database  # noqa: PLC0415

    return await database.connected(database_url, server_settings={"search_path": "indicators", "timezone": "UTC"})


async def _now(connection: "asyncpg.Connection[Any]") -> datetime:
    """Return the region's time as last recorded, which may be plan time; of an empty log, the real one."""
    from shared import contracts  # noqa: PLC0415

    payload = await connection.fetchval("select payload from log order by position desc limit 1")
    return contracts.decode(payload).recordedtime if payload else datetime.now(UTC)
