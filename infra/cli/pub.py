"""`crm pub`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.reports import Report, example, read
from infra.cli.up import State

if TYPE_CHECKING:
    from shared.client import CountryClient

POLL_S = 0.3
GOOD, REFUSED = "good", "refused"


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
    state: State = Path(".crm"),
    nats_url: Annotated[str, typer.Option(envvar="CRM_NATS_URL", help="By default the running copy's.")] = "",
    seed: Annotated[Path | None, typer.Option(help="The country's key; by default the running copy's.")] = None,
) -> None:
    """Publish reports as a country, through its own account; each with a line that says what became of it.

    `stored`: it is in the intake. With --wait: `recorded`, `refused` with the reasons, or `no word yet`.
    With --dry-run: `good`, or `refused`. Exit code 1 when one was not taken.
    """
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from shared.flow.streams import RECEIVERS  # noqa: PLC0415

    member = next((member for member in RECEIVERS if member == country), None)
    if member is None:
        raise typer.BadParameter(f"--as is one of {', '.join(RECEIVERS)}")
    if bool(file) == bool(example_of):
        raise typer.BadParameter("name a file, or --example and a type")
    reports = [example(example_of, member)] if example_of else read(file)
    if dry_run:
        if example_of:
            typer.echo(json.dumps(reports[0], indent=2, ensure_ascii=False))
        raise typer.Exit(_checked(reports, member))
    if not (nats_url and seed):
        from infra.cli.running import running  # noqa: PLC0415

        addresses = running(state)
        nats_url, seed = nats_url or addresses["nats"], seed or Path(addresses["creds"][member])
    asyncio.run(_send(reports, nats_url, seed, member, wait))


def _checked(reports: list[Report], country: Any) -> int:
    """Hold each report against its contract, as the service would; return the exit code."""
    from shared.client import CountryClient  # noqa: PLC0415
    from shared.client.errors import Invalid  # noqa: PLC0415

    client, wrong = CountryClient(None, country, "check"), 0  # type: ignore[arg-type] # nothing is sent
    for number, report in enumerate(reports, 1):
        try:
            client._checked(report)  # noqa: SLF001 - what publishing does first
        except Invalid as error:
            wrong += 1
            typer.echo(f"{REFUSED} {report.get('id', f'(report {number})')}: {error}")
        else:
            typer.echo(f"{GOOD} {report.get('id')}")
    typer.echo(f"{len(reports) - wrong} of {len(reports)} are good; nothing was sent", err=True)
    return int(wrong > 0)


async def _send(reports: list[Report], url: str, seed: Path, country: Any, wait_s: float) -> None:
    from shared.client import ClientError, connect  # noqa: PLC0415

    begun = datetime.now(UTC)
    try:
        async with connect(url, seed, country) as client:
            earlier = {str(one["id"]) for one in reports if wait_s and await _row(client, one)}
            for report in reports:
                sequence = await client.publish(report)
                typer.echo(f"stored {report.get('id')} (intake {sequence})")
            if wait_s and not await _heard(client, reports, begun, wait_s, earlier):
                raise typer.Exit(1)
    except ClientError as error:
        typer.echo(f"{type(error).__name__.lower()}: {error}", err=True)
        raise typer.Exit(1) from error


async def _heard(
    client: "CountryClient", reports: list[Report], begun: datetime, wait_s: float, earlier: set[str]
) -> bool:
    """Say of each report what became of it, and return whether all are recorded.

    It is recorded when its row is signed, and refused when the country was told so. Where a row of its id was there
    `earlier`, it must say the same: else this report is about to be refused.
    """
    import asyncio  # noqa: PLC0415
    import time  # noqa: PLC0415

    open_, all_recorded, end = {str(one["id"]): one for one in reports}, True, time.monotonic() + wait_s
    while open_ and time.monotonic() < end:
        for told, problems in [(told, why) async for told, why in _refused(client, begun)]:
            if open_.pop(told, None):
                all_recorded = False
                typer.echo(f"{REFUSED} {told}: {problems}")
        for id_, report in [*open_.items()]:
            row = await _row(client, report)
            if row and (id_ not in earlier or _same(report, row)):
                del open_[id_]
                typer.echo(f"recorded {id_}")
        await asyncio.sleep(POLL_S)
    for id_ in open_:
        typer.echo(f"no word yet {id_}")
    return all_recorded and not open_


async def _row(client: "CountryClient", report: Report) -> Report:
    """Return the signed row of a report's id, as recorded; empty: there is none yet."""
    from shared.record import note, tree  # noqa: PLC0415 - late: `crm --help` answers at once

    service = str(report["type"]).split(".")[1]
    receipt = (await client.ask(service, "receipt", {"id": str(report["id"])})).receipt
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


async def _refused(client: "CountryClient", since: datetime) -> Any:
    """Yield id and reasons of what was refused lately; nothing is taken out of the mailbox."""
    async for event in client.history(since):
        if event.name.endswith(".report.rejected"):
            yield event.data.report_id, "; ".join(f"{one.pointer} {one.code}" for one in event.data.problems)
