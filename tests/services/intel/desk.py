"""The intel service's rules at work on a real database: reports in, mailboxes out."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import pytest

from services.intel.__main__ import SERVICE
from shared.contracts import registry
from shared.contracts.notice import Alert
from tests.harness.desk import START, Desk
from tests.harness.desk import desk as on_tables

NOW = START


@dataclass
class Intel:
    """A desk, seen from the countries."""

    desk: Desk

    @property
    def now(self):
        return self.desk.clock.at

    def report(self, country, name, /, time=NOW, causationid="", **changes):
        """A report, own or another service's: the contract's good example, changed."""
        event = self.desk.event(name, country=country)
        agreed = registry()[event.type]
        said = {key: value for key, value in (dict(agreed.good) | changes).items() if value is not ...}
        more = {"time": time, "causationid": causationid, "subject": said.get(agreed.entity, "thing")}
        return msgspec.structs.replace(event, data=msgspec.convert(said, agreed.data), **more)

    def amended(self, event, **changes):
        """What retracts a report, or (with changes) corrects it."""
        return self.desk.corrected(event, **changes) if changes else self.desk.retracted(event)

    async def record(self, *events):
        """Record in one batch; all must be taken."""
        outcomes = await self.desk.record(*events)
        assert outcomes == [None] * len(events), outcomes

    async def outcome(self, event):
        (outcome,) = await self.desk.record(event)
        return outcome

    async def tell(self, *args, **changes):
        event = self.report(*args, **changes)
        await self.record(event)
        return event

    async def pass_time(self, **delta):
        """Let time pass, and what falls due happen."""
        await self.desk.pass_days(timedelta(**delta) / timedelta(days=1))

    async def events(self, *names):
        return await self.desk.recorded(*names)

    async def mailboxes(self):
        """By country, what it was told, without its own reports."""
        boxes = defaultdict(list)
        for event in await self.events():
            if event.source.startswith("urn:crm:service:"):
                boxes[event.country].append(event)
        return boxes

    async def told(self, country):
        return sorted(says(event) for event in (await self.mailboxes())[country])


def says(event):
    if isinstance(event.data, Alert):
        return " ".join(filter(None, (event.data.kind, event.data.entity, event.data.country)))
    return event.name


@pytest.fixture
async def desk(postgres_server):
    async with on_tables(postgres_server, SERVICE) as one:
        yield Intel(one)
