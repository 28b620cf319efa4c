"""A country goes silent: it is told, every trend with it is marked partial, and what it sends again ends that."""

import json
import urllib.request
from datetime import datetime, timedelta

import pytest

from infra.testkit.servers import TOKEN
from shared.run.clock import Clock
from tests.harness.speaking import DAY, NOW, clock, countries, say
from tests.harness.system import free_port, until

SILENT = timedelta(days=30)


def asked(port, path):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@pytest.mark.long
async def test_a_silent_country_is_told_and_marks_its_trends(system):
    port = free_port()
    system.start("intel", **clock(speed=3 * DAY))
    system.start("indicators", **clock(speed=3 * DAY), CRM_HTTP_PORT=str(port))
    await system.ready()
    gtm, gtm_box = await countries(system, "GTM")
    # Joint operations in both halves of the year before, so that the trend (PC-1a) has something of GTM to compare.
    for days in (10, 250):
        await gtm.publish(say(gtm, "intel.operation.executed", time=NOW - timedelta(days=days), started=..., ended=...))
    (first, *_) = await system.recorded("intel", "intel.operation.executed", 2)
    told = await gtm_box.one("indicators.country.silent")
    heard = max(event.recordedtime for event in await system.log("intel", "intel.operation.executed"))
    assert told.data.country == "GTM"
    assert told.data.last == heard >= first.recordedtime
    assert told.time == heard + SILENT

    def partial():
        trend = asked(port, "/api/indicators/PC-1a")
        return trend if trend["partial"] else None

    trend = await until(partial, "the trend to be partial")
    assert trend["silent"] == ["GTM"]
    assert asked(port, "/api/indicators/PC-1c.trend")["partial"] is False  # GTM is not in it

    await gtm.publish(say(gtm, "intel.band.identified"))
    resumed = await gtm_box.one("indicators.country.resumed")
    assert resumed.data.last > told.data.last
    # Plan time runs on: sooner or later it is silent again, which is another event.
    await gtm_box.one("indicators.country.silent", last=resumed.data.last)
    counted = await until(
        lambda: next((c for c in asked(port, "/api/indicators/XC-6.silences")["values"] if c["value"] == 2), None), "2"
    )
    assert counted["labels"] == {"state": "silent"}


async def test_a_silence_that_is_over_when_indicators_comes_back_is_counted(system):
    """Nobody looked: indicators was away, or the plan's clock ran past it between two looks."""
    port, fast = free_port(), clock(speed=20 * DAY)
    plan = Clock(NOW, datetime.fromisoformat(fast["CRM_CLOCK_EPOCH"]), 20 * DAY)
    system.start("intel", **fast)
    await system.ready()
    gtm, _ = await countries(system, "GTM")
    recorded = []
    for number in (1, 2):
        await gtm.publish(say(gtm, "intel.band.identified", band_id=f"b-{number}"))
        recorded = await system.recorded("intel", "intel.band.identified", number)
        over = max(one.recordedtime for one in recorded) + SILENT + timedelta(days=3)
        await until(lambda over=over: plan.now() > over, "a silence to be over")
    system.start("indicators", **fast, CRM_HTTP_PORT=str(port))
    await system.ready()

    def counted():
        cells = asked(port, "/api/indicators/XC-6.silences")["values"]
        return {cell["labels"]["state"]: cell["value"] for cell in cells if cell["labels"]}

    await until(lambda: counted() == {"silent": 2, "resumed": 1}, "both silences, and the end of the first")
    first = min(one.recordedtime for one in recorded).date()
    lasts = {event.data.last.date() for event in await system.log("indicators", "indicators.country.silent")}
    assert first in lasts
