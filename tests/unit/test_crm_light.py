"""Whoever looks for a verb waits for no library: `crm --help`, `--version`, completion load what they need only."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HEAVY = {
    *("asyncio", "asyncpg", "babel", "dotenv", "jinja2", "msgspec", "nacl", "nats", "pyrage", "rich", "services"),
    *("shared", "ssl", "tomlkit", "weasyprint"),
}
VALUES = {"pydantic", "pydantic_settings"}
TYPERS = {"pydantic", "rich"}
"""Typer itself needs the first wherever it reads a value, the second where a shell shows what a verb does."""


def loaded(*asked, **environment):
    """Return the packages that a call loads, and what it says."""
    python = [sys.executable, "-X", "importtime", "-m", "infra.cli", *asked]
    ended = subprocess.run(
        python, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-500:]
    names = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines() if line.startswith("import time:")}
    return {name.partition(".")[0] for name in names}, ended.stdout


@pytest.mark.parametrize(("asked", "said"), [("--help", "mailbox"), ("--version", "crm ")])
def test_help_and_version_load_no_library_but_typer(asked, said):
    packages, told = loaded(asked)
    assert said in told
    assert packages & (HEAVY | VALUES) == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_loads_what_reads_values_and_no_more(shell):
    words = {"COMP_WORDS": "crm mail", "COMP_CWORD": "1", "_TYPER_COMPLETE_ARGS": "crm mail"}
    packages, told = loaded(_CRM_COMPLETE=f"complete_{shell}", _TYPER_COMPLETE_FISH_ACTION="get-args", **words)
    assert "mailbox" in told
    assert packages & ((HEAVY | VALUES) - TYPERS) == set()


@pytest.mark.parametrize("verb", ["pub", "mailbox", "upkeep", "witness", "conform"])
def test_a_verbs_help_loads_nothing_that_the_verb_needs_when_it_works(verb):
    packages, told = loaded(verb, "--help")
    assert "Usage:" in told
    assert packages & ((HEAVY | VALUES) - TYPERS) == set()


def test_what_a_verb_loads_is_seen():
    """The control."""
    assert "msgspec" in loaded("contracts", "list")[0]
