"""A region in which countries sign: keys of eleven countries, and who must; signatures by other languages."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from infra import signing
from shared.contracts import signing as signatures
from shared.record import signers

ROOT = Path(__file__).parents[2]

REQUIRED = "MEX"
"""All that this country reports is signed; the others' reports may be."""


@pytest.fixture
def signing_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of keys, which this process and what it starts know."""
    folder = tmp_path / "signing"
    folder.mkdir()
    signing.make(folder)
    file = signing.region_file(folder)
    begun = f'reports = "required"\nsince = {signing.BEGUN}'
    file.write_text(file.read_text().replace(f'[{REQUIRED}]\nreports = "optional"', f"[{REQUIRED}]\n{begun}"))
    monkeypatch.setenv(signers.VARIABLE, str(file))
    signers.policies.cache_clear()
    yield folder
    signers.policies.cache_clear()


ELSEWHERE = {
    "js": ("sign.mjs", ["node", "sign.mjs"]),
    "java": ("Sign.java", ["java", "Sign.java"]),
    "go": ("sign.go", ["go", "run", "sign.go"]),
    "python": ("sign.py", [sys.executable, "sign.py"]),
}


def _lines(language: str) -> str:
    text = (ROOT / "docs/integrating.md").read_text().partition("## Sign your reports")[2]
    return re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]


def signed_elsewhere(language: str, folder: Path, key: SigningKey, payload: bytes) -> str:
    """Run the lines of a language on a key and a report; return what they print."""
    (folder / "GTM.pem").write_text(signatures.written(key))
    (folder / "GTM.pem.pub").write_text(signatures.public(key) + "\n")
    (folder / "report.json").write_bytes(payload)
    name, command = ELSEWHERE[language]
    (folder / name).write_text(_lines(language))
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
