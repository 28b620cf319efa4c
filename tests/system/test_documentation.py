"""Every example in the README and the documents is run, on a system as `make run CLOCK=now TRAFFIC=none` starts it.

What cannot be run here stands in `ELSEWHERE`, with the reason. A new example is run, or fails until it is listed.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from typing import NamedTuple

import msgspec
import pytest
import typer

from infra.cli import app as crm
from infra.local.clean import remove
from shared import contracts
from shared.contracts.schema import validator
from tests.harness.system import PATIENCE_S, ROOT, until

pytestmark = pytest.mark.long

RUN = ("README.md", "docs/integrating.md", "docs/operations.md", "docs/api.md")
"""The documents whose examples are run one after another on one system."""
HELD = {
    "docs/contracts.md": "made of the contracts' own examples, which tests/contracts holds",
    "docs/conectar.es.md": "its report is that of docs/integrating.md, as tests/unit/test_docs.py holds",
    "docs/testkit.md": "run where only the wheels are by tests/wheels/test_pages.py",
    "docs/testkit.es.md": "the same",
    "docs/tutorial.md": "run line by line by test_tutorial.py",
    "docs/tutorial.es.md": "the same",
    "docs/keys.md": "done by tests/unit/test_keys.py and tests/deploy/test_tls.py",
    "docs/changing.md": "done to a copy of the project by test_changing.py",
}
ELSEWHERE = {
    "git clone": "a clone of this repository is where the test runs",
    "make ": "a target; that there is one of that name is checked",
    "export CRM_CLOCK_START": "for the line below it",
    "install -m 644 infra/systemd": "systemd: tests/deploy/test_units.py has it verify the units",
    "systemctl ": "the same",
    "python -m infra.compose.keys keys": "Kubernetes: tests/deploy/test_kubernetes.py holds the manifests",
    "for one in intel victims": "the same",
    "kubectl ": "the same",
    "done": "the same",
    "python -m infra.kubernetes": "the same",
    "docker ": "containers: the images are built and tried by the deployment's own tests",
    "nats ": "NATS's own command is no part of this; the line below it asks the same",
    "pg_dump ": "a server of one's own; tests/faults/test_verbs.py dumps and restores a copy",
    "pg_restore ": "the same",
    "crm backup": "tests/unit/test_backup.py seals and opens",
    "crm seat assign": "tests/services/test_seats.py assigns; here it would seat Panama for the other examples",
}
DRILLED = ("/archive/", "--checkpoints kept")
"""Blocks with these words are a server's of one's own: tests/deploy/test_drill.py loses one, and does what they say."""
SHOWN = {"", "mermaid", "js", "java", "go", "csharp"}
"""Of these kinds nothing is run here: what a command prints, a picture, and other languages, whose lines
tests/standard/test_signing_elsewhere.py runs (of C# the page says that nobody has)."""
PYTHON_ELSEWHERE = {
    'pathlib.Path("GTM.pem")': "tests/standard/test_signing_elsewhere.py runs it with a key and a report",
    "await witness.": "it needs keys of witnesses; tests/security/test_rewriting.py watches, and gets receipts",
}
"""Python that is run elsewhere, by what stands in it."""
EXAMPLE_S = 90
"""The longest that one example may take on a machine with much to do."""
HANGS = "async for"
"""What goes on for ever is ended after its first line."""


class Block(NamedTuple):
    document: str
    line: int
    kind: str
    text: str


def blocks(document):
    lines = (ROOT / document).read_text().splitlines()
    fences = [at for at, line in enumerate(lines) if line.lstrip().startswith("```")]
    for begin, end in zip(fences[::2], fences[1::2], strict=True):
        text = textwrap.dedent("\n".join(lines[begin + 1 : end]))
        yield Block(document, begin + 1, lines[begin].strip().removeprefix("```"), text)


class Copy:
    """A running copy of the system in a folder, as whoever reads the documents has it."""

    def __init__(self, folder):
        self.folder = folder
        self.run = json.loads((folder / ".crm" / "run.json").read_text())
        (folder / ".venv").symlink_to(ROOT / ".venv")
        for given in ("GTM.nk", "GTM.age", "recipients.json", "numbers.json"):
            (folder / given).symlink_to(folder / ".crm" / "creds" / given)
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
        self.env |= {"PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def here(self, text):
        return text.replace("http://127.0.0.1:8080", self.run["http"]).replace(
            "nats://127.0.0.1:4222", self.run["nats"]
        )

    def shell(self, command):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.here(command)],
            cwd=self.folder, env=self.env, check=False, capture_output=True, text=True, timeout=EXAMPLE_S,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def status(self, address):
        return int(self.shell(f"curl -s -o answer -w '%{{http_code}}' '{address}'"))

    def python(self, text):
        if not text.startswith("import"):  # the part of a program that stands in a coroutine
            text = f"import asyncio\nasync def main():\n{textwrap.indent(text, '    ')}\nasyncio.run(main())"
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", self.here(text)],
            cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            if HANGS in text:
                return process.stdout.readline()
            said, _ = process.communicate(timeout=EXAMPLE_S)
            assert process.returncode == 0, f"{text}\n{said}"
            return said
        finally:
            process.kill()
            process.communicate()


@pytest.fixture
async def copy(tmp_path):
    env = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    env |= {"CRM_STATE_DIR": str(tmp_path / ".crm"), "CLOCK": "now", "TRAFFIC": "none"}
    with (tmp_path / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.cli", "up"], cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        await until((tmp_path / ".crm" / "run.json").exists, "the copy to run", PATIENCE_S)
        yield Copy(tmp_path)
    finally:
        process.send_signal(signal.SIGINT)
        await asyncio.to_thread(process.wait, PATIENCE_S)
        remove(tmp_path / ".crm" / "postgres")


def commands(text):
    """The commands of a shell block, without comments, each on one line."""
    whole = re.sub(r"\\\n\s*", "", text)
    return [line for line in (re.sub(r"\s+#.*", "", one).strip() for one in whole.splitlines()) if line]


def elsewhere(command):
    return next((reason for begin, reason in ELSEWHERE.items() if command.startswith(begin)), None)


def like(said, found, at=""):
    """Hold a document's JSON against what came: the same names, and values of the same kind."""
    if isinstance(said, dict):
        assert isinstance(found, dict), at
        assert {*said} == {*found} or at.endswith(".labels"), (at, {*said} ^ {*found})
        for name in {*said} & {*found}:
            like(said[name], found[name], f"{at}.{name}")
    elif isinstance(said, list):
        assert isinstance(found, list), at
        for one, other in zip(said, found, strict=False):
            like(one, other, f"{at}[]")
    elif said is not None and found is not None:
        number = isinstance(said, int | float) and not isinstance(said, bool)
        assert isinstance(found, (int, float) if number else type(said)), (at, said, found)


def exactly(said, found):
    """Hold a refusal against what came: word for word."""
    assert said == found


def a_report(told):
    assert list(validator(contracts.registry()[told["type"]]).iter_errors(told)) == []


def is_data(told, name):
    """Hold data against its contract."""
    (agreed,) = (one for one in contracts.registry().values() if one.name == name)
    msgspec.convert(told, contracts.report_type(agreed) if agreed.reported else agreed.data)


def held(copy, block, told, answer):
    """Hold one block of JSON: what it is says by what."""
    if "specversion" in told:
        a_report(told)
        (copy.folder / "flagged.json").write_text(block.text)
    elif "effective_from" in told:
        is_data(told, "indicators.seat.assigned")
    elif "report_id" in told:
        is_data(told, "intel.report.rejected")
    elif "answer" in told:
        assert {*json.loads(answer)} <= {*told["answer"]}
        like({name: told["answer"][name] for name in json.loads(answer)}, json.loads(answer))
    elif "reason" in told:
        exactly(told, json.loads(answer))
    else:
        like(told, json.loads(answer))


def test_every_target_and_verb_in_the_documents_is_there():
    targets = {*re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)}
    verbs = {*typer.main.get_command(crm).commands}
    for document in RUN:
        text = (ROOT / document).read_text()
        assert {*re.findall(r"`make ([a-z-]+)", text)} <= targets
        assert {*re.findall(r"`(?:\.venv/bin/)?crm ([a-z]+)", text)} <= verbs
        for block in blocks(document):
            assert {*re.findall(r"^make ([a-z-]+)", block.text, re.MULTILINE)} <= targets


def test_every_document_with_an_example_has_its_examples_held():
    named = {f"{file.relative_to(ROOT)}" for file in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]}
    assert {one for one in named if any(block.kind not in SHOWN for block in blocks(one))} <= {*RUN, *HELD}
    said = [one for document in RUN for block in blocks(document) for one in commands(block.text)]
    assert [begin for begin in ELSEWHERE if not any(one.startswith(begin) for one in said)] == []


def done(copy, block, answer):
    """Run or hold one example; return what it answers, `answer` being what the one before it did."""
    if any(one in block.text for one in DRILLED):
        pass
    elif block.kind == "sh":
        for command in commands(block.text):
            answer = answer if elsewhere(command) else copy.shell(command)
    elif block.kind == "python" and not any(one in block.text for one in PYTHON_ELSEWHERE):
        answer = copy.python(block.text)
        assert answer or "print" not in block.text
    elif block.kind == "json":
        held(copy, block, json.loads(block.text), answer)
    elif block.kind == "csv":
        assert answer.splitlines()[0] == block.text.splitlines()[0]
        assert {line.count(",") for line in block.text.splitlines()} == {answer.splitlines()[0].count(",")}
    else:
        assert block.kind in {*SHOWN, "python"}, f"nobody runs {block.kind!r}"
    return answer


async def test_every_example_does_what_it_says(copy):
    for document in RUN:
        answer = ""
        for block in blocks(document):
            try:
                answer = await asyncio.to_thread(done, copy, block, answer)
            except Exception as error:
                error.add_note(f"{block.document}, line {block.line}")
                raise
        for address in re.findall(r"<(http://127\.0\.0\.1:8080[^>]*)>", (ROOT / document).read_text()):
            status = await asyncio.to_thread(copy.status, address)
            # A quarter's report is there once the quarter is over, and countries have reported in it.
            assert status == (404 if "/reports/" in address else 200), address
