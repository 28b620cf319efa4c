"""Every line of the integrator's page is run, in Python, JavaScript, Go and Java, where only the wheels are."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.conformance.live import RULES

ROOT = Path(__file__).parents[2]
PAGES = ("testkit.md", "testkit.es.md")
BLOCK = re.compile(r"^```(\S+)(?: (\S+))?\n(.*?\n)```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    return BLOCK.findall((ROOT / "docs" / page).read_text())


@pytest.mark.parametrize("page", PAGES)
def test_every_line_of_the_page_is_run(page, wheels, tmp_path):
    dist = tmp_path / "dist"
    dist.mkdir()
    for wheel in wheels:
        shutil.copy(wheel, dist)
    script = ["set -eu", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for kind, name, text in blocks(page):
        if kind == "sh":
            script.append(text)
        else:
            assert name, f"nothing is done with {text[:40]}"
            (tmp_path / name).write_text(text)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "VIRTUAL"))}
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path, env=clean | {"PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "4 passed" in done.stdout
    assert "# fail 0" in done.stdout
    assert re.search(r"^ok\s+_/.*s$", done.stdout, re.MULTILINE), "in Go"
    assert "\ngreen\n" in done.stdout, "in Java"
    assert "1 of 1 kept" in done.stdout


def test_both_pages_run_the_same():
    english, spanish = map(blocks, PAGES)
    assert english == spanish


@pytest.mark.parametrize("page", PAGES)
def test_the_rules_are_those_that_are_tried(page):
    told = re.findall(r"^\| `(\w+)` \| (.+) \|$", (ROOT / "docs" / page).read_text(), re.MULTILINE)
    told = [(name, text) for name, text in told if name in RULES]
    assert [name for name, _ in told] == list(RULES)
    if page == PAGES[0]:
        assert [text for _, text in told] == [text for text, _ in RULES.values()]
