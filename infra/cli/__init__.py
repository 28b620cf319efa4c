"""The `crm` command: what operators and integrators do, one verb each.

Each verb imports what it needs when it is called, so that `crm --help` answers at once.
"""

import typer

from infra.cli.archive import archive
from infra.cli.ask import ask
from infra.cli.backup import backup
from infra.cli.conform import conform
from infra.cli.explain import explain, token
from infra.cli.indicators import indicators
from infra.cli.intake import intake
from infra.cli.keys import keys
from infra.cli.mailbox import mailbox
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
from infra.cli.verify import verify
from infra.cli.witness import witness

app = typer.Typer(
    name="crm",
    help="Runs the Regional Conference on Migration's Plan of Action.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # tracebacks with local values would show personal data
)
for verb in (up, provision, pub, status, indicators, explain, token, ask, mailbox, trace, verify, restore, rebuild):
    app.command()(verb)
app.command()(testbed)
app.command()(conform)
app.add_typer(archive)
app.add_typer(backup)
app.add_typer(plan)
app.add_typer(intake)
app.add_typer(keys)
app.add_typer(quarantine)
app.add_typer(seat)
app.add_typer(signing)
app.add_typer(report)
app.add_typer(witness)
