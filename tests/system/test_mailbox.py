"""What a country reads again: from any date, as often as it likes, its own only, and nothing is taken out by it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.nats.asking import ask
from shared.ask import mailbox
from shared.ask.questions import Asked
from shared.contracts import SERVICES, Event
from shared.contracts.questions import MailboxAsk
from tests.harness.speaking import NOW, clock, example, say
from tests.harness.system import ROOT

pytestmark = pytest.mark.long

DATELESS = {"CRM_PLAN_FOLDER": str(ROOT / "tests/plans/second")}
"""A plan whose calendar tells nobody anything: what is told here is what the test sets off."""


async def test_the_mailbox_is_replayed_from_a_date_and_stays_as_it_was(system):
    system.start(*SERVICES, **clock(), **DATELESS)
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    for place in ("place-1", "place-2"):
        await gtm.publish(say(gtm, "intel.location.reported", place_ref=place, target_country="MEX"))
        await system.recorded("intel", "intel.alert.issued", int(place[-1]))
    await gtm.publish(say(gtm, "legal.treaty.ratified"))
    await system.recorded("legal", "legal.treaty.ratified")

    told = [event async for event in mex.history()]
    assert [(event.name, event.subject) for event in told] == [
        ("intel.alert.issued", "place-1"),
        ("intel.alert.issued", "place-2"),
    ]
    assert [event.id async for event in mex.history(told[1].recordedtime)] == [told[1].id]
    own = [event async for event in gtm.history()]
    assert [event.name for event in own if event.name != "legal.gap.opened"] == [
        "intel.location.reported",
        "intel.location.reported",
        "legal.treaty.ratified",
    ]
    assert [event.recordedtime for event in own] == sorted(event.recordedtime for event in own)
    taken = [event.id async for event in mex.mailbox(idle_s=1)]
    assert taken == [event.id for event in told]
    assert [event.id async for event in mex.history()] == taken
    outcomes = await system.rows("intel", "select distinct country, question, outcome from audit order by country")
    assert [tuple(row) for row in outcomes] == [("GTM", "mailbox", "answered"), ("MEX", "mailbox", "answered")]


async def test_crm_mailbox_prints_what_was_told_from_a_day_on(system):
    system.start(*SERVICES, **clock(), **DATELESS)
    await system.ready()
    gtm = await system.country("GTM")
    data = example("intel.location.reported", target_country="MEX")
    await gtm.publish(gtm.report("intel.location.reported", data, time=NOW))
    await system.recorded("intel", "intel.alert.issued")
    address = ["--as", "MEX", "--nats-url", system.region.nats.url, "--seed", str(system.region.seed("MEX"))]

    async def run(*more):
        result = await asyncio.to_thread(CliRunner().invoke, app, ["mailbox", *address, *more])
        assert result.exit_code == 0, result.output
        return result.stdout

    (line,) = (await run("--from", "2004-03-01", "--json")).splitlines()
    assert json.loads(line)["type"] == "crm.intel.alert.issued.v1"
    assert await run("--from", "2004-03-02") == ""
    looked = await run()
    (seen,) = looked.splitlines()
    told = ["intel 2", "place reported to you, to be answered", "Guatemala", "place-31", "intel.alert.issued"]
    assert [one for one in told if one.lower() not in seen.lower()] == []
    assert "crm.intel.alert.issued.v1" in await run("-o", "json")
    assert (await run("-o", "csv")).splitlines()[0] == "position,recorded,what,subject,sender,id,type"
    assert await run() == looked, "looking takes nothing out"
    box = await ask(await system.region.connect("operator"), "CONSUMER.INFO.MAILBOX.MEX")
    assert box["num_pending"] + box["num_ack_pending"] > 0
    assert box["ack_floor"]["stream_seq"] == 0
    assert await run("--take") == looked
    assert await run("--take") == "", "what was taken is gone"
    assert "place-31" in await run("--from", "2004-03-01T00:00:00Z")
    wrong = await asyncio.to_thread(CliRunner().invoke, app, ["mailbox", "--as", "XYZ"])
    assert wrong.exit_code == 2
    wrong = await asyncio.to_thread(CliRunner().invoke, app, ["mailbox", *address, "--lang", "xx"])
    assert wrong.exit_code == 2


async def test_a_long_log_is_read_in_parts_by_the_country_named_only(region):
    connection = await asyncpg.connect(region.database_url(), server_settings={"search_path": "intel"})
    start = datetime(2003, 5, 9, tzinfo=UTC)
    number = 2 * mailbox.ROWS_MAX + 100
    rows = []
    for position in range(1, number + 1):
        event = Event(
            specversion="1.0",
            id=f"e-{position}",
            source="urn:crm:service:intel",
            type="crm.intel.alert.issued.v1",
            time=start,
            country="GTM" if position % 1000 == 0 else "MEX",
            data={},
            recordedtime=start + timedelta(minutes=position),
            sequence=position,
        )
        payload = msgspec.json.encode(event)
        rows.append((position, event.source, event.id, event.type, event.country, "", payload, bytes(32)))
    columns = ["position", "source", "id", "type", "country", "entity", "payload", "hash"]
    await connection.copy_records_to_table("log", schema_name="intel", columns=columns, records=rows)

    async def read(country, since):
        found, after = [], 0
        for _ in range(200):
            ask = Asked(country, MailboxAsk(since=since, after=after), NOW)
            (part,) = await mailbox.answered([ask], connection)
            found += [msgspec.json.decode(event)["sequence"] for event in part.events]
            after = part.next
            if not part.more:
                return found
        raise AssertionError("it never ends")

    assert await read("GTM", None) == list(range(1000, number + 1, 1000))
    assert await read("GTM", start + timedelta(minutes=7000)) == list(range(7000, number + 1, 1000))
    assert await read("MEX", start + timedelta(minutes=number - 50)) == [
        position for position in range(number - 50, number + 1) if position % 1000
    ]
    assert await read("HND", None) == []
    await connection.close()
