"""The `crm` command: what operators and integrators do, one verb each.

Each verb imports what it needs when it is called, so that `crm --help` answers at once. So its help is plain: Typer's
frames take as long again, and are of no use in a pipe.
"""

from typing import Annotated

import typer
import typer.core

from infra.cli import running
from infra.cli.archive import archive
from infra.cli.ask import ask
from infra.cli.backup import backup
from infra.cli.conform import conform
from infra.cli.context import context as deployment
from infra.cli.contracts import contracts
from infra.cli.doctor import doctor
from infra.cli.explain import explain, token
from infra.cli.indicators import indicators
from infra.cli.intake import intake
from infra.cli.keys import keys
from infra.cli.local import down, logs, region
from infra.cli.mailbox import mailbox, sub
from infra.cli.plan import plan
from infra.cli.provision import provision
from infra.cli.pub import pub
from infra.cli.quarantine import quarantine
from infra.cli.rebuild import rebuild
from infra.cli.report import report
from infra.cli.restore import restore
from infra.cli.seat import seat
from infra.cli.signing import signing
from infra.cli.status import status
from infra.cli.testbed import testbed
from infra.cli.trace import trace
from infra.cli.up import up
from infra.cli.upkeep import upkeep
from infra.cli.verify import verify
from infra.cli.witness import witness

typer.core.HAS_RICH = False
app = typer.Typer(
    name="crm",
    help="Runs the Regional Conference on Migration's Plan of Action.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # tracebacks with local values would show personal data
)


def _told(wanted: bool) -> None:
    """Say which version this is, of what is installed or of the checkout at hand, and end."""
    if not wanted:
        return
    import tomllib  # noqa: PLC0415 - late: `crm --help` answers at once
    from importlib import metadata  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    try:
        version = metadata.version("crm")
    except metadata.PackageNotFoundError:
        project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
        version = project["version"]
    typer.echo(f"crm {version}")
    raise typer.Exit


@app.callback()
def whole(
    *,
    context: Annotated[
        str,
        typer.Option(
            "--context",
            "-c",
            envvar=running.NAMED,
            help="The deployment that is meant (`crm context list`).",
            metavar="NAME",
        ),
    ] = "",
    version: Annotated[  # noqa: ARG001 - what it does is done before
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_told)
    ] = False,
) -> None:
    """Run the Regional Conference on Migration's Plan of Action.

    Exit codes: 0 all is well, 1 something was found or did not work, 2 it was called wrongly.
    """
    running.meant = context


RUNNING = (up, down, logs, region, doctor, status, provision, rebuild, verify, restore, upkeep, testbed)
SPEAKING = (pub, mailbox, sub, ask, indicators, explain, trace, token, conform)
for verb in (*RUNNING, *SPEAKING):
    app.command()(verb)
app.add_typer(archive)
app.add_typer(backup)
app.add_typer(deployment)
app.add_typer(contracts)
app.add_typer(plan)
app.add_typer(intake)
app.add_typer(keys)
app.add_typer(quarantine)
app.add_typer(seat)
app.add_typer(signing)
app.add_typer(report)
app.add_typer(witness)
