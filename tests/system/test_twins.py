"""One report at two replicas at the same moment: recorded once, and its sender not told that it was refused."""

import asyncio
import json

import asyncpg

from services.victims.judgements import JUDGEMENTS
from shared.contracts import decode
from shared.contracts.report import accepted
from shared.record.judgement import by_type
from shared.record.log import Draft, Log
from shared.run.clock import Clock
from tests.harness.speaking import NOW, example

NUMBER = 30


def draft(country, name, number):
    envelope = {
        "specversion": "1.0",
        "id": f"t{number}.{name}",
        "source": f"urn:crm:country:{country}:test",
        "type": f"crm.{name}.v1",
        "time": NOW.isoformat(),
        "data": example(name, referral_id=f"ref-{number}"),
    }
    return Draft(accepted(f"crm.in.{country}.{name}", None, json.dumps(envelope).encode(), NOW))


async def test_twins_at_two_replicas_are_recorded_once_and_neither_is_refused(region):
    def pool():
        options = {"search_path": "victims", "timezone": "UTC"}
        return asyncpg.create_pool(region.database_url("victims"), server_settings=options, min_size=1)

    async with pool() as here, pool() as there:
        logs = [Log("victims", one, Clock(), by_type(JUDGEMENTS)) for one in (here, there)]
        for number in range(NUMBER):
            sent = draft("GTM", "victims.referral.sent", number)
            assert await asyncio.gather(*(log.record([sent]) for log in logs)) == [[None], [None]]
            answer = draft("MEX", "victims.referral.accepted", number)
            assert await asyncio.gather(*(log.record([answer]) for log in logs)) == [[None], [None]]
        rows = await here.fetch("select payload from log order by position")
    names = [decode(row["payload"]).name for row in rows]
    assert names.count("victims.referral.accepted") == NUMBER
