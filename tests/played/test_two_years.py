"""The Plan's two years played through the whole system: which rows stay empty, and which derived events never come."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from infra.region.script import script
from infra.region.stories import UNTOLD
from infra.testkit.servers import TOKEN
from services.indicators.planned.plan import load
from shared.contracts import SERVICES, registry
from shared.contracts.vocabulary import MEMBERS
from shared.flow.provisioned import intakes
from shared.run.clock import Clock
from tests.harness.scraping import scraped
from tests.harness.screens import every, pictures
from tests.harness.system import ROOT, free_port, until
from tests.played.silencing import improved, shown

FIRST_DAY, LAST_DAY = datetime(2003, 5, 9, tzinfo=UTC), datetime(2005, 6, 30, 23, 59, 59, tzinfo=UTC)
SPEED = 5 * 86_400
RATE = 100
STARTING = timedelta(seconds=60)
"""Real time before the plan's first day, for the services to start in."""
PATIENCE_S = 600
SCREENS = os.environ.get("SCREENS", "")
"""Folder for pictures of the pages; empty: none are taken."""
SHOWN = datetime(2004, 10, 10, tzinfo=UTC)
"""The day of the plan on which they are taken."""
SILENCED = (FIRST_DAY.date(), date(2003, 12, 1), date(2004, 9, 1), date(2005, 4, 1))
QUARTERS = (date(2003, 12, 31), date(2004, 6, 30), date(2004, 12, 31), date(2005, 6, 30))
PAYLOADS = "select payload from log order by position"
EMPTY = {"IE-3.1.missed": "no quarterly report was missed, if the machine keeps up"}
"""Rows that may be without a figure after the two years, with the reason."""
NOT_DERIVED = {
    "legal.entry.checked": "a look-up is audited where it is answered (docs/decisions.md)",
    "training.alert.issued": "training tells by events of its own (needs, certificates, complaints)",
    "indicators.projection.rebuilt": "an operator's work",
    "indicators.intake.purged": "an operator's work",
    "indicators.exact.read": "an operator's work",
    "indicators.report.missed": EMPTY["IE-3.1.missed"],
    "indicators.report.rejected": "only the presidency and the secretariat report there, and check what they send",
}
"""Events that services could record and that the two years need not bring."""


@pytest.fixture
async def played(system):
    """The whole system and the region, stopped in the plan's last days."""
    clock = Clock(FIRST_DAY, datetime.now(UTC) + STARTING, SPEED)
    http = free_port()
    env = {
        "CRM_CLOCK_START": FIRST_DAY.isoformat(),
        "CRM_CLOCK_EPOCH": clock.epoch.isoformat(),
        "CRM_SPEED": str(SPEED),
        "CRM_HTTP_PORT": str(http),
    }
    system.start("intel", "victims", "legal", "training", "indicators", **env)
    await system.ready()
    await until(lambda: clock.now() >= FIRST_DAY, "the first day", PATIENCE_S)
    region = {
        "CRM_NATS_URL": system.region.nats.url,
        "CRM_CREDS_DIR": str(system.region.keys.folder),
        "CRM_REGION_STATE": str(system.folder / "region.json"),
        "CRM_RATE": str(RATE),
    }
    with (system.folder / "region.log").open("ab") as output:
        system.processes["region"] = subprocess.Popen(
            [sys.executable, "-m", "infra.region"],
            cwd=ROOT,
            env={**os.environ, **env, **region},
            stdout=output,
            stderr=output,
        )
    if SCREENS:
        await until(lambda: clock.now() > SHOWN, "the day of the pictures", PATIENCE_S)
        painted = await asyncio.to_thread(pictures, f"http://127.0.0.1:{http}", Path(SCREENS), dict(every()))
        print("first painted after, in ms:", {name: round(ms) for name, ms in painted.items()})
    await until(lambda: clock.now() > LAST_DAY and _all_played(system), "the last day", PATIENCE_S)
    assert system.kill("region", signal.SIGTERM) == 0
    return f"http://127.0.0.1:{http}"


def _all_played(system):
    """Whether the region has told the last step of every part: on a slow machine it is behind its clock."""
    told = {line["part"]: line["until"] for line in system.output("region") if line["event"] == "history played"}
    last = {name: max(step.due for step in part if step.due <= LAST_DAY) for name, part in script().items()}
    return all(told.get(name, "") >= due.date().isoformat() for name, due in last.items())


def asked(address):
    asked = urllib.request.Request(address, headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.load(answer)


def metrics(address):
    return scraped(address, timeout=60)


async def folded(system, address):
    """Wait until all that was reported is recorded, and the figures hold it."""
    operator = (await system.region.connect("operator")).jetstream()

    async def taken():
        waiting = [await operator.consumer_info(stream, name) for stream in intakes() for name in SERVICES]
        aside = [await system.rows(name, "select from aside limit 1") for name in SERVICES]
        return not any(one.num_pending or one.num_ack_pending for one in waiting) and not any(aside)

    await until(taken, "what was reported to be recorded", PATIENCE_S)
    last = {name: len(await system.rows(name, "select position from log")) for name in SERVICES}

    def behind():
        told = dict(re.findall(r'^crm_fold_sequence{stream="([A-Z]+)"} (\S+)', metrics(address), re.MULTILINE))
        return all(float(told.get(name.upper(), 0)) >= last[name] for name in SERVICES)

    await until(behind, "the figures", PATIENCE_S)


async def test_after_two_years_no_row_is_empty_but_those_that_are_left_open(system, played):
    await folded(system, played)
    day = LAST_DAY.date().isoformat()
    logs = {name: [bytes(row["payload"]) for row in await system.rows(name, PAYLOADS)] for name in SERVICES}
    await asyncio.to_thread(silence_flatters_nobody, logs)
    questionnaires_are_the_plans(await asyncio.to_thread(asked, f"{played}/api/indicators/XC-5.workshop?as_of={day}"))
    points = await asyncio.to_thread(asked, f"{played}/api/indicators/XC-4?as_of={day}")
    assert {cell["labels"]["input"] for cell in points["values"] if cell["labels"]} == {*load().rows["XC-4"].inputs}
    # By the logs: of persons is published what was known when a quarter ended, and a slow machine is late.
    found = await asyncio.to_thread(shown, load(), logs, LAST_DAY.date())
    empty = {row for row, one in found.items() if not one.cells}
    recorded = {event.name for service in SERVICES for event in await system.log(service)}
    ours = {one.name for one in registry().values() if not one.generic}
    missing = ours - recorded - {*UNTOLD, *NOT_DERIVED}
    assert (sorted(empty - set(EMPTY)), sorted(missing)) == ([], [])
    assert not recorded & set(UNTOLD)


def silence_flatters_nobody(logs):
    """Of each country, from some days on: no verdict is the better for it; and none is met with a silent country."""
    plan = load()
    silences = [(country, since) for country in MEMBERS for since in SILENCED]
    assert improved(plan, logs, LAST_DAY.date(), silences) == []
    for day in QUARTERS:
        found = shown(plan, logs, day).values()
        assert [one.row.id for one in found if one.met and one.silent and one.row.id != "XC-6"] == []
    assert found
    # Belize is silent from 20 April to 10 August 2004 (infra/region/countries.toml).
    activity = shown(plan, logs, date(2004, 6, 30))["LE-1.R2"]
    assert (activity.met, "BLZ" in activity.missing) == (None, True)


def questionnaires_are_the_plans(figure):
    """The real Cuadro 2: 20 of 27 are 74.07 %."""
    (cell,) = [
        one
        for one in figure["values"]
        if (one["country"], *one["labels"].values()) == ("REG", "organización", "excelente")
    ]
    assert (cell["numerator"], cell["denominator"], round(100 * cell["value"], 2)) == (20, 27, 74.07)
