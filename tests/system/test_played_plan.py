"""The synthetic region as a real process: the Plan played on real servers, faster than it happened."""

import csv
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

import infra.region
from infra.nats.config import accounts
from infra.region.countries import facts
from infra.region.script import ACTIONS
from shared.run.clock import Clock
from tests.harness.scraping import faults
from tests.harness.system import PATIENCE_S, ROOT, free_port, until

pytestmark = pytest.mark.long

FIRST_DAY = datetime(2003, 5, 9, tzinfo=UTC)
PLAYED_S = 120
"""Patience for history to be played beside other tests, each step synced."""
DAY_A_SECOND = 86_400
CSV = Path(infra.region.__file__).with_name("history") / "treaty-actions.csv"


class Played:
    """The region's process on a test's system, with one clock for both."""

    def __init__(self, system, speed, start=FIRST_DAY):
        self.system, self.log = system, system.folder / "region.log"
        self.clock = Clock(start, datetime.now(UTC), speed)
        self.env = {
            "CRM_CLOCK_START": start.isoformat(),
            "CRM_CLOCK_EPOCH": self.clock.epoch.isoformat(),
            "CRM_SPEED": str(speed),
        }

    def start(self, rate):
        env = {
            "CRM_NATS_URL": self.system.region.nats.url,
            "CRM_CREDS_DIR": str(self.system.region.keys.folder),
            "CRM_REGION_STATE": str(self.system.folder / "region.json"),
            "CRM_RATE": str(rate),
            **self.env,
        }
        with self.log.open("ab") as output:
            self.system.processes["region"] = subprocess.Popen(
                [sys.executable, "-m", "infra.region"],
                cwd=ROOT,
                env={**os.environ, **env},
                stdout=output,
                stderr=output,
            )

    def lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def actions():
    with CSV.open() as rows:
        return [
            (row["country"], row["instrument"], ACTIONS[row["action"]], date.fromisoformat(row["date"]))
            for row in csv.DictReader(rows)
        ]


def parties(actions, instrument, day):
    return {
        country for country, what, verb, on in actions if (what, on <= day) == (instrument, True) and verb != "signed"
    }


async def test_the_treaty_parties_are_those_of_the_record_also_when_the_region_is_killed_meanwhile(system):
    played = Played(system, 500 * DAY_A_SECOND)
    system.start("legal", **played.env)
    await system.ready()
    played.start(rate=20)
    real = actions()
    before = sum(on < FIRST_DAY.date() for *_, on in real)
    await until(lambda: treaty_rows(system, before + 2), "the treaty actions before the Plan, and some", PLAYED_S)
    system.kill("region")
    played.start(rate=20)
    await until(lambda: treaty_rows(system, len(real)), "all treaty actions", PLAYED_S)
    acts = [event for event in await system.log("legal") if event.name.startswith("legal.treaty.")]
    recorded = [(e.country, e.data.instrument, e.name.rpartition(".")[2], e.time.date()) for e in acts]
    assert sorted(recorded) == sorted(real)
    for instrument in ("UNTOC", "TIP", "SOM"):
        for day in (date(2000, 12, 31), date(2003, 5, 9), date(2003, 9, 26), date(2004, 4, 1), date(2008, 12, 1)):
            assert parties(recorded, instrument, day) == parties(real, instrument, day)
    for country in {event.country for event in acts}:  # each has its own intake, so only its own order is kept
        told = [event.time for event in acts if event.country == country]
        assert told == sorted(told), country
    assert all(e.recordedtime >= e.time for e in acts)


async def test_the_region_reports_also_when_its_clock_is_ahead_of_the_real_one(system):
    played = Played(system, DAY_A_SECOND, start=datetime(2073, 5, 18, tzinfo=UTC))
    system.start("intel", **played.env)
    await system.ready()
    played.start(rate=50)
    await system.recorded("intel", "intel.document.flagged", 3)
    assert system.processes["region"].poll() is None


async def treaty_rows(system, number):
    rows = await system.rows(
        "legal", "select 1 from log where position($1 in convert_from(payload, 'utf8')) > 0", ".treaty."
    )
    return len(rows) >= number


@pytest.fixture
async def busy(system):
    played = Played(system, DAY_A_SECOND)
    system.start("intel", "victims", "legal", "training", **played.env)
    await system.ready()
    played.start(rate=150)
    return played


async def test_eleven_countries_report_answer_each_other_and_err(system, busy):
    await system.recorded("victims", "victims.referral.accepted", 3)
    await system.recorded("victims", "victims.repatriation.completed", 1)
    await system.recorded("legal", "legal.witness.reviewed", 3)
    rejected = await system.recorded("victims", "victims.report.rejected", 1)
    assert {problem.code for event in rejected for problem in event.data.problems}
    process = system.processes["region"]
    assert system.kill("region", signal.SIGTERM) == 0
    assert process.returncode == 0
    victims = await system.log("victims")
    sent = {event.data.referral_id: event for event in victims if event.name == "victims.referral.sent"}
    for event in victims:
        if event.name == "victims.referral.accepted":
            assert event.country == sent[event.data.referral_id].data.to
    keys = {key for line in busy.lines() for key in line}
    assert not keys & {"data", "payload", "report"}
    assert not {line["level"] for line in busy.lines()} & {"error", "critical"}


def mailbox(system, country, seed, *more):
    """What `crm mailbox` prints of referrals that are offered to a country."""
    where = ["--nats-url", system.region.nats.url, "--seed", str(seed), "--from", FIRST_DAY.date().isoformat()]
    run = [sys.executable, "-m", "infra.cli", "mailbox", "--as", country, *where, *more]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if "victims.referral.offered" in line]


async def test_what_is_sealed_is_read_by_who_receives_it_and_by_nobody_else(system, busy, tmp_path):
    async def answered():
        log = await system.log("victims")
        offers = [event for event in log if event.type == "crm.victims.referral.offered.v2"]
        told = {event.data.referral_id for event in log if event.name == "victims.referral.accepted"}
        return [event for event in offers if event.data.referral_id in told]

    port = free_port()
    system.start("indicators", CRM_HTTP_PORT=str(port), **busy.env)  # all services are asked what they told
    await until(answered, "a sealed referral to be answered", PLAYED_S)
    await until(lambda: faults(port) is not None, "indicators to answer", PLAYED_S)
    offer = (await answered())[0]
    assert facts()[offer.data.sender].seals
    assert "female" not in msgspec.json.encode(offer).decode()
    receiver, seed = offer.country, system.region.keys.folder / f"{offer.country}.nk"
    (line,) = [one for one in mailbox(system, receiver, seed, "-o", "wide") if offer.id in one]
    assert "needs" in line
    assert "age" in line
    (told,) = [one for one in mailbox(system, receiver, seed, "--json", "--open") if offer.id in one]
    assert json.loads(told)["data"]["preview"]["sex"]
    alone = tmp_path / f"{receiver}.nk"
    alone.write_bytes(seed.read_bytes())
    (line,) = [one for one in mailbox(system, receiver, alone, "-o", "wide") if offer.id in one]
    assert "sealed: no key here opens it" in line
    assert "needs" not in line


async def test_the_region_goes_on_after_nats_was_restarted(system, busy):
    await system.recorded("intel", "intel.document.flagged", 5)
    nats = system.region.nats
    nats.process.kill()
    nats.process.wait(PATIENCE_S)
    nats.port = int(nats.url.rpartition(":")[2])
    nats.launch(accounts(system.region.keys.public))
    nats.wait()
    back = busy.clock.now()

    async def told_since():
        return any(event.time > back for event in await system.log("intel", "intel.document.flagged"))

    await until(told_since, "something that happened after the restart")
    assert system.processes["region"].poll() is None
