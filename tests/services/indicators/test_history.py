"""A year of the Plan, worked out by hand (`history.toml`), played through every service, the fold and the announcer."""

import tomllib
from pathlib import Path

import asyncpg
import msgspec
import pytest

from infra.examples.playing import ALL, History
from services.indicators.figures.examples import Example, Said, moment
from services.indicators.planned.plan import load
from shared import contracts
from shared.contracts.notice import Alert

PLAN = load()
WRITTEN = tomllib.loads(Path(__file__).with_name("history.toml").read_text(encoding="utf-8"))
REPORTS = msgspec.convert(WRITTEN["reports"], list[Said])
TEXT = {"es": "x", "en": "x", "fr": "x"}
# Of IE-3.1 the announcer plays as well: so milestones, reports and targets are told.
EXAMPLE = msgspec.convert({"of": ["IE-3.1"], "text": TEXT} | {k: WRITTEN[k] for k in ("reports", "expect")}, Example)


@pytest.fixture
async def connections(postgres_server):
    async with postgres_server.lent() as database:
        opened = {}
        for one in ALL:
            address = postgres_server.server.url(one.name, postgres_server.passwords[one.name], database)
            settings = {"search_path": one.name, "timezone": "UTC"}
            opened[one.name] = await asyncpg.connect(address, server_settings=settings)
        yield opened
        for connection in opened.values():
            await connection.close()


def test_the_history_is_a_long_one():
    sent = sum(len(one.senders) * one.times for one in REPORTS)
    types = {one.event for one in REPORTS if one.event}
    countries = {sender for one in REPORTS for sender in one.senders}
    assert sent >= 130
    assert len(types) >= 60
    assert len(countries) == 11


async def test_figures_milestones_and_mailboxes_are_those_worked_out_by_hand(connections):
    since = min(moment(one.recorded or one.on) for one in REPORTS)
    async with History.begun(PLAN, connections, since) as history:
        differences = await history.play(EXAMPLE)
        told = {}
        for log in history.logs.values():
            for row in await log.pool.fetch("select payload from log order by position"):
                event = contracts.decode(bytes(row["payload"]))
                if isinstance(event.data, Alert):
                    entity = (event.data.entity or "").rpartition(":")[2]
                    told.setdefault((event.data.kind, entity), set()).add(event.country)
    for notice in WRITTEN["notices"]:
        found = sorted(told.get((notice["kind"], notice["about"]), ()))
        if found != sorted(notice["to"]):
            differences.append(f"{notice['kind']} of {notice['about']} is told to {found}, expected {notice['to']}")
    assert not differences, "\n".join(differences)
