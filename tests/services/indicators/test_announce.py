"""The quarterly report: published in time, or missed first and then published; told once, restarts or not."""

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace

import asyncpg
import pytest

from services.indicators import milestones
from services.indicators.__main__ import SERVICE
from services.indicators.announce import Announcer
from shared import contracts
from shared.log import Log
from tests.services.indicators.making import PLAN, event, folded, row

FIRST = event("intel.band.dismantled", time="2003-05-20T10:00:00Z")


@dataclass
class Hand:
    """A clock that stands until it is moved."""

    at: datetime
    speed: float = 1.0

    def now(self):
        return self.at


@asynccontextmanager
async def announcing(postgres_server):
    """(clock, a call that looks as an announcer which has just started does, what the log has)."""
    clock, own = Hand(datetime(2003, 5, 21, tzinfo=UTC)), {"search_path": "indicators"}
    async with postgres_server.lent() as database:
        url = postgres_server.server.url("indicators", postgres_server.passwords["indicators"], database)
        async with asyncpg.create_pool(url, min_size=1, max_size=2, server_settings=own) as pool:
            log = Log("indicators", pool, clock, SERVICE.all_rules())

            async def recorded():
                return [bytes(one["payload"]) for one in await pool.fetch("select payload from log order by position")]

            async def look():
                fold = folded(FIRST, *await recorded())
                feed = SimpleNamespace(state=fold.state, caught_up=True)
                await (await Announcer.begun(log, feed, PLAN)).look()

            yield clock, look, recorded


def of_reports(payloads):
    events = [contracts.decode(payload) for payload in payloads]
    return [
        (one.name.rpartition(".")[2], one.time, one.data) for one in events if one.name.startswith("indicators.rep")
    ]


async def test_a_report_that_its_day_passed_without_is_missed_and_then_published(postgres_server):
    async with announcing(postgres_server) as (clock, look, recorded):
        await look()
        assert of_reports(await recorded()) == []
        clock.at = datetime(2003, 8, 4, 12, tzinfo=UTC)  # due by the end of July
        await look()
        await look()
        missed, published = of_reports(await recorded())
        due = datetime(2003, 7, 31, 23, 59, 59, tzinfo=UTC)
        assert (missed[0], missed[1], missed[2].quarter, missed[2].due) == ("missed", due, "2003-Q2", due)
        assert (published[0], published[2].quarter) == ("published", "2003-Q2")
        assert published[1] > due
        fold = folded(FIRST, *await recorded())
    assert row(fold, "IE-3.1.missed").headline.value == 1
    (first,) = [one for one in milestones.occurrences(PLAN, fold.state) if one.key == "MS-IE-5/2003-Q2"]
    assert first.standing(clock.at) == "late"


@pytest.mark.parametrize("day", [1, 31])
async def test_a_report_in_time_is_not_missed(postgres_server, day):
    async with announcing(postgres_server) as (clock, look, recorded):
        clock.at = datetime(2003, 7, day, 23, 59, 50, tzinfo=UTC)
        await look()
        ((verb, time, _),) = of_reports(await recorded())
        fold = folded(FIRST, *await recorded())
    assert (verb, time.date().isoformat()) == ("published", f"2003-07-{day:02}")
    assert row(fold, "IE-3.1.missed").headline is None
