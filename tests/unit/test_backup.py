"""Backups are sealed as they are made: who has the file has nothing, and a change of it is told."""

import subprocess
import sys

import pytest
from pyrage import x25519

CANARY = b"canary-of-a-witness " * 10_000
CRM = [sys.executable, "-m", "infra.cli", "backup"]


def crm(*words, given: bytes) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([*CRM, *map(str, words)], input=given, capture_output=True, check=False)


@pytest.fixture
def key(tmp_path):
    identity = x25519.Identity.generate()
    file = tmp_path / "operator.age"
    file.write_text(f"# public key: {identity.to_public()}\n{identity}\n")
    return file, str(identity.to_public())


def test_what_is_sealed_is_opened_by_its_key_only(key, tmp_path):
    file, public = key
    sealed = crm("seal", "--to", public, given=CANARY)
    assert sealed.returncode == 0, sealed.stderr
    assert b"canary" not in sealed.stdout
    assert crm("open", "--key", file, given=sealed.stdout).stdout == CANARY
    other = tmp_path / "other.age"
    other.write_text(f"{x25519.Identity.generate()}\n")
    refused = crm("open", "--key", other, given=sealed.stdout)
    assert (refused.returncode, refused.stdout) == (1, b"")


@pytest.mark.parametrize("damage", [lambda sealed: sealed[:-100], lambda sealed: sealed[:-100] + b"x" * 100])
def test_a_backup_that_was_cut_or_changed_is_told(key, damage):
    file, public = key
    sealed = crm("seal", "--to", public, given=CANARY).stdout
    assert crm("open", "--key", file, given=damage(sealed)).returncode == 1


def test_what_is_no_public_key_is_refused():
    refused = crm("seal", "--to", "AGE-SECRET-KEY-1", given=CANARY)
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert b"AGE-SECRET" not in refused.stderr


def test_a_program_s_backup_is_a_file_that_its_key_opens_and_is_noted(key, tmp_path, monkeypatch):
    file, public = key
    monkeypatch.setenv("CRM_UPKEEP", str(tmp_path / "upkeep"))
    taken = crm("take", "--to", public, "--into", tmp_path / "kept", "--", "printf", "canary", given=b"")
    assert taken.returncode == 0, taken.stderr
    (made,) = (tmp_path / "kept").iterdir()
    assert taken.stdout.decode().strip() == str(made)
    assert crm("open", "--key", file, given=made.read_bytes()).stdout == b"canary"
    assert (tmp_path / "upkeep" / "backup.json").exists()


@pytest.mark.parametrize("program", [("sh", "-c", "printf half; exit 3"), ("no-such-program",)])
def test_half_a_backup_is_none(key, tmp_path, monkeypatch, program):
    monkeypatch.setenv("CRM_UPKEEP", str(tmp_path / "upkeep"))
    failed = crm("take", "--to", key[1], "--into", tmp_path / "kept", "--", *program, given=b"")
    assert failed.returncode == 1
    assert b"no backup" in failed.stderr
    assert list((tmp_path / "kept").iterdir()) == []
    assert not (tmp_path / "upkeep").exists()


def test_it_is_noted_with_the_copy_that_runs_here(key, tmp_path, monkeypatch):
    """Where nobody names a place: `crm doctor` and the board of `make run` look there."""
    monkeypatch.delenv("CRM_UPKEEP", raising=False)
    for runs in (False, True):
        state = tmp_path / f"state-{runs}"
        state.mkdir()
        if runs:
            (state / "run.json").write_text("{}")
        words = ("--to", key[1], "--state-dir", state)
        assert crm("seal", *words, given=b"x").returncode == 0
        assert (state / "upkeep" / "backup.json").exists() == runs
        assert crm("take", *words, "--into", tmp_path / "kept", "--", "false", given=b"").returncode == 1
