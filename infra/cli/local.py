"""`crm down`, `crm logs`, `crm region`: what one does with a copy that runs here."""

import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.up import State

STOP_S = 30.0
POLL_S = 0.1
SKIPPED = ("event", "level", "timestamp", "service")


def down(*, state: State = Path(".crm")) -> None:
    """End the copy that runs here, in order; what is recorded stays.

    Exit code 1 where none runs, or it does not end.
    """
    supervisor = _running(state)
    os.kill(supervisor, signal.SIGINT)
    end = time.monotonic() + STOP_S
    while (state / "run.json").exists() or _alive(supervisor):
        if time.monotonic() > end:
            typer.echo(f"process {supervisor} has not ended in {STOP_S:g} s", err=True)
            raise typer.Exit(1)
        time.sleep(POLL_S)
    typer.echo(f"stopped; `crm up --state-dir {state}` goes on")


def logs(  # noqa: PLR0913 - each is a flag
    services: Annotated[
        list[str] | None, typer.Argument(help="Such as intel, nats, region; without them, all.")
    ] = None,
    *,
    state: State = Path(".crm"),
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    level: Annotated[str, typer.Option(help="This level and worse: debug, info, warning, error, critical.")] = "info",
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="The last so many of each.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="As they were written.")] = False,
) -> None:
    """Show what the processes of the copy that runs here wrote, in order of time.

    Elsewhere ask what runs them: `docker compose logs`, `journalctl`.
    """
    levels = ("debug", "info", "warning", "error", "critical")
    if level not in levels:
        raise typer.BadParameter(f"--level is one of {', '.join(levels)}")
    files = {file.stem: file for file in sorted((state / "logs").glob("*.log")) if not file.stem.endswith(".old")}
    if missing := [name for name in services or () if name not in files]:
        known = ", ".join(files) or "nothing has run here"
        raise typer.BadParameter(f"there is no log of {', '.join(missing)}; there is: {known}")
    wanted = {name: files[name] for name in services or files}
    worse = set(levels[levels.index(level) :])
    ends = {}
    told = []
    for name, file in wanted.items():
        content = file.read_bytes()
        ends[name] = len(content)
        parsed = [_parsed(name, line) for line in content.decode(errors="replace").splitlines()]
        told += [one for one in parsed if one[2] in worse][-lines:] if lines else []
    for one in sorted(told, key=lambda one: one[0]):
        _say(one, as_json=as_json)
    try:
        while follow:
            for one in _more(wanted, ends):
                if one[2] in worse:
                    _say(one, as_json=as_json)
            sys.stdout.flush()
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        typer.echo("", err=True)


def region(
    *,
    state: State = Path(".crm"),
    rate: Annotated[float, typer.Option(min=0, max=10_000, help="Reports a second, of all countries together.")] = 20.0,
) -> None:
    """Report as an invented region to the copy that runs here, until Ctrl-C; for one that was started without traffic.

    Exit code 1 where no copy runs, or its region runs already.
    """
    _running(state)
    told = json.loads((state / "run.json").read_text())
    lock = os.open(state / "region.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as long as the region lives: it keeps the descriptor
    except OSError as error:
        typer.echo("the region runs already, by another `crm region`", err=True)
        raise typer.Exit(1) from error
    if _alive(told["pids"].get("region", 0)):
        typer.echo("the region runs already: the copy was started with it", err=True)
        raise typer.Exit(1)
    if "clock" not in told:
        typer.echo("an older version started this copy: `crm down`, and start it anew", err=True)
        raise typer.Exit(1)
    from infra.local.system import ROOT  # noqa: PLC0415 - late: `crm --help` answers at once

    own = {"CRM_NATS_URL": told["nats"], "CRM_CREDS_DIR": str((state / "creds").resolve()), "CRM_RATE": str(rate)}
    os.set_inheritable(lock, True)
    os.chdir(ROOT)
    command = [sys.executable, "-m", "infra.region"]
    os.execve(command[0], command, {**os.environ, **own, **told["clock"]})  # noqa: S606 - ours, with nothing of a user's


Line = tuple[str, str, str, str, str]
"""(time, process, level, what in words, the line as it was written)"""


def _parsed(name: str, line: str) -> Line:
    try:
        found = json.loads(line)
        more = "  ".join(f"{key}={found[key]}" for key in found if key not in SKIPPED)
        words = f"{found.get('event', '')}  {more}".rstrip()
        return str(found.get("timestamp", "")), name, str(found.get("level", "info")), words, line
    except (ValueError, AttributeError):
        return "", name, "info", line, line


def _say(one: Line, *, as_json: bool) -> None:
    from infra.cli.quarantine import printable  # noqa: PLC0415 - late: `crm --help` answers at once
    from infra.cli.showing import harmless  # noqa: PLC0415

    at, name, level, words, line = one
    typer.echo(harmless(line) if as_json else printable(f"{at[:19]:19}  {name:10}  {level:8}  {words}".encode()))


def _more(files: dict[str, Path], ends: dict[str, int]) -> Iterator[Line]:
    """Yield what was written since, whole lines only; a log that begins anew is read from its beginning."""
    for name, file in files.items():
        size = file.stat().st_size if file.exists() else 0
        ends[name] = 0 if size < ends[name] else ends[name]
        if size == ends[name]:
            continue
        with file.open("rb") as log:
            log.seek(ends[name])
            fresh = log.read().rpartition(b"\n")[0]
        ends[name] += len(fresh) + bool(fresh)
        yield from (_parsed(name, line) for line in fresh.decode(errors="replace").splitlines())


def _running(state: Path) -> int:
    file = state / "run.json"
    supervisor = int(json.loads(file.read_text())["pids"]["supervisor"]) if file.exists() else 0
    if not _alive(supervisor):
        typer.echo(f"nothing runs in {state}", err=True)
        raise typer.Exit(1)
    return supervisor


def _alive(process: int) -> bool:
    if not process:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
