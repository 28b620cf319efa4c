"""A figure for a period or a day is counted once: the later takes the place of the earlier, overlaps are refused."""

import random
from itertools import permutations

import msgspec
import pytest

from services.intel.__main__ import SERVICE as INTEL
from services.training.__main__ import SERVICE as TRAINING
from shared.contracts import Refused, registry
from shared.contracts.vocabulary import MEMBERS
from tests.harness import desk as harness
from tests.services.indicators.making import folded, row

AGGREGATES = sorted(one.name for one in registry().values() if one.aggregate)
JANUARY = {"since": "2024-01-01", "until": "2024-01-31"}
FEBRUARY = {"since": "2024-02-01", "until": "2024-02-29"}
QUARTER = {"since": "2024-01-01", "until": "2024-03-31"}


@pytest.fixture
async def intel(postgres_server):
    async with harness.desk(postgres_server, INTEL) as own:
        yield own


@pytest.fixture
async def training(postgres_server):
    async with harness.desk(postgres_server, TRAINING) as own:
        yield own


def inspected(intel, count, period=JANUARY, days=0.0, **said):
    said = {"by": "CRI", "kind": "inspections", **period, **said}
    return intel.event("intel.controlstat.reported", days, count=count, **said)


async def fold(desk):
    return folded(
        *[bytes(one["payload"]) for one in await desk.log.pool.fetch("select payload from log order by position")]
    )


async def total(desk, country="CRI", kind="inspections", as_of=""):
    """Of the controls, what the figures have."""
    found = row(await fold(desk), "IE-3.1iv", as_of)
    return sum(cell.value for cell in found.cells if cell.country == country and cell.labels["kind"] == kind)


def codes(outcome):
    assert isinstance(outcome, Refused), outcome
    return [(one.pointer, one.code) for one in outcome.problems]


@pytest.mark.parametrize("at_once", [False, True])
async def test_the_later_replaces_the_earlier_and_the_quarter_over_it_is_refused(intel, at_once):
    months = [inspected(intel, 1000), inspected(intel, 1100), inspected(intel, 1200, FEBRUARY)]
    if at_once:
        await intel.tell_at_once(*months)
    else:
        await intel.tell(*months)
    assert await total(intel) == 2300
    (refused,) = await intel.record(inspected(intel, 3300, QUARTER))
    assert codes(refused) == [("/data/until", "overlapping_period")]
    assert "2024" not in str([one.message for one in refused.problems])
    others = [inspected(intel, 7, QUARTER, kind="refusals"), inspected(intel, 8, QUARTER, by="PAN")]
    await intel.tell(*others)
    assert (await total(intel), await total(intel, kind="refusals"), await total(intel, "PAN")) == (2300, 7, 8)


@pytest.mark.parametrize("at_once", [False, True])
async def test_the_time_of_the_reports_decides_in_whatever_order_they_arrive(intel, at_once):
    for country, order in zip(MEMBERS, permutations(range(3)), strict=False):
        told = [inspected(intel, 1000 + number, days=number, by=country) for number in range(3)]
        arriving = [told[number] for number in order]
        await (intel.tell_at_once(*arriving) if at_once else intel.tell(*arriving))
        assert await total(intel, country) == 1002
        assert await total(intel, country, as_of=max(one.time for one in told).date().isoformat()) == 1002


async def test_what_replaces_counts_from_the_time_of_what_it_replaces(intel):
    await intel.tell(inspected(intel, 1000), inspected(intel, 1100, days=40))
    assert await total(intel, as_of="2004-03-02") == 1100


@pytest.mark.parametrize("named", [0, 1, 2])
async def test_either_id_names_the_figure_in_corrections_and_retractions(intel, named):
    told = [inspected(intel, 1000 + number) for number in range(3)]
    await intel.tell(*told)
    await intel.tell(intel.corrected(told[named], count=5))
    assert await total(intel) == 5
    moved = intel.corrected(told[named], count=6, **FEBRUARY)
    await intel.tell(moved)
    assert await total(intel) == 6
    await intel.tell(inspected(intel, 100))
    assert await total(intel) == 106
    back = intel.corrected(told[named], **JANUARY)
    assert codes((await intel.record(back))[0]) == [("/data/data/until", "overlapping_period")]
    await intel.tell(intel.retracted(told[named]))
    assert await total(intel) == 100
    await intel.tell(inspected(intel, 200, FEBRUARY))
    assert await total(intel) == 300


async def test_a_withdrawn_one_frees_its_period(intel):
    january = inspected(intel, 1000)
    await intel.tell(january, intel.retracted(january), inspected(intel, 3300, QUARTER))
    assert await total(intel) == 3300


async def test_a_correction_counts_as_told_when_it_was(intel):
    first = inspected(intel, 1000)
    correction = msgspec.structs.replace(intel.corrected(first, count=1050), time=inspected(intel, 0, days=3).time)
    await intel.tell(first, correction, inspected(intel, 1100, days=1))
    assert await total(intel) == 1050
    await intel.tell(inspected(intel, 1200, days=4))
    assert await total(intel) == 1200


OVERLAPS = [
    ({"since": "2024-01-31", "until": "2024-02-10"}, "since"),
    ({"since": "2023-12-01", "until": "2024-01-01"}, "until"),
    ({"since": "2024-01-05", "until": "2024-01-06"}, "since"),
    ({"since": "2023-01-05", "until": "2025-01-06"}, "until"),
    ({"since": "2024-01-01", "until": "2024-01-30"}, "until"),
]


async def test_every_overlap_is_refused_and_what_touches_is_not(intel):
    await intel.tell(inspected(intel, 1000))
    for period, field in OVERLAPS:
        (refused,) = await intel.record(inspected(intel, 1, period))
        assert codes(refused) == [(f"/data/{field}", "overlapping_period")]
    before, after = {"since": "2023-12-01", "until": "2023-12-31"}, FEBRUARY
    await intel.tell(inspected(intel, 10, before), inspected(intel, 20, after))
    assert await total(intel) == 1030


def declared(training, headcount, days=0.0, **changes):
    changes = {"as_of": "2004-01-31", "technical_headcount": ...} | changes
    return training.event("training.workforce.declared", days, headcount=headcount, **changes)


async def level(training, country="GTM", as_of=""):
    found = row(await fold(training), "IP-2.1", as_of)
    return [cell.denominator for cell in found.cells if cell.country == country]


async def test_as_of_decides_the_level_on_every_day(training):
    orders = random.Random(5).sample(list(permutations(range(4))), k=len(MEMBERS))
    for country, order in zip(MEMBERS, orders, strict=True):
        told = [
            declared(training, 840, days=1, by=country, as_of="2003-12-31"),
            declared(training, 700, days=3, by=country, as_of="2003-06-30"),  # told later, of an earlier day
            declared(training, 900, days=2, by=country, as_of="2004-01-31"),
            declared(training, 910, days=4, by=country, as_of="2004-01-31"),  # takes the place of the one before
        ]
        await training.tell(*[told[number] for number in order])
        assert await level(training, country) == [910]
        history = {"2003-06-29": [], "2003-06-30": [700], "2003-12-30": [700], "2003-12-31": [840], "2004-01-31": [910]}
        assert {day: await level(training, country, day) for day in history} == history


async def test_without_a_day_it_is_that_of_the_report(training):
    await training.tell(declared(training, 840, as_of=...), declared(training, 850, days=0.1, as_of=...))
    assert await level(training) == [850]
    assert len(await training.recorded("training.workforce.retracted")) == 1
    await training.tell(declared(training, 860, days=1, as_of=...))
    assert await level(training) == [860]
    assert await level(training, as_of="2004-03-01") == [850]


KEPT = {
    "intel.controlstat.reported": (INTEL, "count"),
    "intel.dataset.submitted": (INTEL, "rows"),
    "training.plan.approved": (TRAINING, "courses"),
    "training.survey.closed": (TRAINING, "n"),
    "training.survey.opened": (TRAINING, "asked"),
    "training.workforce.declared": (TRAINING, "headcount"),
}


def test_these_are_the_types_that_report_a_figure_for_a_period_or_a_day():
    assert sorted(KEPT) == AGGREGATES


@pytest.mark.parametrize("name", KEPT)
async def test_of_every_such_type_the_figure_counts_once(postgres_server, name):
    service, field = KEPT[name]
    entity = registry()[f"crm.{name}.v1"].entity
    async with harness.desk(postgres_server, service) as desk:
        first, second = [desk.event(name, number / 10, **{field: 1000 + number}) for number in range(2)]
        await desk.tell_at_once(first, second)
        assert await summed(desk, name, field) == 1001
        if entity:  # two identifiers of one thing
            other = desk.event(name, 1, **{field: 1002, entity: "another"})
            await desk.tell(other)
            assert await summed(desk, name, field) == 2003
            merge = desk.event(f"{name.rpartition('.')[0]}.merged", 2, entity=..., into="another")
            await desk.tell(msgspec.structs.replace(merge, subject=getattr(first.data, entity)))
            assert await summed(desk, name, field) == 1002
            await desk.tell(desk.event(name, 3, **{field: 1003}))
            assert await summed(desk, name, field) == 1003
        await desk.tell(desk.retracted(second))
        assert await summed(desk, name, field) == 0


async def summed(desk, name, field):
    """What adds up of a field, by the reports and what amends them."""
    amount = 0
    for event in await desk.recorded():
        if event.name == name:
            amount += getattr(event.data, field)
        elif event.verb in {"corrected", "retracted"} and event.data.original == f"crm.{name}.v1":
            amount -= event.data.previous[field]
            amount += event.data.data[field] if event.verb == "corrected" else 0
    return amount
