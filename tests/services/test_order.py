"""Of one report's amendments the one that was sent last holds, in whatever order they reach a service."""

import importlib
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.victims.__main__ import SERVICE as VICTIMS
from shared.contracts import Corrected, registry
from shared.contracts.reads import READS
from shared.flow.streams import stream_of
from shared.record.log import Draft
from tests.harness import desk as harness
from tests.harness.paper import Paper, is_amendment
from tests.harness.speaking import Mailbox, clock, example, say
from tests.harness.system import until
from tests.services.test_any_order import SERVICES, amendments, piece, plain, stands

REPORTS = 20
NAME = "victims.service.provided"


async def test_a_correction_that_waited_does_not_replace_the_one_sent_after_it(system):
    """Corrections wait for their reports, which come together with later corrections."""
    system.start("victims", **clock())
    await system.ready()
    gtm = await system.country("GTM")
    reports = [say(gtm, NAME, **example(NAME, victim_pid=f"vic-{n}", sex="female")) for n in range(REPORTS)]

    def corrections(sex):
        return [
            say(gtm, "victims.service.corrected", supersedes=one["id"], data=one["data"] | {"sex": sex})
            for one in reports
        ]

    early, late = corrections("male"), corrections("unknown")
    await gtm.publish_all(early)
    waiting = "select 1 from aside where kind = 'waiting' offset $1"
    await until(lambda: system.rows("victims", waiting, REPORTS - 1), "the corrections to wait")
    await gtm.publish_all([*reports, *late])
    await system.recorded("victims", NAME, REPORTS)

    async def settled():
        return not await system.rows("victims", waiting, 0)

    await until(settled, "what waited to be settled")
    holds = {
        one.data.original_id: one.data.data["sex"] for one in await system.log("victims", "victims.service.corrected")
    }
    assert holds == {one["id"]: "unknown" for one in reports}
    rejected = await Mailbox(gtm).awaited("victims.report.rejected", REPORTS)
    assert {(p.pointer, p.code) for one in rejected for p in one.data.problems} == {("/data/supersedes", "superseded")}
    assert {one.data.report_id for one in rejected} == {one["id"] for one in early}


@pytest.fixture
async def victims(postgres_server):
    async with harness.desk(postgres_server, VICTIMS) as desk:
        yield desk


async def codes(desk, *sent):
    """Record (report, when it was sent) one after the other; return why each is refused."""
    outcomes = [outcome for one in sent for outcome in await desk.log.record([Draft(one[0], sent=one[1])])]
    return [one and [problem.code for problem in one.problems] for one in outcomes]


async def test_what_the_service_itself_amends_leaves_the_order_of_the_senders_amendments(victims):
    first, second = (victims.event(NAME, victim_pid=f"vic-{n}") for n in range(2))
    early, middle, late = (victims.corrected(first, sex=sex) for sex in ("female", "male", "unknown"))
    merged = registry()["crm.victims.victim.merged.v1"]
    merge = msgspec.structs.replace(
        first,
        id="merge",
        type=merged.type,
        data=msgspec.convert({"into": "vic-1", "reported_by": first.data.reported_by}, merged.data),
        subject="vic-0",
    )
    drafts = [(first, 1), (second, 2), (middle, 4), (merge, 5), (early, 3), (late, 6), (victims.corrected(first), 6)]
    assert await codes(victims, *drafts) == [None, None, None, None, ["superseded"], None, None]


async def test_an_older_retraction_still_withdraws_and_what_nobody_knows_the_time_of_holds(victims):
    first, second = (victims.event(NAME, victim_pid=f"vic-{n}") for n in range(2))
    drafts = [(first, 1), (victims.corrected(first), 3), (victims.retracted(first), 2), (victims.corrected(first), 4)]
    assert await codes(victims, *drafts) == [None, None, None, ["already_retracted"]]
    unknown = [(second, None), (victims.corrected(second), 9), (victims.corrected(second), None)]
    assert await codes(victims, *unknown, (victims.corrected(second), 1)) == [None] * 4


async def test_a_correction_of_a_correction_stands_on_that_whenever_it_was_sent(victims):
    first = victims.event(NAME, sex="female")
    early, late = victims.corrected(first, sex="male"), victims.corrected(first, sex="unknown")
    upon = msgspec.structs.replace(late, id="upon", data=msgspec.structs.replace(early.data, supersedes=late.id))
    assert await codes(victims, (first, 1), (late, 4), (upon, 2), (early, 3)) == [None, None, None, ["superseded"]]


HEARD = [
    (service, name)
    for service, names in READS.items()
    for name in names
    if f"{name.rpartition('.')[0]}.corrected" in names and not registry()[f"crm.{name}.v1"].generic
]
PLACE = 10
"""Where the report stands in its service's log; its amendments stand behind it."""


@pytest.mark.parametrize("last", ["corrected", "retracted"])
@pytest.mark.parametrize(("service", "name"), HEARD)
async def test_of_what_another_service_amended_the_last_holds_however_it_is_heard(postgres_server, service, name, last):
    process = importlib.import_module(f"services.{service}.__main__").SERVICE
    agreed = registry()[f"crm.{name}.v1"]
    found = []
    for order in ([0, 1, 2, 3], [0, 2, 1, 3], [0, 3, 2, 1], [0, 2, 3, 1]):
        async with harness.desk(postgres_server, process) as desk:
            root = desk.event(name)
            said = [msgspec.to_builtins(root.data) | {agreed.entity: f"thing-{n}"} for n in range(1, 4)]
            history = [root, *(desk.corrected(root, **data) for data in said)]
            if last == "retracted":
                history[3] = desk.retracted(root)
            before = [said[0], *said]
            for number, one in enumerate(history[1:], 1):
                more = {"original_sequence": PLACE, "previous": before[number - 1]}
                history[number] = msgspec.structs.replace(one, data=msgspec.structs.replace(one.data, **more))
            for number in order:
                draft = Draft(history[number], (stream_of(agreed.service), PLACE + number))
                assert await desk.log.record([draft]) == [None]
            found.append(await kept(desk))
    assert all(one == found[0] for one in found), found


async def kept(desk):
    """What a service keeps of others' reports, and what it told because of them."""
    heard = await desk.log.pool.fetch("select sequence, event from heard order by sequence")
    about = await desk.log.pool.fetch("select thing, at, position from about where stream <> '' order by 1, 2, 3")
    told = await desk.log.pool.fetch("select scope, type, country from notified order by 1, 2, 3")
    return [*map(tuple, heard)], [*map(tuple, about)], [*map(tuple, told)]


def rounds_of(reports, chance):
    """Amendments of some reports, several of one, in the order in which they are sent; a retraction is the last."""
    sent = [one for _ in range(3) for one, _ in amendments(reports, chance)]
    gone = {one.data.supersedes: one for one in sent if not isinstance(one.data, Corrected)}
    sent = [one for one in sent if isinstance(one.data, Corrected)] + [*gone.values()]
    return [(msgspec.structs.replace(one, id=f"{one.id}-{n}"), None, n) for n, one in enumerate(sent, 1)]


def one_of(sent, chance):
    """The amendments of one of the reports that have several."""
    named = [one[0].data.supersedes for one in sent]
    several = sorted({one for one in named if named.count(one) > 1})
    chosen = chance.choice(several) if several else None
    return [one for one in sent if one[0].data.supersedes == chosen]


@pytest.mark.parametrize("name", SERVICES)
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_of_amendments_in_any_order_that_holds_which_was_sent_last(name, seed):
    chance = random.Random(seed)
    service, found = piece(name, chance)
    reports = [one for one in found if not is_amendment(one[0])]
    now = max(event.recordedtime for event, _ in reports)
    mixed, in_order = Paper(service, now), Paper(service, now)
    for event, heard in reports:
        mixed.tell(event, heard)
        in_order.tell(event, heard)
    # Of one report: those of another may take away what this one's name, and then it waits for that.
    sent = one_of(rounds_of(reports, chance), chance)
    for one in sent:
        in_order.tell(*one)
    recorded = {event.id for event in in_order.events()}
    taken = [one for one in sent if one[0].id in recorded]
    for one in chance.sample(taken, len(taken)):
        mixed.tell(*one)
    assert [plain(event) for event, _ in mixed.reports()] == [plain(event) for event, _ in in_order.reports()]
    assert stands(name, mixed) == stands(name, in_order)
