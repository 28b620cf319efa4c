"""Reports of several sources with one id: a log judged again (`crm restore`) acts on each, as its service did."""

from datetime import timedelta

import msgspec
import pytest

from infra.recovery.reading import Message
from infra.recovery.replay import Replay
from services.training.__main__ import SERVICE
from shared.flow import relay
from shared.record.log import Draft
from tests.harness.desk import START, desk
from tests.services.training.certifying import amended, certified

TABLES = (
    "select scope, key, event_id from notified order by 1, 2",
    "select thing, stream, position from about order by 1, 2, 3",
)


class Streams:
    """What stands in streams."""

    def __init__(self, **streams):
        self.streams = streams

    async def messages(self, stream, first=1, subject=">"):
        for number, event in enumerate(self.streams.get(stream, ()), 1):
            name = relay.subject(event.type, event.country)
            if number >= first and name.startswith(subject.removesuffix(">")):
                yield Message(number, name, msgspec.json.encode(event))


@pytest.mark.parametrize("batch", [1, 4])
async def test_a_log_judged_again_has_heard_each(postgres_server, batch):
    countries = ("GTM", "HND", "MEX", "SLV")
    laws = []
    async with desk(postgres_server, SERVICE) as training:
        for number, country in enumerate(countries, 1):
            law = amended(training, by=country, country=country)
            laws.append(
                msgspec.structs.replace(law, id="r-1", sequence=number, recordedtime=START + timedelta(hours=1))
            )
            await training.tell(certified(training, f"c-{country}", by=country, aligned_to=[{"law_id": "law-1"}]))
        await training.pass_days(1)
        for first in range(0, len(laws), batch):
            drafts = [Draft(law, ("LEGAL", law.sequence)) for law in laws[first : first + batch]]
            assert await training.log.record(drafts) == [None] * batch
        recorded = await training.recorded()
        assert [event.country for event in recorded if event.verb == "staled"] == [*countries]
        before = [await training.log.pool.fetch(table) for table in TABLES]
    async with desk(postgres_server, SERVICE) as empty, empty.log.pool.acquire() as connection:
        streams = Streams(TRAINING=recorded, LEGAL=laws)
        replay = Replay(streams, connection, "training", SERVICE.judged())
        await replay.run()
        assert replay.differences == []
        assert await connection.fetchval("select count(*) from heard") == len(laws)
        assert [await connection.fetch(table) for table in TABLES] == before
