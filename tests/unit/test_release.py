"""A release: what integrators are told is new is what was added between two states, and each wheel has its number."""

import copy
import json
import re
import shutil
import subprocess
import sys

import pytest

from infra import release
from tests.harness.system import ROOT

FLAGGED = "crm.intel.document.flagged.v1"


@pytest.fixture
def before():
    return {FLAGGED: json.loads((ROOT / release.RELEASED / f"{FLAGGED}.json").read_text())}


def test_a_type_a_field_and_a_value_that_came_are_named_and_nothing_else(before):
    after = copy.deepcopy(before)
    assert list(release.news(before, after)) == []
    after["crm.intel.new.told.v1"] = after[FLAGGED]
    after[FLAGGED] = copy.deepcopy(before[FLAGGED])
    fields = after[FLAGGED]["data"]["properties"]
    listed = next(name for name, one in sorted(fields.items()) if "enum" in one)
    fields[listed]["enum"].append("invented")
    fields["zone"] = {"type": "string"}
    assert list(release.news(before, after)) == [
        f"`{FLAGGED}`: value `{listed} = invented`",
        f"`{FLAGGED}`: field `zone`",
        "`crm.intel.new.told.v1` is new",
    ]


def test_each_wheel_and_what_it_needs_from_here_has_the_version():
    found = "".join(release.numbered((ROOT / name).read_text(), "7.8.9") for name in release.NUMBERED)
    assert len(re.findall(r'^version = "7\.8\.9"', found, re.MULTILINE)) == 3
    assert found.count("==7.8.9") == 2
    assert 'VERSION = "7.8.9"' in found


def test_what_people_wrote_goes_under_the_version_with_what_was_found():
    log = "# Change log\n\n## Unreleased\n\n- by hand\n\n## 0.1.0 - 2026-01-01\n\n- old\n"
    assert release.told(log, "0.2.0", "2026-02-01", ["found"]) == (
        "# Change log\n\n## Unreleased\n\n## 0.2.0 - 2026-02-01\n\n- by hand\n"
        "\n### Contracts and addresses\n\n- found\n\n## 0.1.0 - 2026-01-01\n\n- old\n"
    )
    with pytest.raises(ValueError, match="tells of it already"):
        release.told(log, "0.1.0", "2026-02-01", [])


def test_a_release_is_told_of_what_came_since_the_last_tag(tmp_path):
    copied = tmp_path / "copy"
    for name in (*release.NUMBERED, str(release.CHANGELOG), str(release.ADDRESSES), "infra/__init__.py"):
        (copied / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copied / name)
    (copied / release.RELEASED).mkdir(parents=True)
    shutil.copy(ROOT / "infra/release.py", copied / "infra/release.py")
    file = copied / release.RELEASED / f"{FLAGGED}.json"
    shutil.copy(ROOT / release.RELEASED / file.name, file)

    def git(*arguments):
        who = ("-c", "user.name=a", "-c", "user.email=a@b.invalid")
        subprocess.run(["git", *who, *arguments], cwd=copied, check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    git("tag", "v0.1.0")
    told = json.loads(file.read_text())
    told["data"]["properties"]["note"] = {"type": "string"}
    file.write_text(json.dumps(told))
    command = [sys.executable, "-m", "infra.release", "0.2.0"]
    refused = subprocess.run(command, cwd=copied, capture_output=True, text=True, check=False)
    assert (refused.returncode, "nothing uncommitted" in refused.stderr) == (2, True)
    git("commit", "-qam", "second")
    subprocess.run(command, cwd=copied, check=True, capture_output=True)
    written = (copied / release.CHANGELOG).read_text()
    assert f"- `{FLAGGED}`: field `note`\n" in written
    assert " answers" not in written
    assert 'version = "0.2.0"' in (copied / "pyproject.toml").read_text()
