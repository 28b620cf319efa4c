"""A country goes silent: it is told, every trend with it is marked partial, and what it sends again ends that."""

import json
import urllib.request
from datetime import timedelta

from infra.testkit.servers import TOKEN
from tests.harness.speaking import DAY, NOW, clock, countries, say
from tests.harness.system import free_port, until

SILENT = timedelta(days=30)


def asked(port, path):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


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
