"""Who hears of milestones, reports and targets: the presidency and who is responsible, each once, in its mailbox."""

import math
from datetime import UTC, datetime
from types import SimpleNamespace

import msgspec
import pytest

from services.indicators.folded.fold import Fold
from services.indicators.publish.announce import Announcer
from shared import contracts
from shared.contracts.notice import Alert
from shared.contracts.vocabulary import MEMBERS
from shared.record.log import Draft
from tests.services.indicators.making import PLAN, amend, event
from tests.services.indicators.test_announce import Hand, recording


class Announcing:
    """An announcer over a fold that hears what it records itself."""

    def __init__(self, log, clock, recorded):
        self.log, self.clock, self._recorded, self._seen = log, clock, recorded, 0
        self.fold = Fold(PLAN)
        self.announcer = None

    def hears(self, *payloads):
        for payload in payloads:
            service = contracts.decode(payload).name.partition(".")[0]
            self.fold.apply(service, self.fold.state.sequences.get(service, 0) + 1, payload)

    async def at(self, *moment):
        """Look at a time, as an announcer that has just started does; return the alerts: (to, kind, entity, body)."""
        self.clock.at = datetime(*moment, tzinfo=UTC)
        feed = SimpleNamespace(state=self.fold.state, caught_up=True)
        self.announcer = await Announcer.begun(self.log, feed, PLAN)
        self.announcer._looked = -math.inf
        while True:
            assert await self.announcer.look() == []
            new = (await self._recorded())[self._seen :]
            self._seen += len(new)
            if not new:
                return self.told
            self.hears(*new)
            self.told += [
                (one.country, one.data.kind, one.data.entity, one.data.body)
                for one in map(contracts.decode, new)
                if isinstance(one.data, Alert)
            ]

    async def looks(self, *moment):
        self.told = []
        return await self.at(*moment)

    async def seated(self, body, holder, day):
        """The operator seats a holder."""
        data = {"body": body, "holder": holder, "effective_from": day, "reason": "rotation", "reported_by": body}
        report = contracts.decode(event("indicators.seat.assigned", "REG", f"{day}T00:00:00Z", **data))
        replaced = {"source": "urn:crm:service:operator", "id": f"{body}-{day}"}
        assert await self.log.record([Draft(msgspec.structs.replace(report, **replaced))]) == [None]


@pytest.fixture
async def desk(postgres_server):
    clock = Hand(datetime(2003, 5, 10, tzinfo=UTC))
    async with recording(postgres_server, clock) as (log, recorded):
        yield Announcing(log, clock, recorded)


def of(told, entity):
    return sorted(((to, kind, body) for to, kind, about, body in told if about == entity), key=str)


async def test_a_milestone_reached_by_a_report_about_a_person_is_told_to_nobody(desk):
    desk.hears(event("legal.witness.protected", "MEX", "2003-06-01T08:00:00Z"))
    told = await desk.looks(2003, 6, 2)
    recorded = [contracts.decode(one) for one in await desk._recorded()]
    assert "MS-VA-6" in {one.data.milestone for one in recorded if one.name == "indicators.milestone.reached"}
    assert of(told, "MS-VA-6") == []


async def test_who_has_not_done_it_is_reminded_before_and_told_when_it_is_missed(desk):
    designated = [event("legal.representative.designated", one, "2003-05-20T00:00:00Z") for one in MEMBERS[2:]]
    desk.hears(*designated)
    told = await desk.looks(2003, 6, 1, 12)
    assert of(told, "MS-LE-1") == [
        ("BLZ", "milestone_due", None),
        ("CAN", "milestone_due", None),
        ("MEX", "milestone_due", "ppt"),
    ]
    assert of(await desk.looks(2003, 6, 2), "MS-LE-1") == [], "told once"
    desk.hears(event("legal.representative.designated", "CAN", "2003-06-20T00:00:00Z"))
    assert of(await desk.looks(2003, 7, 2), "MS-LE-1") == [
        ("BLZ", "milestone_missed", None),
        ("MEX", "milestone_missed", "ppt"),
    ]
    desk.hears(event("legal.representative.designated", "BLZ", "2003-07-20T00:00:00Z"))
    told = of(await desk.looks(2003, 7, 21), "MS-LE-1")
    assert {to for to, *_ in told} == set(MEMBERS)
    assert {kind for _, kind, _ in told} == {"milestone_reached"}


async def test_the_missing_are_named_where_the_miss_is_recorded(desk):
    desk.hears(*(event("legal.representative.designated", one, "2003-05-20T00:00:00Z") for one in MEMBERS[2:]))
    await desk.looks(2003, 7, 2)
    events = [contracts.decode(one) for one in await desk._recorded()]
    (missed,) = [one.data for one in events if one.name == "indicators.milestone.missed" and one.subject == "MS-LE-1"]
    assert (missed.done, missed.needed, missed.missing) == (9, 11, ("BLZ", "CAN"))


async def test_the_presidency_is_who_presides_then(desk):
    await desk.seated("ppt", "PAN", "2003-06-15")
    assert ("MEX", "milestone_due", "ppt") in of(await desk.looks(2003, 6, 1, 12), "MS-LE-1")
    told = of(await desk.looks(2003, 7, 2), "MS-LE-1")
    assert ("PAN", "milestone_missed", "ppt") in told
    assert ("MEX", "milestone_missed", "technical_group") in told


async def test_a_body_that_a_secretariat_speaks_for_is_told_in_the_regions_mailbox(desk):
    await desk.seated("st", "ST", "2003-06-15")
    told = of(await desk.looks(2003, 8, 10), "MS-IE-1")
    assert told == [("MEX", "milestone_due", "ppt"), ("REG", "milestone_due", "st")]


async def test_a_report_is_told_to_the_presidency_and_who_is_responsible_and_so_is_each_revision(desk):
    desk.hears(event("legal.person.detained", "GTM", "2003-05-20T10:00:00Z"))
    told = of(await desk.looks(2003, 7, 1, 12), "2003-Q2")
    assert told == [(one, "report_published", body) for one, body in (("CAN", None), ("MEX", "ppt"), ("USA", None))]
    desk.hears(event("legal.person.detained", "HND", "2003-05-25T10:00:00Z", recorded="2003-07-01T14:00:00Z"))
    assert of(await desk.looks(2003, 7, 3, 12), "2003-Q2") == []  # what is about persons is never told anew
    desk.hears(event("intel.band.dismantled", "HND", "2003-05-25T10:00:00Z", recorded="2003-07-03T13:00:00Z"))
    assert len(of(await desk.looks(2003, 7, 4, 12), "2003-Q2")) == 3
    assert of(await desk.looks(2003, 7, 5, 12), "2003-Q2") == []


async def test_a_target_crossed_is_told_with_the_side_it_is_on(desk):
    """Eleven permanent representatives are the target of LE-1.1.1; its countries are responsible."""
    designated = [event("legal.representative.designated", one, "2003-05-20T00:00:00Z") for one in MEMBERS]
    for one, payload in zip(MEMBERS, designated, strict=True):
        assert contracts.decode(payload).country == one
    desk.hears(*designated)
    await desk.looks(2003, 5, 21)
    events = [contracts.decode(one) for one in await desk._recorded()]
    crossed = [one for one in events if isinstance(one.data, Alert) and one.data.entity == "LE-1.1.1"]
    assert {one.country for one in crossed} == set(MEMBERS)
    assert {(one.data.kind, one.data.reason) for one in crossed} == {("target_crossed", "reached")}
    desk.hears(event("legal.representative.vacated", "GTM", "2003-05-25T00:00:00Z"))
    await desk.looks(2003, 5, 26)
    events = [contracts.decode(one) for one in (await desk._recorded())[len(events) :]]
    crossed = [one for one in events if isinstance(one.data, Alert) and one.data.entity == "LE-1.1.1"]
    assert {(one.country, one.data.reason) for one in crossed} == {(one, "lost") for one in MEMBERS}


def test_whoever_is_responsible_for_a_milestone_or_row_is_somebody_who_can_be_told():
    responsible = {one.responsible for one in [*PLAN.milestones.values(), *PLAN.rows.values()]}
    assert responsible - PLAN.bodies.keys() == set()
    assert all(PLAN.bodies.values())


async def test_what_was_reached_and_is_withdrawn_is_told_anew_also_after_a_restart(desk):
    study = event("legal.study.published", "MEX", "2003-10-20T00:00:00Z")
    desk.hears(study)
    await desk.looks(2003, 10, 21)
    desk.hears(amend("retracted", study))
    await desk.looks(2003, 11, 2)
    await desk.looks(2003, 11, 3)
    desk.hears(event("legal.study.published", "MEX", "2003-11-10T00:00:00Z"))
    await desk.looks(2003, 11, 11)
    await desk.looks(2003, 11, 12)
    events = [contracts.decode(one) for one in await desk._recorded()]
    told = [one for one in events if one.subject == "MS-LE-3" and one.name.startswith("indicators.milestone.")]
    assert [one.name.rpartition(".")[2] for one in told] == ["reached", "missed", "reached"]
    assert len({one.id for one in told}) == 3
