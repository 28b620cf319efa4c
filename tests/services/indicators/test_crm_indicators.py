"""`crm indicators` writes what a real board answers as the pages write it."""

import json

import pytest
from typer.testing import CliRunner

from infra.cli import app
from tests.services.indicators.making import PLAN
from tests.services.indicators.serving import example_fold, served, viewed


@pytest.fixture
def crm(tmp_path):
    """Runs it beside a board; returns its output, with plain spaces."""
    with served(viewed(example_fold())) as address:
        (tmp_path / "run.json").write_text(json.dumps({"http": address}))

        def run(*arguments):
            done = CliRunner().invoke(app, ["indicators", *arguments, "--state-dir", str(tmp_path)])
            assert done.exit_code == 0, (arguments, done.exception)
            return done.stdout.replace("\N{NO-BREAK SPACE}", " ").replace("\u202f", " ")

        yield run


@pytest.mark.parametrize(
    ("row", "lang", "said"),
    [
        ("LE-2.1", "en", "at least 11 countries"),
        ("IE-1.2", "es", "al menos 100%"),
        ("VA-2.1", "fr", "moins de 1 fois le semestre précédent"),
        ("IE-3.1.age", "en", "at most 122 days"),
    ],
)
def test_a_target_is_told_with_its_direction(crm, row, lang, said):
    assert f"target {said}; met: " in crm(row, "--lang", lang)
    (line,) = [one for one in crm("--lang", lang, "-o", "wide").splitlines() if one.split()[0] == row]
    assert said in line


def test_every_row_is_told(crm):
    for row in PLAN.rows:
        assert crm(row).startswith(f"{row}  ")
