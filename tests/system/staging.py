"""How the choreographies of the Plan are tested, on two replicas of every service, in three manners.

A test asks for the fixture `scene` and is run three times: `written` (one report after the other), `thrice` (each
report three times, and at the end every message of the scene redelivered twice to every service) and `shuffled` (the
reports of an act in one atomic batch in random order, taken by whichever replica gets them; the seed is printed and
can be given again as `SEED=`). It looks like this:

    async def test_a_referral_not_answered_becomes_overdue(scene):
        gtm, slv = scene.cast[:2]
        sent = scene.say(gtm, "victims.referral.sent", referral_id=scene.id("ref"), to=slv, **{"from": gtm})
        await scene.play(sent)
        await scene.later(hours=72, seconds=1)
        overdue = await scene.one("victims.referral.overdue")
        assert overdue.time == overdue.data.due
        assert await scene.chain(overdue) == ["victims.referral.sent", "victims.referral.overdue"]
        assert [event.name for event in await scene.received(slv)] == ["victims.referral.offered", ...]
        assert (await scene.figure("VA-5.1b", slv)).denominator == 1

- `say` makes a report from the contract's good example with your changes (`...` leaves a field out); it happens at
  `scene.now` unless `time=` is given. Name entities with `scene.id("ref")`: the region is the same for all scenes.
- `play` publishes the reports of one act and returns when all that they set off is recorded, relayed, handled by the
  other services and in the mailboxes. The order within an act must make no difference to what you assert.
- `later` sets the clock of all processes forward and waits likewise; it only stands still between acts in so far as
  real time is short. So "exactly two" and "nothing" can be asserted without waiting.
- `events`, `one`, `received`, `figure` see this scene's events only: its reports and what they set off. Figures are
  the fold of these. What has no cause among the reports (a silence, a quarter) is in `scene.log(service)`.
- `cast` is different countries in each manner (its first three are); the presidency (`PRESIDENCY`) is none of them.
  What a country keeps beyond the scene's ids (contact points, treaties) must not matter, or be undone at the end.
- Reading a mailbox has a consequence: a referral read there is `victims.referral.delivered`, which goes to its sender.
- At the end the scene checks by itself that no service logged an error, that every derived event names a recorded
  cause and the report that began it, and that each country's mailbox got what was addressed to it, once, in order.

Tests with processes of their own (`system`) speak for themselves: tests/harness/speaking.py.
"""

import asyncio
import itertools
import os
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import nats
import pytest
from nats.aio.client import Client

from infra.nats.asking import ask
from infra.nats.rights import OPERATOR, inbox
from infra.testkit.settling import Settling, look, service_durables, waiting
from services.indicators.figures.figures import Cell, Figures
from shared import contracts
from shared.client import CountryClient
from shared.contracts import SERVICES, Event
from shared.contracts.vocabulary import MEMBERS
from shared.flow.batch import publish_batch
from shared.flow.streams import MAILBOX, stream_of
from tests.harness.figuring import folded
from tests.harness.servers import ROOT
from tests.harness.speaking import example, fits, of_own
from tests.harness.stage import CALLER, Stage
from tests.harness.system import System, until

MANNERS = ("written", "thrice", "shuffled")
PRESIDENCY = "MEX"
PATIENCE_S = 30
_number = itertools.count(1)


@dataclass
class Scene:
    """One choreography played once; see above."""

    stage: Stage
    system: System
    manner: str
    number: int
    chance: random.Random
    operator: Client
    root: Client
    database: asyncpg.Connection
    begun: dict[str, int]
    """Sequences of the streams when the scene began."""
    settling: Settling
    written: dict[str, int]
    """Sizes of the processes' outputs when the scene began."""
    reports: list[dict[str, Any]] = field(default_factory=list)
    clients: dict[str, CountryClient] = field(default_factory=dict)
    boxes: dict[str, list[Event[Any]]] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.stage.clock.now()

    @property
    def cast(self) -> tuple[str, ...]:
        others = [name for name in MEMBERS if name != PRESIDENCY]
        first = 3 * MANNERS.index(self.manner)
        return (*others[first:], *others[:first])

    def id(self, name: str) -> str:
        """An entity's name that no other scene uses; the same for the same `name`."""
        return f"{name}-s{self.number}"

    def say(
        self, country: str, name: str, /, *, time: datetime | None = None, envelope=(), **changes
    ) -> dict[str, Any]:
        """A report; `envelope` holds further arguments of `CountryClient.report`."""
        speaker = CountryClient(None, country, "test")
        return speaker.report(name, of_own(example(name, **changes), country), time=time or self.now, **dict(envelope))

    async def play(self, *reports: dict[str, Any]) -> None:
        self.reports += reports
        if self.manner == "written":
            for report in reports:
                await self._published(report)
                await self.settled()
            return
        if self.manner == "thrice":
            for report in reports:
                for _ in range(3):
                    await self._published(report)
        else:
            await self._called(self.chance.sample(reports, len(reports)))
        await self.settled()

    async def later(self, **by: float) -> None:
        self.stage.clock.set_forward(timedelta(**by))
        await self.settled()

    async def events(self, name: str | None = None, /, **fields: Any) -> list[Event[Any]]:
        """The scene's recorded events, by service and position."""
        own = _set_off(self.reports, await self.logs())
        return [event for event in own if fits(event, name, fields)]

    async def one(self, name: str, /, **fields: Any) -> Event[Any]:
        found = await self.events(name, **fields)
        assert len(found) == 1, f"{len(found)} {name} {fields} among {[event.name for event in await self.events()]}"
        return found[0]

    async def log(self, service: str) -> list[Event[Any]]:
        """All that a service recorded since the scene began, whatever the cause."""
        rows = await self.database.fetch(
            f"select payload from {service}.log where position > $1 order by position", self.begun[stream_of(service)]
        )
        return [contracts.decode(row["payload"]) for row in rows]

    async def logs(self) -> list[Event[Any]]:
        return [event for service in SERVICES for event in await self.log(service)]

    async def received(self, country: str, name: str | None = None, /, **fields: Any) -> list[Event[Any]]:
        """What this country found in its mailbox, so far, that belongs to the scene."""
        box = self.boxes.setdefault(country, [])
        client = await self.country(country)

        async def emptied() -> bool:
            box.extend([event async for event in client.mailbox(idle_s=0.05)])
            info = await ask(self.operator, f"CONSUMER.INFO.{MAILBOX}.{country}")
            return not info["num_pending"] and not info["num_ack_pending"]

        # A message that came when the pull had just ended comes again after the acknowledgement's 30 s.
        await until(emptied, f"the mailbox of {country} to be read", 3 * PATIENCE_S)
        await self.settled()  # its acknowledgements are receipts
        own = {(event.source, event.id) for event in await self.events()}
        return [event for event in box if (event.source, event.id) in own and fits(event, name, fields)]

    async def refused(self, report: dict[str, Any]) -> set[tuple[str, str]]:
        """Pointer and code of all that was found wrong with a report; empty: it was not refused."""
        names = {f"{service}.report.rejected" for service in SERVICES}
        rejected = [event for event in await self.events() if event.name in names]
        found = [event.data for event in rejected if event.data.report_id == report["id"]]
        return {(problem.pointer, problem.code) for one in found for problem in one.problems}

    async def chain(self, event: Event[Any]) -> list[str]:
        """The names of the events from the first cause to this one."""
        by_id = {one.id: one for one in await self.logs()}
        names = [event.name]
        while event.causationid and (cause := by_id.get(event.causationid)):
            event = cause
            names.insert(0, event.name)
        return names

    async def figure(self, row: str, country: str = "REG", /, **labels: str) -> Cell | None:
        """The exact figure of an indicator as this scene alone makes it; None: it has none."""
        found = await self._figures(row)
        cells = [found.headline] if country == "REG" and not labels and found.headline else found.cells
        fitting = [cell for cell in cells if cell.country == country and labels.items() <= cell.labels.items()]
        assert len(fitting) < 2, f"{row}: {len(fitting)} cells of {country} {labels}; name more labels"
        return fitting[0] if fitting else None

    async def cells(self, row: str, country: str) -> list[Cell]:
        """An indicator's exact figures by label, as this scene alone makes them."""
        return [cell for cell in (await self._figures(row)).cells if cell.country == country]

    async def _figures(self, row: str) -> Figures:
        return folded(row, await self.events(), self.now.date())

    async def country(self, name: str) -> CountryClient:
        if name not in self.clients:
            self.clients[name] = await self.system.country(name)
        return self.clients[name]

    async def settled(self) -> None:
        """Wait until nothing is on its way between intake, logs, streams, services and mailboxes."""
        try:
            await until(self.settling.quiet, "the region to settle", PATIENCE_S)
        except TimeoutError as error:
            raise AssertionError(
                f"waiting: {waiting(look(self.system.region))}; complaints: {self.complaints()}"
            ) from error

    async def _published(self, report: dict[str, Any]) -> None:
        country = report["source"].split(":")[3]
        await (await self.country(country)).publish(report)

    async def _called(self, reports: list[dict[str, Any]]) -> None:
        """Put the reports of all countries into their intakes at once, each country's in this order."""
        messages: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
        for report in reports:
            country = report["source"].split(":")[3]
            subject, payload = (await self.country(country))._checked(report)
            messages[country].append((f"crm.in.{country}.{subject.removeprefix('report.')}", payload))
        url = self.system.region.nats.url
        caller = await nats.connect(url, user=CALLER, password=CALLER, inbox_prefix=inbox(CALLER).encode())
        try:
            await asyncio.gather(*(publish_batch(caller, batch) for batch in messages.values()))
        finally:
            await caller.close()

    async def encore(self) -> None:
        """Have every message of the scene delivered again, twice, to each service that reads it."""
        before = [event.id for event in await self.events()]
        for _ in range(2):
            for name, stream in look(self.system.region).items():
                for durable in service_durables(stream):
                    if stream["state"]["last_seq"] <= self.begun[name]:
                        continue
                    seq = {"seq": self.begun[name] + 1}
                    answer = await ask(self.root, f"CONSUMER.RESET.{name}.{durable['name']}", seq)
                    assert "error" not in answer, answer
            await self.settled()
        assert [event.id for event in await self.events()] == before, "a redelivered message had an effect"

    async def check(self) -> None:
        """What must hold at the end of every scene."""
        for country in sorted({event.country for event in await self.events() if event.country != "REG"}):
            await self.received(country)
        logs = await self.logs()
        own = _set_off(self.reports, logs)
        known, roots = {event.id for event in logs}, {report["id"] for report in self.reports}
        for event in own:
            if event.causationid and not event.source.startswith("urn:crm:country:"):
                assert event.causationid in known, f"{event.name} names a cause that is not recorded"
                assert event.correlationid in roots, f"{event.name} does not name the report that began it"
        for country in sorted({event.country for event in own if event.country != "REG"} | {*self.clients}):
            addressed = sorted((event.source, event.id) for event in own if event.country == country)
            box = await self.received(country)
            assert sorted((event.source, event.id) for event in box) == addressed, f"the mailbox of {country}"
            for service in SERVICES:
                sequences = [event.sequence for event in box if event.name.startswith(f"{service}.")]
                assert sequences == sorted(sequences), f"{country} got the events of {service} out of order"
        assert not (found := self.complaints()), found

    def complaints(self) -> list[dict[str, Any]]:
        """What the services logged as errors since the scene began; and which have ended."""
        found: list[dict[str, Any]] = []
        for name, start in self.written.items():
            bad = [line for line in self.system._lines(name, start) if line["level"] in {"error", "critical"}]
            found += [{"process": name, **line} for line in bad]
            if (code := self.system.processes[name].poll()) is not None:
                found.append({"process": name, "ended": code})
        return found


@pytest.fixture(params=["written", *(pytest.param(manner, marks=pytest.mark.long) for manner in MANNERS[1:])])
async def scene(request: pytest.FixtureRequest, stage: Stage) -> AsyncIterator[Scene]:
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    print(f"SEED={seed}")
    region = stage.scene_region()
    system = System(region, stage.system.folder, stage.system.processes, stage.system.begun)
    database = await asyncpg.connect(region.database_url())
    begun = {name: stream["state"]["last_seq"] for name, stream in look(region).items()}
    written = {name: (system.folder / f"{name}.log").stat().st_size for name in system.processes}
    operator, root = await region.connect(OPERATOR), await region.connect(ROOT)
    settling = Settling(region, stage.clock.now, database, operator)
    own = Scene(
        stage,
        system,
        request.param,
        next(_number),
        random.Random(seed),
        operator,
        root,
        database,
        begun,
        settling,
        written,
    )
    try:
        await own.settled()
        yield own
        if own.manner == "thrice":
            await own.encore()
        await own.check()
    finally:
        await system.close()
        for context in system.clients:
            await context.__aexit__(None, None, None)
        await operator.close()
        await root.close()
        await database.close()


def _set_off(reports: list[dict[str, Any]], logs: list[Event[Any]]) -> list[Event[Any]]:
    """The reports among the recorded events, what names them as what began it, and what that set off."""
    roots = {report["id"] for report in reports}
    own = [event for event in logs if event.id in roots or event.correlationid in roots]
    known = {event.id for event in own}
    return own + [event for event in logs if event.causationid in known and event.id not in known]


def sent(scene, country, to, number="ref", **changes):
    """A referral from `country` to `to`, with an override in place of a consent."""
    changes = {"referral_id": scene.id(number), "from": country, "to": to, "urgency": "danger"} | changes
    return scene.say(country, "victims.referral.sent", **changes)


def said(scene, country, verb, number="ref", **changes):
    """What a country does with a referral: accepted, rejected, revoked, completed."""
    return scene.say(country, f"victims.referral.{verb}", referral_id=scene.id(number), **changes)


def told(events):
    """What a mailbox says, without the country's own reports coming back: kinds of alerts, names of the rest."""
    own = "urn:crm:country:"
    return [getattr(event.data, "kind", event.name) for event in events if not event.source.startswith(own)]
