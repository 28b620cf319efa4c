"""A certificate of conformance says what was kept, by which contracts, and is read with the public key alone."""

import stat
from datetime import date

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.conformance import certificate
from infra.conformance.live import RULES
from shared.contracts import evolution, registry
from shared.record import note


def test_a_certificate_is_read_with_the_public_key_and_no_word_of_it_can_be_changed(tmp_path):
    key = certificate.key_in(tmp_path / "conform.key")
    assert certificate.key_in(tmp_path / "conform.key") == key, "it is made once"
    assert stat.S_IMODE((tmp_path / "conform.key").stat().st_mode) == 0o600
    told = certificate.certificate("GTM:sicam", "0.1.0", date(2026, 11, 27), RULES, key)
    (public,) = note.verifiers_in(tmp_path / "conform.key.pub")
    text, by = note.opened(told, [public])
    assert by == [public]
    assert text.splitlines()[:3] == ["crm.region/conformance", "system GTM:sicam", "version 0.1.0"]
    assert text.splitlines()[5] == f"kept {' '.join(RULES)}"
    for word in ("GTM:sicam", "0.1.0", "2026-11-27", "reports"):
        with pytest.raises(note.NoteError):
            note.opened(told.replace(word, "another"), [public])


def test_the_digest_is_another_when_a_type_is_another_and_not_when_only_its_prose_is(monkeypatch):
    before = evolution.digest()
    assert len(bytes.fromhex(before)) == 32
    whole = evolution._released
    agreed = registry()["crm.intel.document.flagged.v1"]
    monkeypatch.setattr(evolution, "_released", lambda one: whole(one) | ({"reported": None} if one is agreed else {}))
    assert evolution.digest() != before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["events.ndjson", "--certify", "GTM:sicam"], "only a program is certified: --live"),
        (["--live", "true", "--certify", "Juana Inventada"], "a system is called by letters"),
        (["--live", "true", "--certify", "a", "--key", "/"], "the key cannot be read or made"),
    ],
)
def test_what_cannot_be_certified_is_said_before_anything_is_inspected(arguments, said):
    done = CliRunner().invoke(app, ["conform", *arguments])
    assert done.exit_code == 2
    assert said in done.output
    assert "Juana" not in done.output
