"""What `make audit` says of packages and images; what it could not ask is never told as good."""

import json
from pathlib import Path

import pytest

from infra.audit import unpinned, weak
from infra.doctor import here

ROOT = Path(__file__).parents[2]
UNREACHED = ["packages: no list of known weaknesses can be reached; nothing is known of any"]
GOOD = {"name": "nats-py", "version": "2.16.0", "vulns": []}
BAD = {
    "name": "starlette",
    "version": "0.1",
    "vulns": [{"id": "PYSEC-2030-1", "fix_versions": ["0.2"]}, {"id": "GHSA-x", "fix_versions": []}],
}
UNKNOWN = {"name": "msgspec", "skip_reason": "Dependency not found on PyPI and could not be audited: msgspec (0.22.0)"}
PIN = "@sha256:" + "0" * 64


@pytest.mark.parametrize("told", ["", "Traceback", "{}", '{"dependencies": []}', "[]"])
def test_who_could_not_ask_says_so(told):
    assert list(weak(told)) == UNREACHED


def test_a_mirror_without_advisories_knows_nothing():
    assert list(weak(json.dumps({"dependencies": [UNKNOWN, UNKNOWN]}))) == UNREACHED


def test_weaknesses_are_told_with_their_cure_and_what_is_not_known():
    assert list(weak(json.dumps({"dependencies": [GOOD, BAD, UNKNOWN]}))) == [
        "package starlette 0.1: PYSEC-2030-1, mended in 0.2",
        "package starlette 0.1: GHSA-x, mended in no version",
        "package msgspec: the list does not know it",
    ]
    assert list(weak(json.dumps({"dependencies": [GOOD]}))) == []


def test_images_without_a_digest_are_told_and_our_own_are_not():
    dockerfile = "ARG PYTHON=3.11\nFROM python:${PYTHON} AS runtime\nFROM runtime AS service\nFROM nats:2.15 AS nats\n"
    compose = f"  image: crm-intel:${{CRM_VERSION:-0.1.0}}\n  image: postgres:18\n  image: grafana/grafana:11{PIN}\n"
    assert unpinned(dockerfile, compose) == ["nats:2.15", "postgres:18", "python:3.11"]
    assert unpinned(dockerfile.replace("3.11", f"3.11{PIN}").replace("2.15", f"2.15{PIN}"), "") == []
    assert unpinned("FROM --platform=linux/amd64 alpine:3\n", f"image: 'postgres:18{PIN[:-1]}'") == [
        "alpine:3",
        f"postgres:18{PIN[:-1]}",
    ]


def test_every_image_of_others_here_is_looked_at():
    found = unpinned((ROOT / "infra/Dockerfile").read_text(), (ROOT / "compose.yaml").read_text())
    names = {image.partition(":")[0] for image in found}
    pinned = {"python", "nats", "postgres", "prom/prometheus", "prom/alertmanager", "grafana/grafana"} - names
    text = (ROOT / "infra/Dockerfile").read_text() + (ROOT / "compose.yaml").read_text()
    assert all(f"{name}:" in text for name in names)
    assert all("@sha256:" in line for line in text.splitlines() for name in pinned if f"{name}:" in line)


def test_the_doctor_names_what_would_be_started_by_its_tag(tmp_path):
    (tmp_path / "infra").mkdir()
    file, compose = tmp_path / "infra/Dockerfile", tmp_path / "compose.yaml"
    assert list(here.images(tmp_path)) == [], "no checkout is at hand"
    file.write_text("FROM python:3.11 AS runtime\n")
    compose.write_text(f"image: postgres:18{PIN}\n")
    (told,) = here.images(tmp_path)
    assert (told.level, told.check) == ("note", "images")
    assert told.said.endswith("named by tag: python:3.11")
    assert "digest" in told.cure
    file.write_text(f"FROM python:3.11{PIN} AS runtime\n")
    assert [one.level for one in here.images(tmp_path)] == ["ok"]
