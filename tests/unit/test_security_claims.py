"""docs/security.md names the test of what it claims: each that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`((?:tests/\S+?/)?test_\w+\.py)`")


def named() -> set[str]:
    return {*NAMED.findall((ROOT / "docs/security.md").read_text())}


def test_every_test_that_is_named_is_there():
    there = {file.relative_to(ROOT).as_posix() for file in (ROOT / "tests").rglob("test_*.py")}
    by_name = {name.rpartition("/")[2] for name in there}
    missing = {one for one in named() if one not in (there if "/" in one else by_name)}
    assert missing == set()


def test_every_attack_is_named():
    """What is in tests/security and not in the document would be a claim that nobody reads."""
    text = (ROOT / "docs/security.md").read_text()
    unnamed = {file.name for file in (ROOT / "tests/security").glob("test_*.py") if file.name not in text}
    assert unnamed == set()
