"""When `crm upkeep` does what is to be done once a day."""

import subprocess
import sys
from datetime import UTC, datetime, time, timedelta

import pytest

from infra.cli.upkeep import PAUSE_S_MAX, Task
from tests.unit.test_backup import crm, key  # noqa: F401 - a fixture

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (None, True),
        (NOON - timedelta(hours=9), False),
        (NOON - timedelta(hours=11), True),  # before three o'clock: a machine that was off makes up for it
        (NOON - timedelta(days=3), True),
    ],
)
def test_it_is_due_once_a_day_at_its_time(last, due):
    assert Task("verify", time(3), ()).due(last, NOON) == due


def test_before_its_time_that_of_the_day_before_counts():
    early = NOON.replace(hour=1)
    assert not Task("verify", time(3), ()).due(early - timedelta(hours=20), early)
    assert Task("verify", time(3), ()).due(early - timedelta(hours=23), early)


def test_what_failed_is_tried_again_in_seconds_then_slower_and_at_last_daily():
    task, now, pauses = Task("verify", time(3), ()), NOON, []
    for _ in range(20):
        task.done(well=False, now=now)
        assert not task.due(None, now)
        pauses.append((task.not_before - now).total_seconds())
        now = task.not_before
        assert task.due(now, now), "also where findings were noted"
    assert pauses[:4] == [5, 10, 20, 40]
    assert pauses[-1] == PAUSE_S_MAX
    task.done(well=True, now=now)
    assert not task.due(now, now)


def test_wrong_settings_are_all_told_and_end_it():
    words = ["--folder", ".", "--keys", ".", "--database-url", "postgresql://x/y", "--backups", "."]
    wrong = ["--verify-at", "25:00", "--backup-at", "3", "--backup-to", "AGE-SECRET-KEY-1", "--backup-days", "a"]
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", "upkeep", *words, *wrong], capture_output=True, text=True, check=False
    )
    assert done.returncode == 78
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        "CRM_VERIFY_AT",
        "CRM_BACKUP_AT",
        "CRM_BACKUP_DAYS",
        "CRM_BACKUP_TO",
    ]
    assert "SECRET" not in done.stderr


def test_old_backups_are_deleted_and_nothing_else_is(key, tmp_path):  # noqa: F811
    now = datetime.now(UTC)
    old, kept = (f"crm-{now - timedelta(days=days):%Y%m%dT%H%M%SZ}.age" for days in (31, 29))
    for name in (old, kept, "crm-of-the-year.age", "other.age"):
        (tmp_path / name).touch()
    take = ("take", "--to", key[1], "--into", tmp_path, "--days", 30, "--")
    assert crm(*take, "false", given=b"").returncode == 1
    assert (tmp_path / old).exists(), "a backup that failed deletes none"
    assert crm(*take, "printf", "x", given=b"").returncode == 0
    left = {file.name for file in tmp_path.glob("*.age")} - {"operator.age"}
    assert {kept, "crm-of-the-year.age", "other.age"} < left
    assert old not in left
    assert len(left) == 4
