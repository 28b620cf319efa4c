"""Operators' looks at what is not published leave a trace: in the log of indicators, and in PostgreSQL's own."""

import asyncio
import urllib.request

import asyncpg

from tests.harness.speaking import clock
from tests.harness.system import free_port, until

TOKEN = "an-operators-token"


def get(address: str, token: str = "") -> int:
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status


async def test_a_look_at_exact_figures_is_on_record_before_it_is_answered(system):
    port = free_port()
    system.start("indicators", CRM_HTTP_PORT=str(port), CRM_OPERATOR_TOKEN=TOKEN)
    await system.ready()
    base = f"http://127.0.0.1:{port}"
    for path in ("/api/indicators", "/api/indicators/VA-4.1", "/metrics", "/"):
        get(f"{base}{path}")
        get(f"{base}{path}", "another")
    assert await system.log("indicators", "indicators.exact.read") == []
    for path in ("/api/indicators/VA-4.1", "/metrics", "/api/indicators/VA-4.1?as_of=2004-01-01", "/metrics"):
        get(f"{base}{path}", TOKEN)
    events = await system.log("indicators", "indicators.exact.read")
    assert [(event.data.by, event.data.address, event.data.about) for event in events] == [
        ("operator", "/api/indicators/{id}", "id=VA-4.1"),
        ("operator", "/metrics", ""),
    ]
    assert {event.country for event in events} == {"REG"}, "no country's mailbox"


async def test_what_watches_is_answered_while_nothing_can_be_recorded_and_is_on_record_once_it_can(system):
    port = free_port()
    system.start("indicators", CRM_HTTP_PORT=str(port), CRM_OPERATOR_TOKEN=TOKEN)
    await system.ready()
    address = f"http://127.0.0.1:{port}/metrics/operator"
    owner = await asyncpg.connect(system.region.database_url())

    async def looks() -> list[str]:
        return [event.data.address for event in await system.log("indicators", "indicators.exact.read")]

    async with owner.transaction():
        await owner.execute("lock table indicators.log in exclusive mode")
        for _ in range(3):
            assert await asyncio.to_thread(get, address, TOKEN) == 200
        assert await looks() == []
    for _ in range(3):
        assert await asyncio.to_thread(get, address, TOKEN) == 200
    await until(looks, "the look to be on record")
    assert await looks() == ["/metrics/operator"], "once an hour"
    await owner.close()


async def test_the_hour_in_which_a_look_is_on_record_once_is_one_of_real_time(system):
    """Where a day passes in a second, every scrape would be an event: most of the log, and no fold at its end."""
    port = free_port()
    system.start("indicators", CRM_HTTP_PORT=str(port), CRM_OPERATOR_TOKEN=TOKEN, **clock(speed=86_400.0))
    await system.ready()
    for _ in range(5):
        get(f"http://127.0.0.1:{port}/metrics", TOKEN)
    assert len(await system.log("indicators", "indicators.exact.read")) == 1


async def test_what_the_operator_reads_in_the_database_is_in_the_servers_log(region):
    server = region.postgres.server
    operator = await asyncpg.connect(region.database_url("operator"))
    service = await asyncpg.connect(region.database_url("victims"))
    try:
        await operator.fetch("select payload from victims.log where position = 4711")
        await service.fetch("select payload from victims.log where position = 4712")
        for attempt in ("set log_statement = 'none'", "alter role operator set log_statement = 'none'"):
            try:
                await operator.execute(attempt)
            except asyncpg.InsufficientPrivilegeError:
                continue
            raise AssertionError(attempt)
    finally:
        await operator.close()
        await service.close()
    await until(lambda: "position = 4711" in server.log.read_text(), "the statement in the log")
    (line,) = [line for line in server.log.read_text().splitlines() if "position = 4711" in line]
    assert " operator " in line
    assert "position = 4712" not in server.log.read_text()
