"""`python -m infra.release 0.2.0`: number the wheels, and say in CHANGELOG.md what integrators get with it.

The version is the project's (Semantic Versioning 2.0.0). What is new in the contracts and addresses is found by
comparison with the last tag `v*`; people write the rest under Unreleased. Whoever releases commits and tags.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RELEASED = Path("tests/contracts/released")
ADDRESSES = Path("docs/openapi.json")
NUMBERED = (
    "pyproject.toml",
    "infra/wheels/client/pyproject.toml",
    "infra/wheels/testkit/pyproject.toml",
    "services/indicators/publish/pages.py",
)
CHANGELOG = Path("CHANGELOG.md")
UNRELEASED = "## Unreleased\n"
VERSION = re.compile(r"\d+\.\d+\.\d+")
OWN = re.compile(rf'^(version = "|VERSION = "|.*"crm(?:-client)?==){VERSION.pattern}', re.MULTILINE)
"""Where a file of `NUMBERED` says its own version, or that of another wheel from here."""


def news(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Say what is new in the released types, both by type; for example `crm.x.y.v1: field note`."""
    for name in sorted(after):
        if name not in before:
            yield f"`{name}` is new"
            continue
        for word, where in _added(before[name]["data"], after[name]["data"], ""):
            yield f"`{name}`: {word} `{where}`"


def _added(before: Any, after: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(before, list) and isinstance(after, list):
        for one, other in zip(before, after, strict=False):
            yield from _added(one, other, where)
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return
    fields: dict[str, Any] = before.get("properties", {})
    for name, one in sorted(after.get("properties", {}).items()):
        if name in fields:
            yield from _added(fields[name], one, f"{where}{name}.")
        else:
            yield "field", f"{where}{name}"
    if "enum" in before:
        yield from (("value", f"{where.rstrip('.')} = {one}") for one in after["enum"] if one not in before["enum"])
    for key in ("items", "anyOf"):
        yield from _added(before.get(key), after.get(key), where)


def numbered(text: str, version: str) -> str:
    """Return a file's text with the version in place of the last one."""
    return OWN.sub(rf"\g<1>{version}", text)


def told(changelog: str, version: str, day: str, found: Iterable[str]) -> str:
    """Return the change log with what stood under Unreleased, and what was found, under the version."""
    if UNRELEASED not in changelog or f"## {version} " in changelog:
        raise ValueError(f"{CHANGELOG} has no 'Unreleased', or tells of it already")
    before, _, rest = changelog.partition(UNRELEASED)
    own, mark, older = rest.partition("\n## ")
    lines = "".join(f"- {line}\n" for line in found)
    contracts = f"\n### Contracts and addresses\n\n{lines}" if lines else ""
    return f"{before}{UNRELEASED}\n## {version} - {day}\n{own.rstrip()}\n{contracts}{mark}{older}"


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own words


def _at(tag: str, path: Path) -> dict[str, Any]:
    """Return the JSON files of a folder, or the one of a file, as of a tag, by name."""
    names = _git("ls-tree", "-r", "--name-only", tag, str(path)).split()
    return {Path(name).stem: json.loads(_git("show", f"{tag}:{name}")) for name in names}


def _found(tag: str) -> list[str]:
    now = {path.stem: json.loads(path.read_text()) for path in RELEASED.glob("crm.*.json")}
    lines = list(news({name: one for name, one in _at(tag, RELEASED).items() if name in now}, now))
    paths = _at(tag, ADDRESSES).get(ADDRESSES.stem, {}).get("paths", ())
    return lines + [f"`{path}` answers" for path in json.loads(ADDRESSES.read_text())["paths"] if path not in paths]


def main(version: str) -> int:
    """Release; return the exit code: 2 where the version or the tree is not one to release."""
    if not VERSION.fullmatch(version) or _git("status", "--porcelain"):
        sys.stderr.write("give a version as 1.2.3, in a tree with nothing uncommitted\n")
        return 2
    tags = _git("tag", "--list", "v*", "--sort=-v:refname").split()
    try:
        CHANGELOG.write_text(
            told(CHANGELOG.read_text(), version, f"{datetime.now(UTC):%Y-%m-%d}", _found(tags[0]) if tags else ())
        )
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for name in NUMBERED:
        Path(name).write_text(numbered(Path(name).read_text(), version))
    sys.stdout.write(f"{version}: read CHANGELOG.md, then `make lock check`, commit, and tag it v{version}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
