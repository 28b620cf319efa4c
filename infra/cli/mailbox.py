"""`crm mailbox`."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.country import As, Seed, Url
from infra.cli.up import State

if TYPE_CHECKING:
    from shared.client import CountryClient
    from shared.flow.unreadable import Unreadable

IDLE_S = 1.0


def mailbox(  # noqa: PLR0913 - each is a flag
    *,
    country: As,
    since: Annotated[
        str, typer.Option("--from", help="Read again from this day or time on; nothing is taken out.")
    ] = "",
    follow: Annotated[bool, typer.Option(help="Go on with what comes, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One event a line, as recorded.")] = False,
    state: State = Path(".crm"),
    nats_url: Url = "",
    seed: Seed = None,
) -> None:
    """Read a country's mailbox: what is new, which is then taken out; with --from, all since then."""
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    begin = _time(since)
    try:
        asyncio.run(_print((country, state, nats_url, seed), begin, follow=follow, as_json=as_json))
    except KeyboardInterrupt:
        typer.echo("", err=True)


def sub(
    *,
    country: As,
    as_json: Annotated[bool, typer.Option("--json", help="One event a line, as recorded.")] = False,
    state: State = Path(".crm"),
    nats_url: Url = "",
    seed: Seed = None,
) -> None:
    """Hear what a country is told from now on, until Ctrl-C; nothing is taken out of its mailbox."""
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    try:
        asyncio.run(_print((country, state, nats_url, seed), datetime.now(UTC), follow=True, as_json=as_json))
    except KeyboardInterrupt:
        typer.echo("", err=True)


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("--from is a day (2003-06-01) or a time (2003-06-01T08:00:00Z)") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


async def _print(
    who: tuple[str, Path, str, Path | None], since: datetime | None, *, follow: bool, as_json: bool
) -> None:
    import msgspec  # noqa: PLC0415

    from infra.cli.country import speaking  # noqa: PLC0415

    async with speaking(*who) as client:
        async for event in _events(client, since, follow=follow):
            try:
                line = msgspec.json.encode(event).decode() if as_json else _line(event)
            except Exception as error:  # noqa: BLE001 - what cannot be shown holds up nothing behind it
                _left_out(type(error).__name__, f"{event.name} {event.sequence}")
            else:
                typer.echo(line)


def _events(client: "CountryClient", since: datetime | None, *, follow: bool) -> AsyncIterator[Any]:
    if since:
        return client.history(since, follow=follow, unreadable=_unreadable)
    return client.mailbox(None if follow else IDLE_S, unreadable=_unreadable)


def _unreadable(one: "Unreadable") -> None:
    _left_out(one.reason, one.where)


def _left_out(reason: str, where: str) -> None:
    typer.echo(f"an event that this version cannot read is left out ({reason}): {where}", err=True)


def _line(event: Any) -> str:
    """Return what stands in a list: when the region knew, what, about which entity, under which id."""
    line = f"{event.recordedtime:%Y-%m-%d %H:%M:%S}  {event.name:36}  {event.subject:24}  {event.id}"
    return line.encode(errors="replace").decode()
