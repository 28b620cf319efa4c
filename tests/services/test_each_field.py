"""A correction of any single field, and a retraction, leave exactly what a history without the mistake leaves.

Of what legal and intel are told and hear: what is told and to be told, and what the services fill in and count.
"""

import random
from collections import Counter
from datetime import date, timedelta
from functools import cache
from typing import Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.contracts import Corrected, Retracted, registry
from tests.harness.paper import Paper, is_amendment
from tests.services.test_any_order import piece, plain, stands

ONCE = "crm.intel.contactpoint."
"""Types of reports that are told unless there was later news when they came: of an amendment the news is later."""
STEPS = ("open_witnesses", "open_protected")
"""What each report changes of a number, beside all others: only their sum is the same."""
LATER = 10_000_000
"""Where another service's amendment stands in its log: behind all reports."""
TIMES = 6


@pytest.mark.parametrize("name", ["intel", "legal"])
@settings(max_examples=25, deadline=None)
@example(seed=0)
@given(seed=st.integers(0, 2**32))
def test_what_was_told_by_mistake_leaves_nothing_once_it_is_mended(name, seed):
    chance = random.Random(seed)
    service, found = piece(name, chance)
    reports = [one for one in found if not is_amendment(one[0]) and not registry()[one[0].type].generic]
    kinds = {}
    for number, (event, _) in enumerate(reports):
        if registry()[event.type].data in service.judged() and not event.type.startswith(ONCE):
            kinds.setdefault(event.type, []).append(number)
    now = max(event.recordedtime for event, _ in reports)

    def told(*drafts):
        paper = Paper(service, now)
        for draft in drafts:
            paper.tell(*draft)
        return paper

    whole = told(*reports)
    for kind in chance.sample(sorted(kinds), min(TIMES, len(kinds))):
        number = chance.choice(kinds[kind])
        event, heard = reports[number]
        mended = otherwise(event, reports, chance) if chance.random() < 0.8 else None
        if mended is None and registry()[event.type].aggregate:
            continue  # other reports of the period may have been taken into its figure, and go with it
        behind = chance.randrange(number, len(reports)) + 1
        mending = amendment(event, heard, now, mended), heard and (heard[0], LATER)
        amended = told(*reports[:behind], mending, *reports[behind:])
        if stuck(amended) != stuck(whole):
            continue  # it may not be mended so
        right = [] if mended is None else [(msgspec.structs.replace(plain(event), data=mended), heard)]
        clean = told(*reports[:number], *right, *reports[number + 1 :])
        if stuck(clean) == stuck(whole):
            assert left(name, amended) == left(name, clean), (event.type, event.data, mended)


def stuck(paper):
    """How many reports were refused, or wait."""
    return len(paper.refused), len(paper.waiting)


def otherwise(event, reports, chance):
    """The data of a report with one field as others say it, as its words have it, earlier, or left out."""
    data = plain(event).data
    name = chance.choice([one for one in data.__struct_fields__ if one not in registry()[event.type].derived])
    said = getattr(data, name)
    others = [getattr(one.data, name) for one, _ in reports if one.country == event.country and hasattr(one.data, name)]
    values = [*words(type(data), name), None, chance.choice([one for one in others if one != said] or [None])]
    values += [said - timedelta(days=days) for days in (20, 90)] if isinstance(said, date) else []
    new = msgspec.structs.replace(data, **{name: chance.choice(values)})
    try:
        return msgspec.convert(msgspec.to_builtins(new), type(data))
    except msgspec.ValidationError:
        return data  # nobody can say so


@cache
def words(kind, name):
    """The words of a field that has a closed list."""
    return tuple(_words(get_type_hints(kind)[name]))


def _words(hint):
    if get_origin(hint) is Literal:
        return get_args(hint)
    return [] if get_origin(hint) is tuple else [word for part in get_args(hint) for word in _words(part)]


def amendment(event, heard, now, mended):
    """What corrects a report to `mended` or, of None, retracts it; of one that was heard, as its service tells it."""
    agreed, kind = registry()[event.type], Retracted if mended is None else Corrected
    name = f"{agreed.service}.{agreed.entity_name}.{kind.__name__.lower()}"
    wire = next(one.type for one in registry().values() if one.name == name and one.generic)
    said = {"supersedes": event.id, "reported_by": getattr(event.data, "reported_by", "immigration")}
    said |= {"reason": "mistaken"} if mended is None else {"data": msgspec.to_builtins(mended)}
    if heard:
        said |= {
            "original": event.type,
            "original_id": event.id,
            "original_source": event.source,
            "original_time": event.time.isoformat(),
            "original_recordedtime": now.isoformat(),
            "original_sequence": heard[1],
            "previous": msgspec.to_builtins(event.data),
        }
    return msgspec.structs.replace(event, id=f"{event.id[:40]}-mended", type=wire, data=msgspec.convert(said, kind))


def left(name, paper):
    """What is told and stands, what is to be told, what is filled in, and how each number goes."""
    waits = [
        (key.split("/")[0], due) for key, one in paper.deciding.tables.deadlines.batch.items() if one for due in one[:1]
    ]
    filled = {}
    for event, heard in paper.reports():
        derived = {*registry()[event.type].derived} - {*STEPS}
        filled[heard or (event.source, event.id)] = {one: getattr(event.data, one) for one in derived}
    return stands(name, paper), Counter(waits), filled, goes(paper)


def goes(paper):
    """How each number goes: what was put into it, less what was taken out again."""
    steps = Counter()
    for event in paper.events():
        data = msgspec.to_builtins(event.data)
        put, taken = (data.get("data"), data.get("previous")) if is_amendment(event) else (data, None)
        for one, sign in ((put, 1), (taken, -1)):
            for field in STEPS:
                for step in (one or {}).get(field) or ():
                    steps[event.country, field, step["at"].replace("+00:00", "Z")] += sign * step["by"]
    return {one: by for one, by in steps.items() if by}
