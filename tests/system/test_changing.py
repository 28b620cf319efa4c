"""docs/changing.md, done to a copy of the project: its three examples are all that their changes take."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
SNIPPET = re.compile(r"`([\w./-]+\.(?:py|toml|pot?))`:\n\n```\w+\n(.*?)```", re.DOTALL)
"""A file that the page names, and what stands there from then on."""
IMPORTS = re.compile(r"^(?:(?:from|import) .*\n|\n)*(?=\n)")
DOCSTRING = re.compile(r'""".*?"""\n', re.DOTALL)


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """The copy, and which files the page touched."""
    copy = tmp_path_factory.mktemp("changed")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    snippets = SNIPPET.findall((ROOT / "docs/changing.md").read_text())
    for name, text in snippets:
        _add(copy / name, text)
    return copy, [name for name, _ in snippets]


def _add(file: Path, text: str) -> None:
    """Make the file, or put the text at its end; what a module imports stands at its beginning."""
    if not file.exists():
        file.write_text(text)
        return
    before = file.read_text()
    if file.suffix == ".py" and (imports := IMPORTS.match(text)):
        start = DOCSTRING.match(before)
        assert start
        before = before[: start.end()] + "\n" + imports[0] + before[start.end() :]
        text = text[imports.end() :].lstrip("\n")
    file.write_text(before + ("\n\n" if file.suffix == ".py" else "\n") + text)


def run(copy: Path, *words: str) -> str:
    done = subprocess.run([sys.executable, "-m", *words], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stdout[-3000:]} {done.stderr[-3000:]}"
    return done.stdout


def test_each_change_takes_one_file_and_its_words_or_its_test(changed):
    _, touched = changed
    assert touched == [
        "shared/contracts/intel/operations.py",
        *(f"services/indicators/locale/{name}" for name in ("messages.pot", "es.po", "fr.po")),  # its name for people
        "services/indicators/plan/pc.toml",
        "services/indicators/plan/examples/PC-1.1.2.checkpoints.toml",
        "services/intel/judgements/operations.py",
        "tests/services/intel/test_checkpoints.py",
    ]


def test_the_type_the_indicator_and_the_judgement_work(changed):
    copy, touched = changed
    code = [name for name in touched if name.endswith(".py")]
    run(copy, "ruff", "check", "-q", "--fix", "--select", "I", *code)  # imports belong among the others
    run(copy, "ruff", "check", "-q", *code)
    run(copy, "ruff", "format", "-q", "--check", *code)
    assert "crm.intel.checkpoint.opened.v1" in run(copy, "shared.contracts", "release")
    run(copy, "shared.contracts", "check")
    run(copy, "services.indicators.publish.messages", "check")
    played = run(copy, "infra.cli", "plan", "check")
    assert "PC-1.1.2.checkpoints" in played
    assert "faults: 0" in played
    tests = ("tests/services/intel/test_checkpoints.py", "tests/contracts/test_identity.py")
    run(copy, "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *tests)
