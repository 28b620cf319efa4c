"""What the other verbs know of the deployment that they speak to: a copy that runs here, or a context.

In this order: the context that is named (`crm --context`, `CRM_CONTEXT`); the run.json of the copy in the state folder;
the environment, where it names a folder of keys (`CRM_CREDS_DIR`), as in a container; the context in use.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

NAMED = "CRM_CONTEXT"
meant = ""
"""The context that is named in this call."""
USED = "current"
USAGE = 2
TEXTS = ("creds", "nats", "monitor", "http", "postgres", "upkeep")
FLAGS = {"nats": "--nats", "http": "--board", "postgres": "--database"}


class Seeds(dict[str, str]):
    """Principal -> the file of its nkey seed in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, principal: str) -> str:
        """Return where it would be; whether it is there, who reads it finds out."""
        return str(self.folder / f"{principal}.nk")


class Addresses(dict[str, Any]):
    """The addresses of a deployment; one that it does not name ends the verb that needs it, with exit code 2."""

    def __getitem__(self, what: str) -> Any:
        """Return an address, or exit with how to name it."""
        found = self.get(what, "")
        if found == "" and what in FLAGS:
            typer.echo(f"{self.get('context')} does not name it: `crm context add … {FLAGS[what]}`", err=True)
            raise typer.Exit(USAGE)
        return found


def contexts() -> Path:
    """Return the folder of contexts, a file each."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "crm" / "contexts"


def known() -> list[str]:
    """Return the contexts that there are."""
    return sorted(file.stem for file in contexts().glob("*.json"))


def used() -> str:
    """Return the context in use; empty: none."""
    file = contexts() / USED
    return file.read_text(errors="replace").strip() if file.exists() else ""


def running(state: Path) -> Addresses:
    """Return the addresses of the deployment that is meant; exit with a hint when there is none."""
    addresses = _found(state)
    if addresses is None:
        others = f"; of the contexts {', '.join(known())} none is in use: `crm context use`" if known() else ""
        typer.echo(
            f"nothing runs in {state}: start it with `make run`, name its folder with --state-dir,"
            f" or add a context (`crm context add --help`){others}",
            err=True,
        )
        raise typer.Exit(1)
    if addresses.get("tls"):
        from infra.nats.rights import OPERATOR  # noqa: PLC0415 - late: only where it is needed
        from shared import tls  # noqa: PLC0415

        tls.calls(tls.beside(addresses["creds"][OPERATOR]))
    return addresses


def token(state: Path, addresses: Mapping[str, Any]) -> str:
    """Return the operator's token: of the environment, or from beside the keys; empty: there is none."""
    from infra.nats.rights import OPERATOR  # noqa: PLC0415 - late: only where it is needed

    if given := os.environ.get("CRM_OPERATOR_TOKEN"):
        return given
    beside = Path(addresses["creds"][OPERATOR]).with_name("operator.token")
    return next((file.read_text().strip() for file in (beside, state / "creds" / beside.name) if file.exists()), "")


def _found(state: Path) -> Addresses | None:
    if meant:
        return of(meant)
    file = state / "run.json"
    if file.exists():
        return Addresses(json.loads(file.read_text()))
    if folder := os.environ.get("CRM_CREDS_DIR"):
        return _environment(Path(folder))
    return of(name) if (name := used()) else None


def of(name: str) -> Addresses:
    """Return the addresses of a context; exit 2 where there is none of that name."""
    if not _file(name).exists():
        there = f"there are {', '.join(known())}" if known() else "there is none yet: `crm context add`"
        typer.echo(f"no context is called {name}: {there}", err=True)
        raise typer.Exit(USAGE)
    told = told_in(name)
    if told is None:
        typer.echo(f"{_file(name)} cannot be read as a context: `crm context remove {name}`, and add it anew", err=True)
        raise typer.Exit(USAGE)
    return Addresses(told | {"creds": Seeds(Path(told["creds"])), "context": name, "tls": _secured(told)})


def told_in(name: str) -> dict[str, Any] | None:
    """Return what the file of a context says; None: that is no context."""
    try:
        told = json.loads(_file(name).read_text())
        ops = told.get("ops", {})
        texts = [*(told.get(what, "") for what in TEXTS), *ops, *ops.values()]
        urls = [url for url in (told.get("http", ""), told.get("monitor", ""), *ops.values()) if url]
        fits = told["creds"] and all(isinstance(one, str) and one.isprintable() for one in texts)
        fits = fits and all(url.isascii() and url.startswith(("http://", "https://")) for url in urls)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return told if fits else None


def _file(name: str) -> Path:
    return contexts() / f"{name}.json"


def _environment(folder: Path) -> Addresses:
    told: dict[str, Any] = {
        "nats": os.environ.get("CRM_NATS_URL", ""),
        "monitor": os.environ.get("CRM_NATS_MONITOR_URL", ""),
        "http": os.environ.get("CRM_BOARD_URL", ""),
        "postgres": os.environ.get("CRM_DATABASE_URL", ""),
        "upkeep": os.environ.get("CRM_UPKEEP", ""),
    }
    ops = dict(one.partition("=")[::2] for one in os.environ.get("CRM_OPS_URLS", "").split(",") if one)
    return Addresses(told | {"ops": ops, "creds": Seeds(folder), "context": "environment", "tls": _secured(told)})


def _secured(told: dict[str, Any]) -> bool:
    return any(str(told.get(what) or "").startswith(("tls://", "https://")) for what in ("nats", "http", "monitor"))


def noted(state: Path, what: str, findings: int = 0) -> None:
    """Note that something was done, where alerts look for it.

    That is CRM_UPKEEP, or the folder of the copy that runs here; where there is neither, nowhere.
    """
    from shared.run import upkeep  # noqa: PLC0415 - late: only where it is needed

    named = os.environ.get("CRM_UPKEEP")
    if not (named or (state / "run.json").exists()):
        return
    try:
        upkeep.note(Path(named) if named else state / "upkeep", what, findings)
    except OSError as error:
        typer.echo(f"that it was done cannot be noted ({type(error).__name__})", err=True)
