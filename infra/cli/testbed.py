"""`crm testbed`."""

from typing import Annotated

import typer


def testbed(
    *,
    port: Annotated[int, typer.Option(envvar="CRM_TESTBED_PORT", help="On loopback only.")] = 4280,  # noqa: PT028 - no test, whatever its name
) -> None:
    """Serve regions for tests over HTTP, for any language, until Ctrl-C; what it starts goes with it."""
    import asyncio  # noqa: PLC0415 - late: `crm --help` answers at once
    import signal  # noqa: PLC0415

    try:
        from infra.testkit.servers import servers  # noqa: PLC0415
        from infra.testkit.testbed import Testbed  # noqa: PLC0415
    except ModuleNotFoundError as error:
        typer.echo(f"{error.name} is missing: install the wheel crm-testkit", err=True)
        raise typer.Exit(1) from None

    from infra.cli.terminal import ctrl_c_for_us  # noqa: PLC0415
    from infra.local.process import StartError  # noqa: PLC0415
    from shared.run.web import served  # noqa: PLC0415

    async def serve() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        async with servers() as running:
            bed = Testbed(running)
            try:
                async with served(bed.app(), "127.0.0.1", port, ("127.0.0.1", "localhost")):
                    typer.echo(f"testbed http://127.0.0.1:{port}")
                    await stopping.wait()
            finally:
                await bed.close()

    with ctrl_c_for_us():
        try:
            asyncio.run(serve())
        except StartError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from error
