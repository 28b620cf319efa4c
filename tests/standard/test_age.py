"""Debian's `age` opens what is sealed for people: refused reports, backups. `make test-standard` fails without it."""

import subprocess
import sys

import pytest

from infra.keyfiles import identity_file, make, recipients_file
from shared.flow.sealing import Sealing
from shared.run.settings import Settings

WORDS = b"of a refused report " * 1_000


def opened(identity, sealed):
    done = subprocess.run(["age", "--decrypt", "--identity", identity], input=sealed, capture_output=True, check=True)
    return done.stdout


@pytest.fixture
def folder(tmp_path):
    make(tmp_path)
    return tmp_path


@pytest.mark.parametrize("reader", ["GTM", "operator"])
def test_a_refused_report_is_opened_by_its_sender_and_by_the_operator(folder, reader):
    sealing = Sealing.of(Settings(recipients=recipients_file(folder), sealing_key=folder / "intel.key"))
    assert opened(identity_file(folder, reader), sealing.for_sender("GTM", WORDS)) == WORDS


def test_a_backup_is_opened_by_the_operator(folder):
    identity = identity_file(folder, "operator")
    public = next(line.split()[-1] for line in identity.read_text().splitlines() if "public key" in line)
    command = [sys.executable, "-m", "infra.cli", "backup", "seal", "--to", public]
    sealed = subprocess.run(command, input=WORDS, capture_output=True, check=True).stdout
    assert opened(identity, sealed) == WORDS
