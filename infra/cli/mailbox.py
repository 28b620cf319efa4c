"""`crm mailbox`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from infra.cli.country import As, Seed, Url
from infra.cli.showing import Json, Output, harmless
from infra.cli.up import State

if TYPE_CHECKING:
    from shared.client import CountryClient
    from shared.flow.unreadable import Unreadable

IDLE_S = 1.0
Shown: TypeAlias = Callable[[Any, Any], str]
Out = Annotated[
    Output | None,
    typer.Option(
        "--output",
        "-o",
        help="table (for the eye), wide (with the types; in a pipe), json (one event a line, as recorded), csv.",
        show_default=False,
    ),
]
Opened = Annotated[
    bool, typer.Option("--open", help="With json: open what is sealed, where the country's keys may; as version 1 is.")
]
Lang = Annotated[str, typer.Option(help="The language of the words: en, es, fr.")]


def mailbox(  # noqa: PLR0913 - each is a flag
    *,
    country: As,
    since: Annotated[
        str, typer.Option("--from", help="Read again from this day or time on; nothing is taken out.")
    ] = "",
    take: Annotated[bool, typer.Option("--take", help="Take out what is read: nobody reads it there again.")] = False,
    follow: Annotated[bool, typer.Option(help="Go on with what comes, until Ctrl-C.")] = False,
    output: Out = None,
    as_json: Json = False,
    open_sealed: Opened = False,
    lang: Lang = "en",
    state: State = Path(".crm"),
    nats_url: Url = "",
    seed: Seed = None,
) -> None:
    """Look at what a country has not read yet; nothing is taken out, unless --take. With --from, all since then.

    What is sealed is opened with the keys that lie beside the country's own (GTM.age, recipients.json).
    """
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    begin = _time(since)
    if begin and take:
        raise typer.BadParameter("--from reads what was told, whoever has read it: nothing of it is taken out")
    who = (country, state, nats_url, seed)
    try:
        asyncio.run(
            _print(who, begin, _shown(output, lang, as_json=as_json, opens=open_sealed), take=take, follow=follow)
        )
    except KeyboardInterrupt:
        typer.echo("", err=True)


def sub(  # noqa: PLR0913 - each is a flag
    *,
    country: As,
    output: Out = None,
    as_json: Json = False,
    open_sealed: Opened = False,
    lang: Lang = "en",
    state: State = Path(".crm"),
    nats_url: Url = "",
    seed: Seed = None,
) -> None:
    """Hear what a country is told from now on, until Ctrl-C; nothing is taken out of its mailbox.

    What is sealed is opened with the keys that lie beside the country's own (GTM.age, recipients.json).
    """
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    try:
        who = (country, state, nats_url, seed)
        asyncio.run(
            _print(who, datetime.now(UTC), _shown(output, lang, as_json=as_json, opens=open_sealed), follow=True)
        )
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


def _shown(output: Output | None, lang: str, *, as_json: bool, opens: bool) -> Shown:
    """Return what makes a line of an event and of it as it was opened; of CSV the first line is printed at once."""
    import msgspec  # noqa: PLC0415

    from infra.cli import letters  # noqa: PLC0415 - late: `crm --help` answers at once
    from services.indicators.publish.words import LANGUAGES, words  # noqa: PLC0415

    if lang not in dict(LANGUAGES):
        raise typer.BadParameter(f"--lang is one of {', '.join(dict(LANGUAGES))}")
    meant = Output.JSON if as_json else letters.meant(output)
    if meant is Output.JSON:
        return lambda event, opened: harmless(msgspec.json.encode(opened if opens and opened else event).decode())
    if meant is Output.CSV:
        typer.echo(letters.head())
    said = words(lang)

    def line(event: Any, opened: Any) -> str:
        sealed = "" if opened is event else letters.unsealed(event, opened, said)
        return letters.line(letters.letter(event, said, sealed), meant)

    return line


async def _print(
    who: tuple[str, Path, str, Path | None],
    since: datetime | None,
    shown: Shown,
    *,
    follow: bool,
    take: bool = False,
) -> None:
    from infra.cli.country import speaking  # noqa: PLC0415 - late: `crm --help` answers at once

    async with speaking(*who) as client:
        opener = _opener(client, *who)
        async for event in _events(client, since, take=take, follow=follow):
            try:
                line = shown(event, await opener(event))
            except Exception as error:  # noqa: BLE001 - what cannot be shown holds up nothing behind it
                _left_out(type(error).__name__, f"{event.name} {event.sequence}")
            else:
                typer.echo(line)


def _opener(
    client: "CountryClient", country: str, state: Path, _url: str, seed: Path | None
) -> Callable[[Any], Awaitable[Any]]:
    """Return what opens an event: itself, if nothing is sealed in it; None, if nothing here opens what is."""
    from infra.cli.country import folder_of  # noqa: PLC0415 - late: `crm --help` answers at once
    from shared.client import ClientError  # noqa: PLC0415
    from shared.client.persons import Seals, opened  # noqa: PLC0415

    try:
        seals = Seals.of(folder_of(country, state, seed), country)
    except (OSError, ValueError):
        seals = Seals({}, [])

    async def tried(event: Any) -> Any:
        try:
            return await opened(client, seals, event)
        except ClientError:  # victims does not answer
            return None

    return tried


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
