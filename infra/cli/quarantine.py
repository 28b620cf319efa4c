"""`crm quarantine`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli import showing
from infra.cli.country import Url
from infra.cli.showing import Out, Output, Watch, again, show_rows
from infra.cli.up import State

if TYPE_CHECKING:
    from nats.js.api import RawStreamMsg

quarantine = typer.Typer(
    name="quarantine", help="Looks at the reports that were refused; they may name people.", no_args_is_help=True
)
Seed = Annotated[Path | None, typer.Option(envvar="CRM_NATS_SEED", help="The operator's key on NATS.")]


@quarantine.command(name="list")
def listed(  # noqa: PLR0913 - each is a flag
    *,
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest.")] = 20,
    state: State = Path(".crm"),
    nats_url: Url = "",
    seed: Seed = None,
    watch: Watch = False,
    output: Out = Output.TABLE,
) -> None:
    """List the newest refused reports: number, time, by which subject, why; nothing of their content."""
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    where = _where(state, nats_url, seed)

    def show() -> int:
        show_rows(asyncio.run(_listed(where, last)), ("number", "time", "subject", "codes", "kept"), output)
        return 0

    again(show, watch=watch)


@quarantine.command()
def show(  # noqa: PLR0913 - each is a flag
    number: Annotated[int, typer.Argument(min=1, help="As `crm quarantine list` gives it.")],
    *,
    key: Annotated[
        Path | None, typer.Option(help="The secret key (`<name>.age`) that opens it; by default the operator's.")
    ] = None,
    sealed: Annotated[bool, typer.Option(help="Write the age file as it is kept, for its sender to open.")] = False,
    state: State = Path(".crm"),
    nats_url: Url = "",
    seed: Seed = None,
) -> None:
    """Write the raw bytes of a refused report to standard output; on a terminal, what is no text is escaped.

    It may name people: look only as far as you must.
    """
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from shared.flow.sealing import Unopened, opened  # noqa: PLC0415

    where = _where(state, nats_url, seed)
    found = asyncio.run(_one(where, number))
    if found is None:
        typer.echo(f"there is no refused report {number}, or no longer", err=True)
        raise typer.Exit(1)
    content = found.data or b""
    if "Crm-Sealed" in (found.headers or {}) and not sealed:
        file = key or where[1].with_name("operator.age")
        try:
            content = opened(content, file)
        except OSError as error:
            typer.echo(f"the key cannot be read ({type(error).__name__}): name it with --key", err=True)
            raise typer.Exit(1) from None
        except Unopened:
            typer.echo("the key does not open it: it is sealed for its sender and the operator on call", err=True)
            raise typer.Exit(1) from None
    typer.echo(printable(content) if sys.stdout.isatty() else content, nl=False)


def printable(content: bytes) -> str:
    """Return content as a terminal may show it: whatever a sender wrote, it moves no cursor and types nothing."""
    return showing.printable(content.decode(errors="backslashreplace"), kept="\n")


def _where(state: Path, url: str, seed: Path | None) -> tuple[str, Path]:
    from infra.cli.running import running  # noqa: PLC0415
    from infra.nats.rights import OPERATOR  # noqa: PLC0415

    if url and seed:
        return url, seed
    addresses = running(state)
    return url or addresses["nats"], seed or Path(addresses["creds"][OPERATOR])


async def _listed(where: tuple[str, Path], last: int) -> list[dict[str, str]]:
    from infra.nats.asking import ask  # noqa: PLC0415
    from infra.nats.connection import connected  # noqa: PLC0415
    from infra.nats.rights import OPERATOR  # noqa: PLC0415
    from shared.flow.streams import QUARANTINE  # noqa: PLC0415

    rows = []
    async with connected(*where, OPERATOR) as nc:
        held = (await ask(nc, f"STREAM.INFO.{QUARANTINE}"))["state"]
        for number in range(max(held["first_seq"], held["last_seq"] - last + 1, 1), held["last_seq"] + 1):
            message = (await ask(nc, f"STREAM.MSG.GET.{QUARANTINE}", {"seq": number})).get("message")
            if message:
                headers = _headers(message.get("hdrs", ""))
                how = "sealed" if "Crm-Sealed" in headers else "in clear"
                rows.append(
                    {
                        "number": str(number),
                        "time": message["time"][:19],
                        "subject": headers.get("Crm-Subject", ""),
                        "codes": headers.get("Crm-Codes", ""),
                        "kept": how,
                    }
                )
    return rows


def _headers(packed: str) -> dict[str, str]:
    import base64  # noqa: PLC0415

    lines = base64.b64decode(packed).decode(errors="replace").splitlines()[1:]
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines) if value}


async def _one(where: tuple[str, Path], number: int) -> "RawStreamMsg | None":
    from nats.js.errors import NotFoundError  # noqa: PLC0415

    from infra.nats.connection import connected  # noqa: PLC0415
    from infra.nats.rights import OPERATOR  # noqa: PLC0415
    from shared.flow.streams import QUARANTINE  # noqa: PLC0415

    async with connected(*where, OPERATOR) as nc:
        try:
            return await nc.jetstream().get_msg(QUARANTINE, number)
        except NotFoundError:
            return None
