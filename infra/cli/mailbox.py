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
    take: Annotated[bool, typer.Option("--take", help="Take out what is read: nobody reads it there again.")] = False,
    follow: Annotated[bool, typer.Option(help="Go on with what comes, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One event a line, as recorded.")] = False,
    state: State = Path(".crm"),
    nats_url: Url = "",
    seed: Seed = None,
) -> None:
    """Look at what a country has not read yet; nothing is taken out, unless --take. With --from, all since then."""
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    begin = _time(since)
    if begin and take:
        raise typer.BadParameter("--from reads what was told, whoever has read it: nothing of it is taken out")
    who = (country, state, nats_url, seed)
    try:
        asyncio.run(_print(who, begin, take=take, follow=follow, as_json=as_json))
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
    who: tuple[str, Path, str, Path | None], since: datetime | None, *, follow: bool, as_json: bool, take: bool = False
) -> None:
    import msgspec  # noqa: PLC0415

    from infra.cli.country import speaking  # noqa: PLC0415

    async with speaking(*who) as client:
        async for event in _events(client, since, take=take, follow=follow):
            try:
                line = msgspec.json.encode(event).decode() if as_json else _line(event)
            except Exception as error:  # noqa: BLE001 - what cannot be shown holds up nothing behind it
                _left_out(type(error).__name__, f"{event.name} {event.sequence}")
            else:
                typer.echo(line)


async def _events(client: "CountryClient", since: datetime | None, *, take: bool, follow: bool) -> AsyncIterator[Any]:
    """Yield what is meant; what is followed and not taken is read out of the logs, whoever reads the mailbox."""
    begun = datetime.now(UTC)
    if since:
        told = client.history(since, follow=follow, unreadable=_unreadable)
    else:
        told = client.mailbox(None if follow and take else IDLE_S, take=take, unreadable=_unreadable)
    async for event in told:
        yield event
    if follow and not take and not since:
        async for event in client.history(begun, follow=True, unreadable=_unreadable):
            yield event


def _unreadable(one: "Unreadable") -> None:
    _left_out(one.reason, one.where)


def _left_out(reason: str, where: str) -> None:
    typer.echo(f"an event that this version cannot read is left out ({reason}): {where}", err=True)


def _line(event: Any) -> str:
    """Return what stands in a list: when the region knew, what, about which entity, under which id."""
    line = f"{event.recordedtime:%Y-%m-%d %H:%M:%S}  {event.name:36}  {event.subject:24}  {event.id}"
    return line.encode(errors="replace").decode()
