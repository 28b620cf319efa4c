"""The quarterly report: published in time, or missed first and then published; told once, restarts or not."""

import math
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import asyncpg
import pytest

from services.indicators.__main__ import SERVICE
from services.indicators.figures import milestones
from services.indicators.publish import announce
from services.indicators.publish.announce import Announcer
from shared import contracts
from shared.record.log import Log
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
async def recording(postgres_server, clock):
    """The log of indicators, and a call that returns what it has."""
    own = {"search_path": "indicators"}
    async with postgres_server.lent() as database:
        url = postgres_server.server.url("indicators", postgres_server.passwords["indicators"], database)
        async with asyncpg.create_pool(url, min_size=1, max_size=2, server_settings=own) as pool:

            async def recorded():
                return [bytes(one["payload"]) for one in await pool.fetch("select payload from log order by position")]

            yield Log("indicators", pool, clock, SERVICE.judged()), recorded


@asynccontextmanager
async def announcing(postgres_server):
    """(clock, a call that looks as an announcer which has just started does, what the log has)."""
    clock = Hand(datetime(2003, 5, 21, tzinfo=UTC))
    async with recording(postgres_server, clock) as (log, recorded):

        async def look():
            fold = folded(FIRST, *await recorded())
            feed = SimpleNamespace(state=fold.state, caught_up=True)
            assert await (await Announcer.begun(log, feed, PLAN)).look() == []

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
        clock.at = datetime(
            2003, 10, 4, 12, tzinfo=UTC
        )  # due until the third quarter was over, whose report comes, too
        await look()
        await look()
        missed, published, following = of_reports(await recorded())
        assert (following[0], following[2].quarter) == ("published", "2003-Q3")
        due = datetime(2003, 9, 30, 23, 59, 59, tzinfo=UTC)
        assert (missed[0], missed[1], missed[2].quarter, missed[2].due) == ("missed", due, "2003-Q2", due)
        assert (published[0], published[2].quarter) == ("published", "2003-Q2")
        assert published[1] > due
        fold = folded(FIRST, *await recorded())
    assert row(fold, "IE-3.1.missed").headline.value == 1
    (first,) = [one for one in milestones.occurrences(PLAN, fold.state, public=False) if one.key == "MS-IE-5/2003-Q2"]
    assert first.standing(clock.at) == "late"


@pytest.mark.parametrize(("month", "day"), [(7, 1), (9, 30)])
async def test_a_report_in_time_is_not_missed(postgres_server, month, day):
    async with announcing(postgres_server) as (clock, look, recorded):
        clock.at = datetime(2003, month, day, 23, 59, 50, tzinfo=UTC)
        await look()
        ((verb, time, _),) = of_reports(await recorded())
        fold = folded(FIRST, *await recorded())
    assert (verb, time.date().isoformat()) == ("published", f"2003-{month:02}-{day:02}")
    assert row(fold, "IE-3.1.missed").headline.value == 0


LATE, STEADY = "2003-05-25T10:00:00Z", "2004-01-05T10:00:00Z"


async def test_what_comes_late_reaches_every_published_quarter_while_traffic_goes_on(postgres_server):
    clock = Hand(datetime(2004, 1, 2, tzinfo=UTC))
    async with recording(postgres_server, clock) as (log, recorded):
        fold = folded(FIRST)
        announcer = await Announcer.begun(log, SimpleNamespace(state=fold.state, caught_up=True), PLAN)

        async def look(times=1):
            for _ in range(times):
                announcer._looked = -math.inf
                fold.apply("intel", fold.state.sequences["intel"] + 1, event("intel.document.flagged", time=STEADY))
                assert await announcer.look() == []

        async def revisions():
            told = of_reports(await recorded())
            return sorted((data.quarter, data.revision) for verb, _, data in told if verb == "published")

        await look()
        first = [(quarter, 1) for quarter in QUARTERS]
        assert [one for one in await revisions() if one[1] == 1] == first
        clock.at += timedelta(days=2)
        await look(2 * len(QUARTERS))
        before = await revisions()
        clock.at += timedelta(days=2)
        fold.apply("intel", fold.state.sequences["intel"] + 1, event("intel.band.dismantled", time=LATE))
        await look(len(QUARTERS))
        latest = {quarter: max(number for one, number in before if one == quarter) for quarter in QUARTERS}
        assert await revisions() == sorted([*before, *((quarter, n + 1) for quarter, n in latest.items())])
        clock.at += timedelta(days=2)
        await look(2 * len(QUARTERS))
        assert len(await revisions()) == len(before) + len(QUARTERS), "nothing changed since"


QUARTERS = ("2003-Q2", "2003-Q3", "2003-Q4")


@pytest.mark.parametrize("error", [OverflowError, AttributeError, RecursionError, AssertionError])
async def test_an_announcement_that_fails_holds_up_no_other_and_is_made_when_it_can_be(
    postgres_server, monkeypatch, error
):
    clock = Hand(datetime(2004, 1, 2, tzinfo=UTC))
    async with recording(postgres_server, clock) as (log, recorded):
        fold = folded(FIRST)
        announcer = await Announcer.begun(log, SimpleNamespace(state=fold.state, caught_up=True), PLAN)
        assert await announcer.look() == []  # the reports of the quarters that are over
        honest, broken = announce._milestone, []

        def milestone(one, now):
            if not broken:
                broken.append(one.one.key)
            if one.one.key == broken[0]:
                raise error
            return honest(one, now)

        with monkeypatch.context() as version:
            version.setattr(announce, "_milestone", milestone)
            version.setattr(announce.reports, "report", lambda *_: 1 / 0)
            announcer._looked = -math.inf
            announcer._checked.clear()
            clock.at += timedelta(days=2)
            failed = [(what, type(one)) for what, one in await announcer.look()]
        assert failed == [("milestones", error), ("revisions", ZeroDivisionError)]
        told = {event.subject for event in map(contracts.decode, await recorded())}
        assert len(told) > 5
        assert broken[0] not in told
        announcer._looked = -math.inf
        assert await announcer.look() == []
        assert broken[0] in {event.subject for event in map(contracts.decode, await recorded())}
