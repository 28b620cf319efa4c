"""The tutorial, line by line on a system as it says to start one; what each line prints is what the page says."""

import asyncio
import re
import subprocess
import time

import pytest

from tests.harness.system import PATIENCE_S
from tests.system import test_documentation as documents

pytestmark = pytest.mark.long

PAGES = ("docs/tutorial.md", "docs/tutorial.es.md")
START = "make run CLOCK=now TRAFFIC=none"
"""Done by the fixture."""
LOOKS = ("crm indicators", "crm mailbox", "crm trace", "crm doctor")
"""What only looks is tried until it shows what the page says: figures follow a report, they do not come with it."""
copy = documents.copy


def pairs(page):
    """What is to be typed, and what it prints; empty: nothing is said of that."""
    found = [*documents.blocks(page)]
    assert {block.kind for block in found} == {"sh", ""}
    for block, after in zip(found, [*found[1:], None], strict=True):
        if block.kind == "sh":
            yield block, after.text if after and not after.kind else ""


def like(said):
    """Return what finds a text as the page prints it: `…` is anything, and columns are as wide as they like."""
    lines = [r"\s+".join(re.escape(word) for word in line.split()) for line in said.strip().splitlines()]
    return re.compile(r"\s*\n".join(lines).replace("…", ".*") + r"\s*\Z")


def typed(copy, text):
    done = subprocess.run(
        ["bash", "-c", copy.here(text)],
        cwd=copy.folder, env=copy.env, check=False, text=True, timeout=documents.EXAMPLE_S,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout


def shown(copy, block, said):
    end = time.monotonic() + PATIENCE_S
    told = typed(copy, block.text)
    while block.text.splitlines()[-1].startswith(LOOKS) and not like(said).match(told) and time.monotonic() < end:
        time.sleep(0.5)
        told = typed(copy, block.text)
    assert like(said).match(told), f"{block.document}, line {block.line}:\n{told}"


async def test_every_line_does_what_the_page_says(copy):
    page = PAGES[0]
    (start, _), *steps = pairs(page)
    assert start.text == START
    assert len(steps) > 6
    for block, said in steps:
        assert said, f"{page}, line {block.line}: what does it print?"
        await asyncio.to_thread(shown, copy, block, said)
    for address in re.findall(r"<(http://127\.0\.0\.1:8080[^>]*)>", (documents.ROOT / page).read_text()):
        assert await asyncio.to_thread(copy.status, address) == 200, address


def test_both_pages_do_the_same():
    english, spanish = ([(block.kind, block.text) for block in documents.blocks(page)] for page in PAGES)
    assert english == spanish


@pytest.mark.parametrize(
    ("told", "is_"), [("recorded  a\n", True), ("refused a\n", False), ("recorded a\nmore", False)]
)
def test_what_is_printed_is_held(told, is_):
    assert bool(like("recorded …").match(told)) == is_
