"""`crm verify`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.up import State

if TYPE_CHECKING:
    from infra.recovery.recount import Witnessed
    from infra.recovery.verify import Comparison


def verify(  # noqa: PLR0913 - each is a flag
    services: Annotated[list[str] | None, typer.Argument(help="Some services; without them, all.")] = None,
    *,
    state: State = Path(".crm"),
    nats_url: Annotated[str, typer.Option(envvar="CRM_NATS_URL", help="By default the running copy's.")] = "",
    database_url: Annotated[
        str, typer.Option(envvar="CRM_DATABASE_URL", help="As operator. By default the running copy's.")
    ] = "",
    seed: Annotated[Path | None, typer.Option(envvar="CRM_NATS_SEED", help="The operator's key.")] = None,
    principal: Annotated[str, typer.Option("--as", help="Whose key that is: operator or upkeep.")] = "operator",
    partition: Annotated[
        int, typer.Option(help="Only the partition of the log that begins at this position, and its copy.")
    ] = 0,
    first: Annotated[
        int, typer.Option("--from", help="Only the rows from this position on; those before are believed.")
    ] = 1,
    resume: Annotated[
        Path | None,
        typer.Option(help="A file where it notes how far each log was found whole, and from where it goes on."),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(help="Folder with the public keys `logs` and `witnesses`. By default the running copy's."),
    ] = None,
    checkpoints: Annotated[
        list[Path] | None,
        typer.Option(help="Checkpoints that were kept elsewhere: files, or folders of *.checkpoint. May be repeated."),
    ] = None,
    signatures: Annotated[
        bool, typer.Option("--signatures", help="Hold the countries' reports against their signatures, too.")
    ] = False,
    signing_file: Annotated[
        Path | None,
        typer.Option(envvar="CRM_SIGNING_FILE", help="Who signs since when. By default the running copy's, or ours."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Prove that each log is unbroken, what was signed, and that its stream is its copy; the system may run.

    The Merkle tree is made anew from the rows, and held against its tiles, the checkpoints and their cosignatures.
    With --resume it may be cut short, and looks only at what is new the next time; give no file to look at all again.

    Exit code 1 when something is wrong.
    """
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from infra.cli.running import noted, running  # noqa: PLC0415
    from infra.recovery.recount import Witnessed  # noqa: PLC0415
    from shared.contracts import SERVICES  # noqa: PLC0415
    from shared.flow.lost import LOST  # noqa: PLC0415
    from shared.record.note import NoteError  # noqa: PLC0415

    part = Part(partition, first, resume)
    _sensible(services or [], part, principal)
    if not (nats_url and database_url and seed):
        addresses = running(state)
        nats_url, database_url = nats_url or addresses["nats"], database_url or addresses["postgres"]
        seed = seed or Path(addresses["creds"][principal])
        keys = keys or seed.parent
        signing_file = signing_file or seed.parent / "signing.toml"
    try:
        witnessed = Witnessed.of(keys, checkpoints or ())
    except (NoteError, OSError) as error:
        typer.echo(f"a key or a checkpoint cannot be read: {error}", err=True)
        raise typer.Exit(1) from error
    try:
        every = services or list(SERVICES)
        found = asyncio.run(_compared((nats_url, seed, principal), database_url, every, part, witnessed))
        signed = asyncio.run(_signed(database_url, every, signing_file)) if signatures else {}
    except LOST as error:
        typer.echo(f"the servers do not answer ({type(error).__name__})", err=True)
        raise typer.Exit(1) from error
    for row in found:
        row.update(signed.get(row["service"], {}))
    typer.echo(json.dumps(found, indent=2)) if as_json else _show(found)
    if not services:
        noted(state, "verify", sum(len(row["faults"]) + bool(row.get("forged")) for row in found))
    if any(row["faults"] or row.get("forged") for row in found):
        raise typer.Exit(1)


def _sensible(services: list[str], part: "Part", principal: str) -> None:
    """Raise BadParameter where the flags do not go together."""
    from infra.nats.rights import OPERATOR, UPKEEP  # noqa: PLC0415
    from shared.contracts import SERVICES  # noqa: PLC0415

    if unknown := sorted({*services} - {*SERVICES}):
        raise typer.BadParameter(f"no such service: {', '.join(unknown)}")
    if principal not in {OPERATOR, UPKEEP}:
        raise typer.BadParameter("--as operator or upkeep: nobody else may read all that is needed")
    if (part.partition or part.first > 1) and len(services) != 1:
        raise typer.BadParameter("name the one service whose partition or position it is")
    if (part.first > 1) + bool(part.partition) + bool(part.resume) > 1:
        raise typer.BadParameter("one of --from, --resume and --partition")


@dataclass(frozen=True)
class Part:
    """What of the logs is looked at."""

    partition: int = 0
    first: int = 1
    resume: Path | None = None

    def begun(self, service: str) -> tuple[int, str]:
        """Return from which position on, and the hash of the row before as it was noted; empty: it was not."""
        noted = self._noted().get(service, {})
        return (noted["position"] + 1, noted["head"]) if noted else (self.first, "")

    def tell(self, found: "Comparison") -> None:
        """Note how far a log was found whole."""
        if self.resume is None or found.wrong():
            return
        noted = self._noted() | {found.service: {"position": found.position, "head": found.head.hex()}}
        fresh = self.resume.with_name(f"{self.resume.name}.new")
        fresh.write_text(json.dumps(noted, indent=1))
        fresh.replace(self.resume)

    def _noted(self) -> dict[str, Any]:
        return json.loads(self.resume.read_text()) if self.resume and self.resume.exists() else {}


async def _compared(
    nats: tuple[str, Path, str], database_url: str, services: list[str], part: Part, witnessed: "Witnessed"
) -> list[dict[str, Any]]:
    from infra.nats.connection import connected  # noqa: PLC0415
    from infra.recovery.verify import compare, unmailed  # noqa: PLC0415
    from shared.run import database  # noqa: PLC0415

    connection = await database.connected(database_url)
    try:
        async with connected(*nats) as nc:
            found = []
            for service in services:
                first, head = part.begun(service)
                one = await compare(
                    *(connection, nc, service, part.partition, witnessed),
                    first=first,
                    known=bytes.fromhex(head),
                    tell=part.tell,
                    mailed=False,
                )
                found.append(one)
            held = {} if part.partition else await unmailed(nc, services)
            for one in found:
                one.unmailed = held.get(one.service, [])
    finally:
        await connection.close()
    return [
        {
            "service": one.service,
            "table": one.table,
            "first": one.first,
            "rows": one.rows,
            "stream": one.sequence,
            "head": one.head.hex(),
            "root": one.tree.edge.root().hex() if one.tree and one.tree.whole else None,
            "cosigned": one.tree.cosigned if one.tree else 0,
            "faults": one.faults(),
        }
        for one in found
    ]


async def _signed(database_url: str, services: list[str], file: Path | None) -> dict[str, dict[str, Any]]:
    """Return by service how many reports are signed, how many of each country are not, and what is wrong."""
    from infra.recovery.signatures import checked, known  # noqa: PLC0415
    from shared.record import signers  # noqa: PLC0415
    from shared.run import database  # noqa: PLC0415

    policies = signers.parsed(file or signers.OWN)
    connection = await database.connected(database_url)
    try:
        keys = await known(connection, policies)
        found = [await checked(connection, service, policies, keys) for service in services]
    finally:
        await connection.close()
    return {
        one.service: {
            "signed": one.signed,
            "not_signed": dict(sorted(one.unsigned.items())),
            "forged": [
                dict(zip(("position", "country", "id", "code"), finding, strict=True)) for finding in one.findings
            ],
        }
        for one in found
    }


def _show(found: list[dict[str, Any]]) -> None:
    for row in found:
        verdict = "; ".join(row["faults"]) or "whole, and copied"
        typer.echo(f"{row['service']:<10} {row['rows']:>10} rows, stream {row['stream']:>10}  {verdict}")
        typer.echo(f"{'':<10} head {row['head']}")
        if row["root"]:
            typer.echo(f"{'':<10} root {row['root']}, cosigned up to {row['cosigned']}")
        if "signed" not in row:
            continue
        unsigned = ", ".join(f"{number} of {country}" for country, number in row["not_signed"].items())
        typer.echo(f"{'':<10} {row['signed']} reports signed; not signed, and need not be: {unsigned or 'none'}")
        for one in row["forged"]:
            typer.echo(f"{'':<10} {one['country']} did not sign what stands at {one['position']}: {one['code']}")
