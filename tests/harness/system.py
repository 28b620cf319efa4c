"""The services as real processes on a test's region."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.testkit.processes import PATIENCE_S, ROOT, System, free_port, resident_mb, until
from infra.testkit.servers import Region

__all__ = ["PATIENCE_S", "ROOT", "System", "free_port", "resident_mb", "until"]


@pytest.fixture
async def system(region: Region, tmp_path: Path) -> AsyncIterator[System]:
    running = System(region, tmp_path)
    yield running
    await running.end()
