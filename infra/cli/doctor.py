"""`crm doctor`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.showing import Json, Out, Output, form, show_rows, verdict
from infra.cli.up import State

if TYPE_CHECKING:
    from infra.doctor.finding import Told

MARKS = {"ok": "ok  ", "note": "    ", "finding": "!!  "}


def doctor(
    *,
    state: State = Path(".crm"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only what is wrong.")] = False,
    output: Out = Output.TABLE,
    as_json: Json = False,
) -> None:
    """Look at all that an operator would, and say of each thing that is wrong what to do about it.

    Settings, servers, provisioning, clocks, disks, certificates' ends, lags, what is set aside, refused or unread,
    backups' age. It changes nothing. Exit code 1 when it found something.
    """
    told = examined(state)
    shown = [one for one in told if not quiet or one.level == "finding"]
    meant = form(output, as_json=as_json)
    if meant is Output.TABLE:
        for one in shown:
            typer.echo(f"{MARKS[one.level]}{one.check:12}  {one.said}")
            if one.cure:
                typer.echo(f"{'':18}-> {one.cure}")
    else:
        rows = [{"level": one.level, "check": one.check, "said": one.said, "cure": one.cure} for one in shown]
        show_rows(rows, ("level", "check", "said", "cure"), meant)
    raise typer.Exit(verdict(sum(one.level == "finding" for one in told)))


def examined(state: Path) -> "list[Told]":
    """Return all that was looked at, in order."""
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from infra.cli.running import running, token  # noqa: PLC0415
    from infra.cli.status import samples  # noqa: PLC0415
    from infra.doctor import here, processes, servers  # noqa: PLC0415
    from infra.nats.rights import OPERATOR  # noqa: PLC0415

    addresses = running(state)
    local, now = "context" not in addresses, here.present()
    creds = Path(addresses["creds"][OPERATOR]).parent
    folder = Path(addresses["upkeep"]) if addresses.get("upkeep") else state / "upkeep" if local else None
    told = [*here.environment(), *here.keys(creds), *here.certificates(creds, now)]
    told += here.disk(state) if local else here.images()
    told += servers.nats(str(addresses.get("monitor") or ""))
    told += asyncio.run(servers.gathered(addresses))
    for name, address in addresses.get("ops", {}).items():
        told += processes.ready(name, address)
        told += processes.late(name, samples(address))
    if addresses.get("http"):
        told += processes.ready("the board", addresses["http"])
        told += processes.uncounted(samples(addresses["http"], "/metrics/operator", token(state, addresses)))
    return [*told, *here.kept_up(folder, now, local=local)]
