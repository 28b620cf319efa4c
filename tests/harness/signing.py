"""A region in which countries sign: keys of eleven countries, and who must."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import signing
from shared.record import signers

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
