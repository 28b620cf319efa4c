"""Debian's `age` opens what is sealed for people: refused reports, backups, what is sensitive of persons.

`make test-standard` fails without it.
"""

import base64
import json
import subprocess
import sys

import pytest

from infra.keyfiles import identity_file, make, recipients_file
from shared.client.persons import Seals
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


def test_what_a_country_seals_is_opened_by_the_receiver_with_the_key_before_it(folder):
    head, box = Seals.of(folder, "GTM").closed({"needs": ["shelter"]}, ["MEX", "GTM"])
    body = base64.urlsafe_b64decode(box + "=" * (-len(box) % 4))
    assert json.loads(opened(identity_file(folder, "MEX"), head.encode() + body)) == {"needs": ["shelter"]}
    refused = subprocess.run(
        ["age", "--decrypt", "--identity", identity_file(folder, "MEX")], input=body, capture_output=True, check=False
    )
    assert refused.returncode, "without the header it is nothing"
