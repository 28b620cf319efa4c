"""A signing key is a file as OpenSSL makes it; what is no key is told without its content."""

import subprocess

import pytest
from typer.testing import CliRunner

from infra.cli import app
from shared.contracts import signing


def test_a_key_is_as_openssl_makes_it(tmp_path):
    """And is made by `crm signing new` in the same form."""
    made = tmp_path / "made.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", made], check=True)
    assert signing.written(signing.secret(made)) == made.read_text()
    own = tmp_path / "own.pem"
    shown = CliRunner().invoke(app, ["signing", "new", str(own)])
    assert shown.exit_code == 0, shown.output
    assert (
        shown.output.strip() == own.with_name("own.pem.pub").read_text().strip() == signing.public(signing.secret(own))
    )
    assert own.stat().st_mode & 0o077 == 0
    assert CliRunner().invoke(app, ["signing", "new", str(own)]).exit_code == 2


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_told_without_it(tmp_path, text):
    file = tmp_path / "GTM.pem"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"GTM\.pem holds no Ed25519 key"):
        signing.secret(file)
