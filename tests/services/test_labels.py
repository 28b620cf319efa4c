"""A number told apart by labels: each cell is what the reports that hold say, whatever the order in which they came.

What only opens counts as its first report says; what closes, too, and what has a level, as its latest one says. Two
offices tell of one thing under different labels, it is closed under others than it was opened with, and reports are
corrected and withdrawn.
"""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from services.indicators.figures.kinds import view
from services.intel.__main__ import SERVICE as INTEL
from services.legal.__main__ import SERVICE as LEGAL
from services.training.__main__ import SERVICE as TRAINING
from services.victims.__main__ import SERVICE as VICTIMS
from tests.services.tallying import NOW, PLAN, START, desk, report, shuffled_history


@dataclass(frozen=True)
class Case:
    """A row whose cells are told apart by a label, with the reports that move it."""

    service: Any
    row: str
    acts: dict[str, int | str]
    """Event type -> how much of the thing there is by it: 1, 0, or the field that says so."""
    key: dict[str, list[Any]]
    label: str
    values: list[Any]
    first: bool = False
    role: str = "value"
    place: int = 1
    """Where the label stands in the row's cells; 0: the row has none, and counts by a condition."""
    counted: tuple[str, ...] = ()
    """The values that the condition lets count."""
    amounts: dict[str, list[Any]] | None = None


THREE = [1, 2, 3]
CASES = {
    "complaints": Case(
        TRAINING,
        "IP-4.1.1.open",
        {"training.complaint.received": 1, "training.complaint.resolved": 0},
        {"complaint_id": ["cp-1", "cp-2"]},
        "category",
        ["bribery", "abuse", "other"],
    ),
    "officials": Case(
        TRAINING,
        "IP-a",
        {"training.official.enrolled": 1, "training.official.withdrawn": 0},
        {"officer_pid": ["of-1", "of-2"]},
        "sex",
        ["male", "female", "unknown"],
        place=2,
    ),
    "attendance": Case(
        TRAINING,
        "IE-3.2",
        {"training.attendance.recorded": 1},
        {"officer_pid": ["of-1", "of-2"]},
        "institution_type",
        ["migration", "other"],
        first=True,
    ),
    "detentions": Case(
        LEGAL,
        "IE-3.1i",
        {"legal.person.detained": 1},
        {"detention_id": ["de-1", "de-2"]},
        "offence",
        ["tip", "som", "other"],
        first=True,
    ),
    "laws": Case(
        LEGAL,
        "LE-1.R3",
        {"legal.law.amended": 1},
        {"version": ["v1", "v2"]},
        "crime_types",
        [["tip"], ["tip", "som"], ["som"]],
        first=True,
    ),
    "bands": Case(
        INTEL,
        "PC-1c.active",
        {"intel.band.identified": 1, "intel.band.dismantled": 0, "intel.band.reactivated": 1},
        {"band_id": ["ba-1", "ba-2"]},
        "offences",
        [["tip"], ["corruption"], ["som", "corruption"]],
        place=0,
        counted=("tip", "som"),
    ),
    "places": Case(
        INTEL,
        "IE-3.2.1",
        {"intel.location.reported": 1},
        {"place_ref": ["pl-1", "pl-2"]},
        "target_country",
        ["HND", "SLV", "MEX"],
        first=True,
    ),
    "phonebooks": Case(
        INTEL,
        "IE-1.2.3.numbers",
        {"intel.phonebook.seized": "entries_count"},
        {"seizure_id": ["se-1", "se-2"]},
        "media",
        ["phone", "book"],
        amounts={"entries_count": THREE},
    ),
    "occupations": Case(
        VICTIMS,
        "VA-5.2",
        {"victims.occupation.assessed": "occupied"},
        {"victim_pid": ["vi-1", "vi-2"]},
        "sex",
        ["male", "female"],
        role="numerator",
        amounts={"occupied": [True, False]},
    ),
    "assessed": Case(
        VICTIMS,
        "VA-5.2",
        {"victims.occupation.assessed": 1},
        {"victim_pid": ["vi-1", "vi-2"]},
        "sex",
        ["male", "female"],
        role="denominator",
        amounts={"occupied": [True, False]},
    ),
}


def _told(case, types, held, day):
    """Work out by hand, from the reports that hold, how much there is under each label at the end of a day."""
    things = {}
    for identity, (time, data) in sorted(held.items(), key=lambda one: one[1][0]):
        if time.date() <= day:
            act = case.acts[types[identity]]
            said = data[case.label]
            # A year's attendance counts once a year.
            thing = (*(data[name] for name in case.key), time.year if case.row == "IE-3.2" else 0)
            level = int(data[act]) if isinstance(act, str) else act
            if not (case.first and thing in things):
                things[thing] = level, said if isinstance(said, list | tuple) else [said]
    found = Counter()
    for level, labels in things.values():
        if case.place:
            found.update(dict.fromkeys(labels, level))
        elif {*labels} & {*case.counted}:
            found["counted"] += level
    return {label: level for label, level in found.items() if level}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", CASES)
async def test_each_cell_is_what_the_reports_that_hold_say(postgres_server, name, seed):
    case, rng = CASES[name], random.Random(seed)
    choices = case.key | (case.amounts or {}) | {case.label: case.values}
    times = rng.sample(range(500 * 24 * 60), 400)
    types = {}

    def making(rng):
        of = rng.choice([*case.acts])
        event = report(
            of,
            START + timedelta(minutes=times.pop()),
            **{name: rng.choice(values) for name, values in choices.items()},
        )
        types[event.id] = of
        return event

    def amended(rng, root):
        return msgspec.to_builtins(root.data) | {case.label: rng.choice(case.values)}

    async with desk(postgres_server, case.service) as table:
        await shuffled_history(table, rng, making, amended)
        fold = await table.fold()
    assert len(types) > 20
    for day in [START.date() + timedelta(days=n) for n in range(0, 510, 7)]:
        found = Counter()
        for key, level in view(PLAN, case.row, case.role, fold.state).upto(day.toordinal()):
            found[key[case.place] if case.place else "counted"] += level
        assert {label: n for label, n in found.items() if n} == _told(case, types, table.held, day), day


async def test_what_is_closed_under_another_label_leaves_the_one_it_was_opened_with(postgres_server):
    """A complaint received as bribery and resolved as abuse: none is open of either."""
    async with desk(postgres_server, TRAINING) as table:
        await table.record(
            report("training.complaint.received", START, complaint_id="cp-1", category="bribery"),
            report("training.complaint.resolved", START + timedelta(days=9), complaint_id="cp-1", category="abuse"),
        )
        fold = await table.fold()
    for after, wanted in ((8, {"bribery": 1}), (9, {})):
        day = (START + timedelta(days=after)).date().toordinal()
        cells = view(PLAN, "IP-4.1.1.open", "value", fold.state).upto(day)
        assert {key[1]: n for key, n in cells if n} == wanted


@pytest.mark.parametrize(("moved", "wanted"), [(0, {"som": 1}), (1, {"tip": 1})])
async def test_of_acts_of_before_labels_were_kept_a_correction_moves_its_own_share(postgres_server, moved, wanted):
    """Two told of one detention, and the first counts: corrected it moves what it counted, and the other's nothing."""
    async with desk(postgres_server, LEGAL) as table:
        told = [
            report("legal.person.detained", START + timedelta(days=day), detention_id="de-1", offence="tip")
            for day in (0, 5)
        ]
        await table.record(*told)
        await table.log.pool.execute("update tally set said = null")
        data = msgspec.to_builtins(told[moved].data) | {"offence": "som"}
        await table.record(report("legal.person.corrected", NOW, supersedes=told[moved].id, data=data))
        fold = await table.fold()
    cells = view(PLAN, "IE-3.1i", "value", fold.state).upto(NOW.date().toordinal())
    assert {key[1]: n for key, n in cells if n} == wanted
