"""What the other verbs know of a running copy: its run.json."""

import json
from pathlib import Path
from typing import Any

import typer


def running(state: Path) -> dict[str, Any]:
    """Return the addresses of the copy in `state`; exit 1 with a hint when none runs there."""
    file = state / "run.json"
    try:
        addresses: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        typer.echo(f"nothing runs in {state}: start it with `make run`, or name its folder with --state-dir", err=True)
        raise typer.Exit(1) from None
    if addresses.get("tls"):
        from infra.nats.rights import OPERATOR  # noqa: PLC0415 - late: only where it is needed
        from shared import tls  # noqa: PLC0415

        tls.calls(tls.beside(addresses["creds"][OPERATOR]))
    return addresses
