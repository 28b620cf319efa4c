"""`crm up`."""

from pathlib import Path
from typing import Annotated

import typer

State = Annotated[Path, typer.Option("--state-dir", envvar="CRM_STATE_DIR", help="Where this copy keeps its data.")]


def up(  # noqa: PLR0913 - each is a flag
    *,
    state: State = Path(".crm"),
    clock: Annotated[
        str, typer.Option(envvar="CLOCK", help="Where the clock starts: a time, or now. Later runs go on.")
    ] = "",
    speed: Annotated[
        float | None,
        typer.Option(envvar="SPEED", min=0.001, help="Plan seconds a second.", show_default="86400; 1 with now"),
    ] = None,
    traffic: Annotated[
        str, typer.Option(envvar="TRAFFIC", help="plan: a synthetic region; none: no reports.")
    ] = "plan",
    rate: Annotated[float, typer.Option(envvar="RATE", min=0, help="The synthetic region's events a second.")] = 20.0,
    http_port: Annotated[int | None, typer.Option(envvar="CRM_HTTP_PORT", help="The board's port (8080).")] = None,
    ops_port: Annotated[int | None, typer.Option(envvar="CRM_OPS_PORT", help="The first of five (8081).")] = None,
    nats_port: Annotated[int | None, typer.Option(envvar="CRM_NATS_PORT", help="NATS's port (4222).")] = None,
    tls: Annotated[
        bool, typer.Option(envvar="TLS", help="All parts speak TLS 1.3 with certificates, as outside this machine.")
    ] = False,
) -> None:
    """Start the whole system on this machine, and play the Plan from its first day."""
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once

    from rich.console import Console  # noqa: PLC0415

    from infra.cli.terminal import ctrl_c_for_us  # noqa: PLC0415
    from infra.local.process import StartError  # noqa: PLC0415
    from infra.local.supervisor import Supervisor  # noqa: PLC0415
    from infra.local.system import Options  # noqa: PLC0415

    if traffic not in ("plan", "none"):
        raise typer.BadParameter("TRAFFIC is plan or none")
    options = Options(state.resolve(), clock, speed, traffic, rate, http_port, ops_port, nats_port, tls)
    console = Console(highlight=False)

    def tell(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    async def run() -> None:
        with console.status("starting") as status:
            await Supervisor(options, tell, status.update).run()

    with ctrl_c_for_us():
        try:
            asyncio.run(run())
        except StartError as error:
            tell(str(error))
            raise typer.Exit(1) from error
