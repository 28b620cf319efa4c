"""`crm upkeep`: verifies and backs up each day, where no other clock starts it (in a container)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as TimeOfDay  # noqa: N812 - it is a type
from pathlib import Path
from typing import Annotated, NoReturn

import typer

PAUSE_S, PAUSE_S_MAX = 5.0, 3600.0
"""What failed is tried again after five seconds, then after twice as long each time, at most an hour."""
Of = Annotated[str, typer.Option(envvar="CRM_BACKUP_TO", help="Public keys (age1...), with spaces between.")]


@dataclass
class Task:
    """Something to be done once a day."""

    what: str
    at: TimeOfDay
    command: Sequence[str]
    pause_s: float = PAUSE_S
    not_before: datetime = field(default_factory=lambda: datetime.min.replace(tzinfo=UTC))

    def due(self, last: datetime | None, now: datetime) -> bool:
        """Say whether it should be done now: never done, or not since it was last time for it."""
        if now < self.not_before:
            return False
        today = datetime.combine(now.date(), self.at, UTC)
        return last is None or last < (today if today <= now else today - timedelta(days=1)) or self.pause_s > PAUSE_S

    def done(self, *, well: bool, now: datetime) -> None:
        """Note how it ended."""
        self.not_before = now if well else now + timedelta(seconds=self.pause_s)
        self.pause_s = PAUSE_S if well else min(2 * self.pause_s, PAUSE_S_MAX)


def upkeep(  # noqa: PLR0913 - each is a flag
    *,
    folder: Annotated[Path, typer.Option(envvar="CRM_UPKEEP", help="Where it is noted, for alerts.")],
    keys: Annotated[Path, typer.Option(help="Folder with the public keys `logs` and `witnesses`.")],
    database_url: Annotated[str, typer.Option(envvar="CRM_DATABASE_URL", help="PostgreSQL, as upkeep.")],
    backups: Annotated[Path, typer.Option(help="The folder for backups.")],
    verify_at: Annotated[str, typer.Option(envvar="CRM_VERIFY_AT", help="Time of day (UTC).")] = "02:00",
    backup_at: Annotated[str, typer.Option(envvar="CRM_BACKUP_AT", help="Time of day (UTC).")] = "03:00",
    backup_to: Of = "",
    backup_days: Annotated[str, typer.Option(envvar="CRM_BACKUP_DAYS", help="For how long backups are kept.")] = "30",
) -> None:
    """Verify all logs and back the database up each day, until it is stopped; both at once where it was never done.

    What failed is tried again soon. CRM_NATS_URL and CRM_NATS_SEED say where, and as whom. Without CRM_BACKUP_TO
    nothing is backed up, and that is said. Exit code 78 where a setting is wrong.
    """
    to = backup_to.replace(",", " ").split()
    faults = [*_times(CRM_VERIFY_AT=verify_at, CRM_BACKUP_AT=backup_at), *_backups(to, backup_days)]
    if faults:
        _misconfigured(faults)
    crm = (sys.executable, "-m", "infra.cli")
    verify = (*crm, "verify", "--as", "upkeep", "--keys", str(keys))
    tasks = [Task("verify", TimeOfDay.fromisoformat(verify_at), verify)]
    if to:
        sealed = [word for one in to for word in ("--to", one)]
        take = (*crm, "backup", "take", *sealed, "--into", str(backups), "--days", backup_days, "--")
        dump = (*take, "pg_dump", "--format=custom", f"--dbname={database_url}")
        tasks.append(Task("backup", TimeOfDay.fromisoformat(backup_at), dump))
    else:
        typer.echo("nothing is backed up: CRM_BACKUP_TO names no public key (docs/operations.md, Backup and restore)")
    signal.signal(signal.SIGTERM, _stopped)
    while True:
        for task in tasks:
            if task.due(_last(folder, task.what), datetime.now(UTC)):
                _do(task, folder)
        time.sleep(PAUSE_S)


def _do(task: Task, folder: Path) -> None:
    """Do it; it went well only if that is noted, so that a folder that cannot be written is no haste without end."""
    before = _last(folder, task.what)
    with subprocess.Popen(task.command, env={**os.environ, "CRM_UPKEEP": str(folder)}) as process:  # noqa: S603 - our own
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            raise
    well = code == 0 and _last(folder, task.what) != before
    again = "" if well else f"; again in {task.pause_s:.0f} s"
    typer.echo(f"{task.what} ended with {code}{again}")
    task.done(well=well, now=datetime.now(UTC))


def _last(folder: Path, what: str) -> datetime | None:
    from shared.run import upkeep as notes  # noqa: PLC0415 - late: `crm --help` answers at once

    done = notes.last(folder, what)
    return done.at if done else None


def _stopped(*_: object) -> NoReturn:
    raise SystemExit(0)


def _times(**given: str) -> list[str]:
    return [f"{name}: a time of day is wanted, such as 02:00" for name, one in given.items() if not _is_time(one)]


def _is_time(text: str) -> bool:
    try:
        return TimeOfDay.fromisoformat(text).tzinfo is None
    except ValueError:
        return False


def _backups(to: Sequence[str], days: str) -> list[str]:
    import pyrage  # noqa: PLC0415 - late: `crm --help` answers at once

    faults = [] if days.isascii() and days.isdigit() and int(days) else ["CRM_BACKUP_DAYS: a number of days is wanted"]
    try:
        for one in to:
            pyrage.x25519.Recipient.from_str(one)
    except pyrage.RecipientError:
        faults.append("CRM_BACKUP_TO: a public key begins with age1: `age-keygen -y operator.age` shows it")
    return faults


def _misconfigured(faults: Sequence[str]) -> NoReturn:
    from shared.run.settings import EXIT_MISCONFIGURED  # noqa: PLC0415 - late: it needs pydantic

    for fault in faults:
        typer.echo(fault, err=True)
    raise typer.Exit(EXIT_MISCONFIGURED)
