"""`crm pub`."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from infra.cli.reports import Report, example, read
from infra.cli.up import State

if TYPE_CHECKING:
    from services.indicators.publish.words import Words
    from shared.client import CountryClient
    from shared.client.errors import Invalid

POLL_S = 0.3
GOOD, REFUSED = "good", "refused"


class Wait(NamedTuple):
    """How long what becomes of reports is waited for, and in which words it is told; without: by codes."""

    seconds: float
    words: "Words | None"


def pub(  # noqa: PLR0913 - each is a flag
    file: Annotated[
        str,
        typer.Argument(help="Reports in JSON, a list, one a line (NDJSON), or CSV (by name); - reads standard input."),
    ] = "",
    *,
    country: Annotated[str, typer.Option("--as", help="The country that reports, such as GTM.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check each, and send nothing.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Wait so many seconds for what becomes of each.")] = 0,
    example_of: Annotated[
        str, typer.Option("--example", metavar="TYPE", help="Take the contract's example in place of a file.")
    ] = "",
    lang: Annotated[
        str, typer.Option(help="With --wait: say what a reason means, in en, es or fr; else its code only.")
    ] = "",
    state: State = Path(".crm"),
    nats_url: Annotated[str, typer.Option(envvar="CRM_NATS_URL", help="By default the running copy's.")] = "",
    seed: Annotated[Path | None, typer.Option(help="The country's key; by default the running copy's.")] = None,
) -> None:
    """Publish reports as a country, through its own account; each with a line that says what became of it.

    `stored`: it is in the intake. With --wait: `recorded`, `refused` with the reasons, or `no word yet`.
    With --dry-run: `good`, or `refused`. Exit code 1 when one was not taken. All are checked
    before any is sent: where one is wrong, none is.
    """
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from shared.flow.streams import RECEIVERS  # noqa: PLC0415

    member = next((member for member in RECEIVERS if member == country), None)
    if member is None:
        raise typer.BadParameter(f"--as is one of {', '.join(RECEIVERS)}")
    if bool(file) == bool(example_of):
        raise typer.BadParameter("name a file, or --example and a type")
    reports = [example(example_of, member)] if example_of else read(file)
    said = _words(lang)
    if dry_run:
        if example_of:
            typer.echo(json.dumps(reports[0], indent=2, ensure_ascii=False))
        raise typer.Exit(_checked(reports, member))
    if not reports:
        typer.echo("there is no report in it: nothing was sent", err=True)
        return
    if wrong := _wrong(reports, member):
        for number, error in wrong.items():
            typer.echo(f"invalid: {f'report {number}: ' if len(reports) > 1 else ''}{error}", err=True)
        if len(reports) > 1:
            typer.echo(f"{len(wrong)} of {len(reports)} are wrong; nothing was sent", err=True)
        raise typer.Exit(1)
    if not (nats_url and seed):
        from infra.cli.running import running  # noqa: PLC0415

        addresses = running(state)
        nats_url, seed = nats_url or addresses["nats"], seed or Path(addresses["creds"][member])
    asyncio.run(_send(reports, nats_url, seed, member, Wait(wait, said)))


def _words(lang: str) -> "Words | None":
    from services.indicators.publish.words import LANGUAGES, words  # noqa: PLC0415

    if lang and lang not in dict(LANGUAGES):
        raise typer.BadParameter(f"--lang is one of {', '.join(dict(LANGUAGES))}")
    return words(lang) if lang else None


def _checked(reports: list[Report], country: Any) -> int:
    """Hold each report against its contract, as the service would; return the exit code."""
    wrong = _wrong(reports, country)
    for number, report in enumerate(reports, 1):
        if error := wrong.get(number):
            typer.echo(f"{REFUSED} {report.get('id', f'(report {number})')}: {error}")
        else:
            typer.echo(f"{GOOD} {report.get('id')}")
    typer.echo(f"{len(reports) - len(wrong)} of {len(reports)} are good; nothing was sent", err=True)
    return int(bool(wrong))


def _wrong(reports: list[Report], country: Any) -> "dict[int, Invalid]":
    """Return what is wrong with each report, by its number: its contract does not take it, or an earlier one's id.

    One sent twice is one report; what its source says otherwise under its id would be refused by its service.
    """
    from shared.client import CountryClient  # noqa: PLC0415 - late: `crm --help` answers at once
    from shared.client.errors import Invalid  # noqa: PLC0415
    from shared.contracts import Problem  # noqa: PLC0415

    client, wrong = CountryClient(None, country, "check"), {}  # type: ignore[arg-type] # nothing is sent
    begun: dict[tuple[object, ...], tuple[int, Report]] = {}
    for number, report in enumerate(reports, 1):
        try:
            subject, _ = client._checked(report)  # noqa: SLF001 - what publishing does first
        except Invalid as error:
            wrong[number] = error
            continue
        whose = subject.split(".")[1], report.get("source"), report.get("id", number)
        first, same = begun.setdefault(whose, (number, report))
        if report != same:
            told = f"report {first} has this id too, and says something else; give each its own"
            wrong[number] = Invalid([Problem("/id", "id_conflict", told)])
    return wrong


async def _send(reports: list[Report], url: str, seed: Path, country: Any, wait: Wait) -> None:
    from shared.client import ClientError, connect  # noqa: PLC0415

    begun = datetime.now(UTC)
    try:
        async with connect(url, seed, country) as client:
            earlier = [bool(wait.seconds and await _row(client, one)) for one in reports]
            sent = {}
            for report, there in zip(reports, earlier, strict=True):
                sequence = await client.publish(report)
                sent[sequence] = report, there
                typer.echo(f"stored {report.get('id')} (intake {sequence})")
            if wait.seconds and not await _heard(client, sent, begun, wait):
                raise typer.Exit(1)
    except ClientError as error:
        typer.echo(f"{type(error).__name__.lower()}: {error}", err=True)
        raise typer.Exit(1) from error


async def _heard(client: "CountryClient", sent: Mapping[int, tuple[Report, bool]], begun: datetime, wait: Wait) -> bool:
    """Say of each report what became of it, by its place in the intake, and return whether all are recorded.

    It is recorded when its row is signed, and refused when the country was told so. Where a row of its id was there
    before, it must say the same: else this report is about to be refused.
    """
    import asyncio  # noqa: PLC0415
    import time  # noqa: PLC0415

    open_, all_recorded, end = {**sent}, True, time.monotonic() + wait.seconds
    while open_ and time.monotonic() < end:
        for place, problems in [(place, why) async for place, why in _refused(client, begun, wait.words)]:
            if place in open_:
                report, _ = open_.pop(place)
                all_recorded = False
                typer.echo(f"{REFUSED} {report['id']}: {problems}")
        for place, (report, there) in [*open_.items()]:
            row = await _row(client, report)
            if row and (not there or _same(report, row)):
                del open_[place]
                typer.echo(f"recorded {report['id']}")
        await asyncio.sleep(POLL_S)
    for report, _ in open_.values():
        typer.echo(f"no word yet {report['id']}")
    return all_recorded and not open_


async def _row(client: "CountryClient", report: Report) -> Report:
    """Return the signed row of a report's id, as recorded; empty: there is none yet."""
    asked = {"id": str(report["id"])}
    row = await _receipted(client, report, asked)
    if row and row["source"] != report["source"]:  # asked for only then: a region of before does not know it
        row = await _receipted(client, report, asked | {"source": str(report["source"])})
    return row


async def _receipted(client: "CountryClient", report: Report, asked: dict[str, str]) -> Report:
    from shared.record import note, tree  # noqa: PLC0415 - late: `crm --help` answers at once

    receipt = (await client.ask(str(report["type"]).split(".")[1], "receipt", asked)).receipt
    row: Report = json.loads(tree.payload_of(note.receipt(receipt).covered)) if receipt else {}
    return row


def _same(report: Report, row: Report) -> bool:
    """Say whether a row says what the report does; what recording added to its data counts for nothing."""
    import msgspec  # noqa: PLC0415 - late: `crm --help` answers at once

    from shared.contracts import registry, report_type  # noqa: PLC0415

    if any(report.get(name, "") != row.get(name, "") for name in ("type", "subject")):
        return False
    data = report_type(registry()[report["type"]])
    names = {one.encode_name for one in msgspec.structs.fields(data)}
    try:
        said, kept = (
            msgspec.convert({name: value for name, value in one["data"].items() if name in names}, data)
            for one in (report, row)
        )
    except msgspec.ValidationError:
        return False
    return bool(said == kept and datetime.fromisoformat(row["time"]) == datetime.fromisoformat(report["time"]))


async def _refused(client: "CountryClient", since: datetime, words: "Words | None") -> Any:
    """Yield the place in the intake, and the reasons, of what was refused; nothing is taken out of the mailbox."""
    from infra.cli.letters import why  # noqa: PLC0415

    async for event in client.history(since):
        if event.name.endswith(".report.rejected"):
            yield event.data.intake_sequence, "; ".join(why(one, words) for one in event.data.problems)
