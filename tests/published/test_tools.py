"""Tools of others take what is published: @asyncapi/parser, ajv in strict mode, jsonschema-rs with linear regexes."""

import json
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from shared.contracts import SERVICES, registry
from shared.contracts.asyncapi import asyncapi
from shared.contracts.schema import event_schema, report_schema
from tests.wheels.building import installed, run

HERE = Path(__file__).parent
BYTES_MAX = 300_000
PARTS = [(service, part) for service in SERVICES for part in ("sent", "told")]


@pytest.mark.parametrize(("service", "part"), PARTS)
def test_a_document_is_small_enough_to_read(service, part):
    assert len(msgspec.json.encode(asyncapi(service, part))) < BYTES_MAX


def test_the_parts_hold_all_that_the_whole_holds():
    whole = asyncapi()
    for what in ("channels", "operations"):
        assert {name for one in PARTS for name in asyncapi(*one)[what]} == set(whole[what])
    for what in ("messages", "schemas"):
        parts = [asyncapi(*one)["components"][what] for one in PARTS]
        assert {name for part in parts for name in part} == set(whole["components"][what])
        for part in parts:
            for name, one in part.items():
                assert one == whole["components"][what][name], name


def test_the_parser_and_ajv_take_them(tmp_path):
    for folder in ("asyncapi", "schemas"):
        (tmp_path / folder).mkdir()
    for service, part in PARTS:
        (tmp_path / "asyncapi" / f"{service}-{part}.json").write_text(json.dumps(asyncapi(service, part)))
    for name, agreed in registry().items():
        (tmp_path / "schemas" / f"{name}-event.json").write_text(json.dumps(event_schema(agreed)))
        if agreed.reported:
            (tmp_path / "schemas" / f"{name}-report.json").write_text(json.dumps(report_schema(agreed)))
    for file in ("package.json", "check.mjs", "regexes.py"):
        shutil.copy(HERE / file, tmp_path)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=tmp_path, check=True)
    done = subprocess.run(["node", "check.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    python = installed(tmp_path / "venv", "jsonschema-rs")
    print(done.stdout, run(python, "regexes.py", cwd=tmp_path))
