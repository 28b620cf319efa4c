"""What is corrected, retracted and merged counts as if it had been told so at once: in each row, as of several days.

The reports are the region's own, from the golden logs, recorded in a service's real tables. The clean history has each
once, as it stands in the end.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec
import pytest

from services.indicators.figures.figures import EXACT, all_figures
from services.indicators.figures.kinds import Span
from services.indicators.folded.fold import Fold
from services.indicators.planned.plan import load
from services.indicators.publish.words import TIME
from shared import contracts
from shared.contracts import Refused
from shared.contracts.vocabulary import REGION
from shared.record.judgement import Unknown
from shared.record.log import Draft
from tests.harness import desk as harness
from tests.harness.paper import is_amendment
from tests.services.test_any_order import IN_ORDER, SERVICES, amendments, history, plain, shuffled_apart

pytestmark = pytest.mark.long

PLAN = load()
PIECE, BATCH = 180, 8
SEEDS = (0, 3, 8, 9, 20, 27, 30, 45)
"""3, 8 and 9 find a correction that keeps what its report counted: a call corrected to a meal stayed a call. 20 and 45
find gaps of days before a withdrawal; 27 two countries' changes of law merged, and needs whose course is withdrawn; 30
needs that were met by what is withdrawn."""
AT_ONCE = {"VA-4.1b.gaps", "VA-5.1.on_time", "VA-6.1b.reviews", "XC-6.timely", "XC-6.timely.victims"}
"""Rows of what was judged when a report came: whether it was late, and what was due by then (docs/decisions.md)."""


def piece(name, chance):
    """Some reports of three countries, near in time."""
    service, found = history(name)
    start = chance.randrange(max(1, len(found) - 2 * PIECE))
    countries = {event.country for event, _ in chance.sample(found[start : start + PIECE // 2], 3)}
    near = found[start : start + 2 * PIECE]
    return service, [one for one in near if one[0].country in countries and not is_amendment(one[0])][:PIECE]


def merges(reports, chance) -> Iterator[tuple[contracts.Event, None]]:
    """For some countries and types, that two of the things reported are one."""
    own = [event for event, heard in reports if heard is None and contracts.registry()[event.type].entity]
    named = {}
    for event in own:
        named.setdefault((event.country, event.type), {})[event.subject] = event
    for number, told in enumerate(named.values()):
        if len(told) > 1 and chance.random() < 0.5:
            goes, stays = chance.sample(sorted(told), 2)
            event, agreed = told[goes], contracts.registry()[told[goes].type]
            merged = f"{agreed.service}.{agreed.entity_name}.merged"
            (generic,) = (
                one for one in contracts.registry().values() if one.name == merged and one.generic and one.reported
            )
            data = msgspec.convert({"into": stays, "reported_by": event.data.reported_by}, generic.data)
            yield msgspec.structs.replace(event, id=f"m-{number}", type=generic.type, data=data), None


async def told(desk, reports, chance):
    """Record reports, and those that wait for others again; return how many are left waiting or were refused."""
    waiting, refused, before = [Draft(*one) for one in reports], 0, -1
    while waiting and len(waiting) != before:
        before, left, waiting = len(waiting), waiting, []
        while left:
            size = chance.randrange(1, BATCH + 1)
            batch, left = left[:size], left[size:]
            outcomes = await desk.log.record(batch)
            waiting += [one for one, outcome in zip(batch, outcomes, strict=True) if isinstance(outcome, Unknown)]
            refused += sum(isinstance(outcome, Refused) for outcome in outcomes)
            assert all(outcome is None or isinstance(outcome, Unknown | Refused) for outcome in outcomes), outcomes
    return len(waiting) + refused


async def standing(desk):
    """The reports that stand, each as it stands, in the order in which they came: of what differs the first holds."""
    rows = await desk.log.pool.fetch(
        "select l.payload, a.latest, a.retracted from log l left join amended a on a.root = l.position"
        " order by l.position"
    )
    found = []
    for row in rows:
        event = contracts.decode(row["payload"])
        agreed = contracts.registry()[event.type]
        if contracts.sender_of(event.source) == REGION or agreed.generic or row["retracted"]:
            continue
        if row["latest"] is not None:
            event = msgspec.structs.replace(event, data=msgspec.json.decode(row["latest"], type=type(event.data)))
        named = getattr(event.data, agreed.entity) if agreed.entity else ""
        found.append(msgspec.structs.replace(plain(event), subject=named or event.subject))
    return found


async def figures(desk, days):
    """By day, row and cell: every figure that is not 0 and no time."""
    fold = Fold(PLAN)
    rows = await desk.log.pool.fetch("select payload from log order by position")
    for number, row in enumerate(rows, 1):
        fold.apply(desk.log.service, number, bytes(row["payload"]))
    return {
        (day, one.row.id, cell.country, *sorted(cell.labels.items())): cell.value
        for day in days
        for one in all_figures(PLAN, fold.state, Span.as_of(day), closed=EXACT)
        if one.row.unit != TIME and one.row.id not in AT_ONCE
        for cell in one.cells
        if cell.value
    }


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", SERVICES)
async def test_amended_reports_count_as_if_they_had_been_told_so(postgres_server, name, seed):
    chance = random.Random(seed)
    service, reports = piece(name, chance)
    now = max(event.recordedtime for event, _ in reports) + timedelta(days=1)
    mixed = [*reports, *amendments(reports, chance), *merges(reports, chance)]
    in_some_order = [*shuffled_apart(mixed, chance)] if name in IN_ORDER else chance.sample(mixed, len(mixed))
    async with harness.desk(postgres_server, service) as amended, harness.desk(postgres_server, service) as clean:
        amended.clock.at = clean.clock.at = now
        await told(amended, in_some_order, chance)
        heard = [one for one in in_some_order if one[1]]
        stand = [(event, None) for event in await standing(amended)]
        assert await told(clean, [*heard, *stand], chance) == 0
        days = [now.date(), now.date() - timedelta(days=30), now.date() - timedelta(days=90), date(2003, 12, 31)]
        found, expected = await figures(amended, days), await figures(clean, days)
    assert {key: value for key, value in found.items() if value != expected.get(key)} == {}
    assert found.keys() == expected.keys()
