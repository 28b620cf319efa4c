"""Benchmarks run seldom: that each still finds what it imports is seen at once (mypy sees what they call)."""

import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "bench"


@pytest.mark.parametrize("name", sorted(file.stem for file in FOLDER.glob("*.py")))
def test_a_benchmark_can_be_imported(name):
    assert importlib.import_module(f"tests.bench.{name}").__doc__ or name == "__init__"
