"""What the version before judgements recorded is told the same: a piece of each golden log; all: `make golden`."""

import importlib
import os
from pathlib import Path

import pytest

from shared.contracts import SERVICES
from tests.harness.desk import desk
from tests.harness.golden import before, differences, judged_anew

GOLDEN = Path(__file__).parents[1] / "golden"
BATCHES = None if os.environ.get("EVERY") else 120


@pytest.mark.parametrize("name", SERVICES)
async def test_what_was_recorded_before_is_told_the_same(postgres_server, name):
    service = importlib.import_module(f"services.{name}.__main__").SERVICE
    file = GOLDEN / f"{name}.jsonl.xz"
    async with desk(postgres_server, service) as one:
        assert [*differences(before(file, BATCHES), await judged_anew(one, file, BATCHES))] == []
