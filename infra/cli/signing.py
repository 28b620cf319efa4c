"""`crm signing`: what a country does with the keys that sign its reports."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.country import As, Seed, Url
from infra.cli.up import State

if TYPE_CHECKING:
    from infra.signing import Told

signing = typer.Typer(name="signing", help="The keys with which a country signs its reports.", no_args_is_help=True)

DAY = ["%Y-%m-%d"]
Root = Annotated[Path, typer.Option("--root", help="The country's root key (PEM). It stays on this machine.")]
Key = Annotated[str, typer.Option("--key", help="The public key that it is about.")]
Body = Annotated[str, typer.Option("--by", help="The kind of organisation that says so.")]
Out = Annotated[Path, typer.Argument(help="Where to write the signed report, for `crm signing tell`.")]


@signing.command()
def new(file: Annotated[Path, typer.Argument(help="Where to write the secret key (PEM), such as GTM.pem.")]) -> None:
    """Make a key; the public part goes beside it (.pub behind the name), and is shown. Nothing is written over."""
    from nacl.signing import SigningKey  # noqa: PLC0415 - late: `crm --help` answers at once

    from shared.contracts.signing import public, written  # noqa: PLC0415

    if file.exists():
        raise typer.BadParameter(f"{file} is there already")
    key = SigningKey.generate()
    file.touch(0o600)
    file.write_text(written(key))
    file.with_name(f"{file.name}.pub").write_text(public(key) + "\n")
    typer.echo(public(key))


@signing.command()
def add(  # noqa: PLR0913 - what is said of a key
    out: Out,
    *,
    country: As,
    root: Root,
    key: Key,
    since: Annotated[datetime, typer.Option("--from", formats=DAY, help="Its first day (UTC).")],
    until: Annotated[datetime | None, typer.Option(formats=DAY, help="The first day without it (UTC).")] = None,
    system: Annotated[str, typer.Option(help="The only system whose reports it signs; by default all.")] = "",
    by: Body = "foreign_ministry",
) -> None:
    """Write the report that adds a key, signed with the root key; no network is needed."""
    data: dict[str, Any] = {"key": key, "valid_from": _utc(since), "reported_by": by}
    data |= {"system": system} if system else {}
    data |= {"valid_until": _utc(until)} if until else {}
    _write(out, country, root, "added", data)


@signing.command()
def revoke(  # noqa: PLR0913 - as above
    out: Out,
    *,
    country: As,
    root: Root,
    key: Key,
    why: Annotated[str, typer.Option(help="lost, stolen, replaced or other; it is recorded.")],
    by: Body = "foreign_ministry",
) -> None:
    """Write the report that revokes a key, signed with the root key; no network is needed."""
    _write(out, country, root, "revoked", {"key": key, "reason": why, "reported_by": by})


@signing.command()
def tell(
    file: Annotated[Path, typer.Argument(help="What `add` or `revoke` wrote.")],
    *,
    country: As,
    state: State = Path(".crm"),
    nats_url: Url = "",
    seed: Seed = None,
) -> None:
    """Send a report that was signed elsewhere, byte for byte."""
    import asyncio  # noqa: PLC0415

    asyncio.run(_told(file, country, state, nats_url, seed))


@signing.command()
def check(  # noqa: PLR0913 - each is a flag
    keys: Annotated[list[Path], typer.Argument(help="Files (.pub) of all its public keys, the root's too.")],
    *,
    country: As,
    since: Annotated[datetime | None, typer.Option("--from", formats=DAY, help="Since when it signs.")] = None,
    state: State = Path(".crm"),
    nats_url: Url = "",
    seed: Seed = None,
) -> None:
    """Find what stands in the region in the country's name, and it did not sign; exit code 1 if there is any."""
    import asyncio  # noqa: PLC0415

    known = {file.read_text().strip() for file in keys}
    if asyncio.run(_checked(known, since, country, state, nats_url, seed)):
        raise typer.Exit(1)


async def _told(file: Path, country: str, state: Path, url: str, seed: Path | None) -> None:
    import msgspec  # noqa: PLC0415

    from infra.cli.country import speaking  # noqa: PLC0415
    from infra.signing import Told  # noqa: PLC0415

    told = msgspec.json.decode(file.read_bytes(), type=Told)  # noqa: ASYNC240 - one file, once
    async with speaking(country, state, url, seed) as client:
        sequence = await client.publish_signed(told.payload.encode(), told.signature)
    typer.echo(f"stored (intake {sequence})")


async def _checked(  # noqa: PLR0913, PLR0917 - where and as whom
    keys: set[str], since: datetime | None, country: str, state: Path, url: str, seed: Path | None
) -> int:
    from infra.cli.country import speaking  # noqa: PLC0415
    from shared.client.own import forged  # noqa: PLC0415

    number = 0
    async with speaking(country, state, url, seed) as client:
        async for one in forged(client, keys, since.replace(tzinfo=UTC) if since else None):
            number += 1
            typer.echo(f"{one.service} {one.sequence}: {one.type} {one.id}: {one.code}")
    typer.echo(f"{number} not signed by {country}")
    return number


def _write(out: Path, country: str, root: Path, verb: str, data: dict[str, Any]) -> None:
    import msgspec  # noqa: PLC0415

    from shared.contracts import Refused  # noqa: PLC0415

    try:
        told = _signed(country, root, verb, data)
    except Refused as verdict:
        for problem in verdict.problems:
            typer.echo(f"{problem.pointer}: {problem.message} [{problem.code}]", err=True)
        raise typer.Exit(1) from None
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"--root: {error}") from None
    out.write_bytes(msgspec.json.encode(told) + b"\n")


def _signed(country: str, root: Path, verb: str, data: dict[str, Any]) -> "Told":
    """Return the report of now, signed; raises Refused where its contract does not take it."""
    import uuid  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    from infra.signing import Told  # noqa: PLC0415
    from shared.contracts import signing as signatures  # noqa: PLC0415
    from shared.contracts import source_of  # noqa: PLC0415
    from shared.contracts.report import accepted  # noqa: PLC0415

    now = datetime.now(UTC)
    report = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": source_of(country, "keys"),
        "type": f"crm.indicators.key.{verb}.v1",
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }
    payload = msgspec.json.encode(report)
    accepted(f"crm.in.{country}.indicators.key.{verb}", None, payload, now)
    return Told(payload.decode(), signatures.signed(payload, signatures.secret(root)))


def _utc(day: datetime) -> str:
    return day.replace(tzinfo=UTC).isoformat()
