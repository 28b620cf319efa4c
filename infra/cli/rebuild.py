"""`crm rebuild`."""

import json
import threading
from pathlib import Path

import typer

from infra.cli.up import State

PATIENCE_S = 3600
TOLD_S = 2.0
"""How often it is told how far it is."""


def rebuild(*, state: State = Path(".crm")) -> None:
    """Fold all figures anew from the first event; exit 1 if that does not reach the end, or gives other bytes."""
    import urllib.error  # noqa: PLC0415 - late: `crm --help` answers at once
    import urllib.request  # noqa: PLC0415

    from infra.cli import running as deployments  # noqa: PLC0415 - late: `crm --help` answers at once

    addresses = deployments.running(state)
    address = addresses["http"]
    token = deployments.token(state, addresses)
    request = urllib.request.Request(  # noqa: S310 - from our run.json
        f"{address}/rebuild", method="POST", headers={"Authorization": f"Bearer {token}"}
    )
    over = threading.Event()
    telling = threading.Thread(target=_tell, args=(addresses.get("ops", {}).get("indicators", ""), over))
    telling.start()
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
            done = json.load(answer)
    except urllib.error.HTTPError as error:
        typer.echo(f"the board answers {error.code}", err=True)
        raise typer.Exit(1) from None
    except OSError:
        typer.echo("the board does not answer", err=True)
        raise typer.Exit(1) from None
    finally:
        over.set()
        telling.join()
    same = {
        True: "the same bytes as before",
        False: "NOT the bytes that it was",
        None: "not compared: events kept coming, or more is counted than before",
    }
    if done["fault"]:
        typer.echo(f"NOT rebuilt, the figures stay as they are: {done['fault']}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{done['events']} events folded anew; {same[done['same']]}; SHA-256 {done['checksum']}")
    if done["taken_in"]:
        typer.echo(f"{done['taken_in']} that had been set aside are counted now")
    if done["aside"]:
        typer.echo(f"{done['aside']} are not counted: set aside, see `crm status`")
    if done["same"] is False:
        raise typer.Exit(1)


def _tell(ops: str, over: threading.Event) -> None:
    """Tell how far it is, as long as it is not over; of few events there is nothing to tell."""
    from infra.cli.status import samples  # noqa: PLC0415

    while not over.wait(TOLD_S):
        found = {one.labels["of"]: one.value for one in samples(ops) if one.name == "crm_rebuild_events"} if ops else {}
        if found.get("total"):
            typer.echo(f"{found.get('folded', 0):,.0f} of {found['total']:,.0f} events folded", err=True)
