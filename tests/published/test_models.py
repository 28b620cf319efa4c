"""Models that others' generators make of what is published: they compile, and give every sample back whole."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.contracts import SERVICES, registry
from shared.contracts.asyncapi import asyncapi
from shared.contracts.schema import event_schema, example, example_event, report_schema
from tests.harness import golden

HERE = Path(__file__).parent / "models"
LOGS = Path(__file__).parents[1] / "golden"
JACKSON = ":".join(f"/usr/share/java/jackson-{part}.jar" for part in ("annotations", "core", "databind"))
TOOLS = ("quicktype", "modelina")
Stated = Sequence[tuple[str, Any]]
Sample = tuple[str, dict[str, Any]]
"""("<type>-<event or report>", the event or report)"""


def schemas() -> Mapping[str, dict[str, Any]]:
    """All that are published, by "<type>-<event or report>"."""
    events = {f"{name}-event": event_schema(one) for name, one in registry().items()}
    return events | {f"{name}-report": report_schema(one) for name, one in registry().items() if one.reported}


@cache
def samples() -> tuple[Sample, ...]:
    """The examples of all types, and of each type every shape of event in the golden logs."""
    shapes = {}
    for file in sorted(LOGS.glob("*.xz")):
        for line in golden.lines(file):
            for event in map(json.loads, line["rows"]):
                shapes.setdefault((event["type"], tuple(sorted(event)), tuple(sorted(event["data"]))), event)
    recorded = [(f"{event['type']}-event", event) for event in shapes.values()]
    events = [(f"{name}-event", example_event(one)) for name, one in registry().items()]
    reports = [(f"{name}-report", example(one)) for name, one in registry().items() if one.reported]
    return (*recorded, *events, *reports)


def defaults(schema: Any) -> Iterator[tuple[str, Any]]:
    """What a schema says that leaving out a field means, by its name."""
    if isinstance(schema, dict):
        for name, one in schema.items():
            if isinstance(one, dict) and "default" in one:
                yield name, one["default"]
            yield from defaults(one)
    elif isinstance(schema, list):
        for one in schema:
            yield from defaults(one)


def differences(was: Any, now: Any, stated: Stated = (), at: str = "") -> Iterator[str]:
    """Where what was written differs from the sample, in whatever order; `stated`: the defaults."""
    if isinstance(was, dict) and isinstance(now, dict):
        for name in was.keys() | now.keys():
            if name in was and name not in now:
                yield from () if was[name] is None else (f"{at}/{name} is lost",)
            elif name not in was:
                yield from () if now[name] is None or (name, now[name]) in stated else (f"{at}/{name} is made up",)
            else:
                yield from differences(was[name], now[name], stated, f"{at}/{name}")
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for number, (one, other) in enumerate(zip(was, now, strict=True)):
            yield from differences(one, other, stated, f"{at}/{number}")
    elif was != now and (moment(was) is None or moment(was) != moment(now)):
        yield f"{at} is another"


def moment(value: Any) -> datetime | None:
    """The moment that a text names, however written; a day is none."""
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        pass
    else:
        return None
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def without_nothing(value: Any) -> Any:
    """What a model wrote, without what says of a field that there is nothing to say."""
    if isinstance(value, dict):
        return {name: without_nothing(one) for name, one in value.items() if one is not None}
    return [without_nothing(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(HERE, folder, dirs_exist_ok=True)
    for name in ("schemas", "asyncapi", "classes/META-INF/services"):
        (folder / name).mkdir(parents=True)
    for name, schema in schemas().items():
        (folder / "schemas" / f"{name}.json").write_text(json.dumps(schema))
    for service in SERVICES:
        for part in ("sent", "told"):
            (folder / "asyncapi" / f"{service}-{part}.json").write_text(json.dumps(asyncapi(service, part)))
    done(["npm", "install", "--silent", "--no-audit", "--no-fund"], folder)
    both([["node", "generate.mjs", tool] for tool in TOOLS], folder)
    (folder / "classes/META-INF/services/com.fasterxml.jackson.databind.Module").write_text("Round$Times\n")
    (folder / "files.txt").write_text("\n".join(str(one) for one in (folder / "java").rglob("*.java")))
    java = ["javac", "-nowarn", "-proc:none", "-cp", JACKSON, "-d", "classes", "Round.java", "@files.txt"]
    both([["npx", "tsc"], java], folder)
    (folder / "js" / "package.json").write_text('{"type": "commonjs"}')
    return folder


def both(commands: list[list[str]], folder: Path) -> None:
    with ThreadPoolExecutor() as side_by_side:
        list(side_by_side.map(lambda command: done(command, folder), commands))


def done(command: list[str], folder: Path, said: str = "") -> str:
    found = subprocess.run(command, cwd=folder, input=said, capture_output=True, text=True, check=False)
    assert found.returncode == 0, (found.stdout + found.stderr)[-3000:]
    return found.stdout


def written(folder: Path, tool: str, language: str, jobs: list[Sample]) -> list[dict[str, Any]]:
    """What the models of a tool write, sample by sample: `written`, or `error`."""
    models = json.loads((folder / f"{tool}.json").read_text())
    lines = [
        {"tool": tool, "module": models[name]["module"], "class": models[name].get("java"), "sample": sample}
        for name, sample in jobs
    ]
    how = {"typescript": ["node", "round.mjs"], "java": ["java", "-cp", f"classes:{JACKSON}", "Round"]}[language]
    said = done(how, folder, "".join(json.dumps(line) + "\n" for line in lines))
    found = [json.loads(line) for line in said.splitlines()]
    assert len(found) == len(jobs)
    return found


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("language", ["typescript", "java"])
def test_models_compile_and_give_every_sample_back(generated, tool, language):
    jobs = list(samples())
    if (tool, language) == ("quicktype", "java"):
        jobs = [one for one in jobs if one[0].endswith("-event")]
    published = schemas()
    valid = {name: Draft202012Validator(schema) for name, schema in published.items()}
    stated = {name: list(defaults(schema)) for name, schema in published.items()}
    faults = []
    for (name, sample), got in zip(jobs, written(generated, tool, language, jobs), strict=True):
        if "error" in got:
            faults.append(f"{name}: {got['error']}")
            continue
        faults += [f"{name}{one}" for one in differences(sample, got["written"], stated[name])]
        faults += [f"{name} {one.message[:100]}" for one in valid[name].iter_errors(without_nothing(got["written"]))]
    assert not faults, "\n".join([f"{len(faults)} of {len(jobs)}", *faults[:20]])
    print(f"{tool}, {language}: {len(jobs)} samples of {len({name for name, _ in jobs})} schemas")


@pytest.mark.parametrize("language", ["typescript", "java"])
def test_what_is_no_such_event_is_not_taken(generated, language):
    name, sample = next(one for one in samples() if one[0] == "crm.victims.referral.sent.v1-report")
    jobs = [(name.replace("report", "event"), sample | {"country": "ATL", "recordedtime": sample["time"]})]
    (got,) = written(generated, "quicktype", language, jobs)
    assert "error" in got


@pytest.mark.parametrize(
    ("was", "now", "found"),
    [
        ({"a": 1}, {"a": 1.0, "b": None}, []),
        ({"a": "2004-03-01T10:00:00Z"}, {"a": "2004-03-01T10:00:00.000+00:00"}, []),
        ({"a": "2004-03-01"}, {"a": "2004-03-01T00:00:00Z"}, ["/a is another"]),
        ({"a": [{"b": "x"}]}, {"a": [{}]}, ["/a/0/b is lost"]),
        ({"a": "2004-03-01T10:00:00.123456Z"}, {"a": "2004-03-01T10:00:00.123Z"}, ["/a is another"]),
        ({}, {"a": "x"}, ["/a is made up"]),
        ({}, {"b": 1}, []),
        ({"a": ["x", "y"]}, {"a": ["x"]}, ["/a is another"]),
    ],
)
def test_what_is_lost_is_seen(was, now, found):
    assert list(differences(was, now, list(defaults({"properties": {"b": {"default": 1}}})))) == found
