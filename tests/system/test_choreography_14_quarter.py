"""A quarter closes: its report is published, is never edited, and a later correction makes the next revision."""

import csv
import hashlib
import io
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from services.indicators.folded.fold import Fold
from services.indicators.planned.plan import load
from services.indicators.planned.schedule import quarter_end
from services.indicators.publish import reports
from shared.contracts.vocabulary import MEMBERS
from tests.harness.speaking import DAY, clock, say
from tests.harness.system import free_port, until

START = datetime(2004, 3, 20, 12, tzinfo=UTC)
CLOSES_S = 60
"""Real seconds in which, with four days a second, the quarter is over in which the first report was recorded."""


def fetched(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        return error.code


async def revisions(system, quarter=None, revision=1):
    """What was recorded of a quarter's report from this revision on."""
    told = await system.log("indicators", "indicators.report.published")
    return [one for one in told if quarter in (None, one.data.quarter) and one.data.revision >= revision]


def row(report, identity):
    return next(one for one in report["indicators"] if one["id"] == identity)


async def test_a_quarters_report_is_published_and_a_correction_makes_the_next_revision(system):
    port = free_port()
    time = clock(speed=4 * DAY, now=START)
    system.start("intel", **time)
    system.start("indicators", **time, CRM_HTTP_PORT=str(port))
    await system.ready()
    gtm = await system.country("GTM")
    bands = [say(gtm, "intel.band.dismantled", time=START, band_id=f"band-{n}") for n in range(3)]
    await gtm.publish_all(bands)
    (published, *_) = await until(lambda: revisions(system), "a report", CLOSES_S)
    quarter = published.data.quarter  # that in which the bands were recorded, however long the start took
    assert (published.data.revision, published.data.as_of) == (1, quarter_end(quarter))
    assert published.data.coverage == pytest.approx(1 / 11)
    as_published = fetched(port, f"/reports/{quarter}.json?revision=1")
    assert hashlib.sha256(as_published).hexdigest() == published.data.checksum
    report = json.loads(as_published)
    assert (row(report, "PC-1c")["value"], report["suppressed"]) == (3, published.data.suppressed)

    # Anyone can fold the same events and get the same bytes.
    fold = Fold(load())
    assert report["events"] == {}  # how many there were is not public
    (beside,) = await system.rows(
        "indicators", f"select folded from report where quarter = '{quarter}' and revision = 1"
    )
    for service, last in json.loads(beside["folded"]).items():
        for event in (await system.rows(service, "select position, payload from log order by position"))[:last]:
            fold.apply(service, event["position"], bytes(event["payload"]))
    anew = reports.report(fold.plan, fold.state, quarter, 1)
    assert reports.content(msgspec.structs.replace(anew, checkpoints=report.get("checkpoints", {}))) == as_published

    table = list(csv.DictReader(io.StringIO(fetched(port, f"/reports/{quarter}.csv").decode())))
    (whole,) = [line for line in table if line["indicator"] == "PC-1c" and line["labels"] == ""]
    assert (whole["country"], whole["value"], whole["unit"]) == ("REG", "3", "bands")
    assert quarter.encode() in fetched(port, f"/reports/{quarter}")
    assert fetched(port, "/reports/1999-Q4") == fetched(port, "/reports/2004-Q5") == 404

    await gtm.publish(
        gtm.report(
            "intel.band.retracted",
            {"supersedes": bands[0]["id"], "reason": "mistaken", "reported_by": "police"},
            time=START,
        )
    )
    await until(lambda: revisions(system, quarter, 2), "a second revision", CLOSES_S)
    assert row(json.loads(fetched(port, f"/reports/{quarter}.json")), "PC-1c")["value"] == 2
    assert fetched(port, f"/reports/{quarter}.json?revision=1") == as_published


async def test_targets_reached_and_lost_are_told_and_a_rebuild_gives_the_same_bytes(system):
    port = free_port()
    time = clock(speed=1, now=START)
    system.start("legal", **time)
    system.start("indicators", **time, CRM_HTTP_PORT=str(port), CRM_OPERATOR_TOKEN="secret")
    await system.ready()
    for country in [await system.country(name) for name in MEMBERS]:
        await country.publish(say(country, "legal.representative.designated", time=START, country=country.country))
    gtm = await system.country("GTM")

    async def crossed(number):
        told = await system.recorded("indicators", "indicators.threshold.crossed", number)
        return [event.data for event in told if event.data.indicator == "LE-1.1.1"]

    async def at_least(number):
        return found if len(found := await crossed(1)) >= number else None

    (reached,) = await until(lambda: at_least(1), "LE-1.1.1 to be met")
    assert (reached.new, reached.target, reached.country) == (11, 11, "REG")
    await gtm.publish(say(gtm, "legal.representative.vacated", time=START + timedelta(days=1), country="GTM"))
    _, lost = await until(lambda: at_least(2), "LE-1.1.1 to be lost")
    assert (lost.old, lost.new) == (11, 10)

    ask = urllib.request.Request(f"http://127.0.0.1:{port}/rebuild", method="POST")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(ask, timeout=10)
    ask.add_header("Authorization", "Bearer secret")
    with urllib.request.urlopen(ask, timeout=30) as answer:
        done = msgspec.json.decode(answer.read())
    assert done["same"] is True
    (rebuilt,) = await system.recorded("indicators", "indicators.projection.rebuilt")
    assert (rebuilt.data.checksum, rebuilt.data.events) == (done["checksum"], done["events"])
