"""Judgements on paper: any order, repetitions, corrections, retractions and merges end where a clean history ends.

The reports are the region's own, from the golden logs: a piece of them, with all that amends it. The clean history has
each report once, as it stands in the end, in the order of time.
"""

import importlib
import random
import re
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from shared import contracts
from tests.harness.closing import all_closed
from tests.harness.golden import lines
from tests.harness.paper import Paper, is_amendment

GOLDEN = Path(__file__).parents[1] / "golden"
SERVICES = ("intel", "legal", "training", "victims")
IN_ORDER = ("legal", "training", "victims")
"""Services whose reports about one person or case rest on each other: of these each stays behind its cause."""
NAMES = re.compile(rb'"(?:[a-z]+_id|[a-z]+_pid|instrument|causationid)":"([^"]+)"')
PIECE = 60
SEALED = 0.3
"""How often all that can be sealed is."""
ONCE = (
    "crm.legal.witness.review_opened.v1",  # asked for when the case is reported, unless it was done before
    "crm.legal.witness.review_overdue.v1",  # due by the day that was told when it was asked for
    "crm.victims.evaluation.overdue.v1",  # awaited from the return on: what was withdrawn since does not restart it
    "crm.victims.referral.escalated.v1",  # the same of an enrolment after a return
)
"""Types of notices that hang on what was on record when a report came (docs/decisions.md)."""


@cache
def history(name):
    """The service, and every draft of its golden log that was recorded: (event, where it was heard)."""
    service = importlib.import_module(f"services.{name}.__main__").SERVICE
    found = []
    for line in lines(GOLDEN / f"{name}.jsonl.xz"):
        for one, outcome in zip(line["drafts"], line["outcomes"], strict=True):
            if outcome is None and not line["fired"]:
                event = contracts.decode(one["event"].encode())
                if one["heard"] or contracts.sender_of(event.source) != "REG":
                    found.append((event, tuple(one["heard"]) if one["heard"] else None))
    return service, found


def piece(name, chance):
    """Some reports that have to do with each other: of one country or two, near in time, with their amendments."""
    service, found = history(name)
    start = chance.randrange(max(1, len(found) - 8 * PIECE))
    countries = {event.country for event, _ in chance.sample(found[start : start + PIECE], 2)}
    near = [one for one in found[start : start + 8 * PIECE] if one[0].country in countries]
    known = {event.id for event, _ in near}
    whole = [
        one for one in near if not is_amendment(one[0]) or (one[0].data.original_id or one[0].data.supersedes) in known
    ]
    whole = whole[: 2 * PIECE]
    sealed = name == "victims" and chance.random() < SEALED
    return service, [*all_closed(whole)] if sealed else whole


def amendments(reports, chance):
    """Corrections and retractions of some of the service's own reports: to what another of their type says."""
    own = [event for event, heard in reports if heard is None and not contracts.registry()[event.type].generic]
    for event in chance.sample(own, len(own) // 3):
        agreed = contracts.registry()[event.type]
        verb = chance.choice(("corrected", "corrected", "retracted"))
        generic = next(
            one
            for one in contracts.registry().values()
            if one.name == f"{agreed.service}.{agreed.entity_name}.{verb}" and one.generic
        )
        other = chance.choice([one for one in own if one.type == event.type and one.country == event.country])
        said = {"data": msgspec.to_builtins(plain(other).data)} if verb == "corrected" else {"reason": "mistaken"}
        data = msgspec.convert({"supersedes": event.id, "reported_by": event.data.reported_by, **said}, generic.data)
        yield msgspec.structs.replace(event, id=f"{event.id[:40]}-{verb}", type=generic.type, data=data), None


def shuffled_apart(reports, chance):
    """The reports in any order, but those that name the same in the order of their times, amendments behind."""
    groups = []
    for event, heard in sorted(reports, key=lambda one: (is_amendment(one[0]), one[0].time)):
        names = {event.id, event.subject, *(found.decode() for found in NAMES.findall(msgspec.json.encode(event)))}
        names |= {event.data.supersedes} if is_amendment(event) else set()
        same = [one for one in groups if one[0] & names]
        groups = [one for one in groups if one not in same]
        together = sorted(
            (one for group in same for one in group[1]), key=lambda one: (is_amendment(one[0]), one[0].time)
        )
        groups.append((names.union(*(group[0] for group in same)), [*together, (event, heard)]))
    left = [group for _, group in groups]
    while left:
        group = chance.choice(left)
        yield group.pop(0)
        left = [one for one in left if one]


def stands(name, paper):
    """What is told and was not taken back; without what is told once, by what was on record when it was."""
    if name == "training":  # a certificate's steps stand in the log itself, until they are retracted
        events = [event for event in paper.events() if event.name.startswith("training.certification.")]
        back = {event.data.supersedes for event in events if event.verb == "retracted"}
        left = [event for event in events if event.id not in back and event.verb != "retracted"]
        return Counter((event.name, event.country, event.subject, event.time) for event in left)
    told = Counter({one: number for one, number in paper.told().items() if one[1] not in ONCE})
    if name == "legal":  # of gaps the log says when each was open: of what was told for one time the last holds
        told = Counter({one: number for one, number in told.items() if ".gap." not in one[1]})
        told += Counter(open_gaps(paper))
    return told


def open_gaps(paper):
    """When gaps opened and closed: (country, gap, time, whether it opened)."""
    told = {}
    for event in paper.events():
        if event.name.startswith("legal.gap."):
            told.setdefault((event.country, event.subject), {})[event.time] = event.verb == "opened"
    for gap, words in told.items():
        stood = False
        for at, opened in sorted(words.items()):
            if opened != stood:
                yield *gap, at, opened
            stood = opened


@pytest.mark.parametrize("name", SERVICES)
@settings(max_examples=25, deadline=None)
@example(seed=1295)  # a correction names a band where the report had none
@given(seed=st.integers(0, 2**32))
def test_any_order_ends_where_a_clean_history_ends(name, seed):
    chance = random.Random(seed)
    service, reports = piece(name, chance)
    now = max(event.recordedtime for event, _ in reports)
    shuffled, clean = Paper(service, now), Paper(service, now)
    mixed = [*reports, *amendments(reports, chance), *chance.sample(reports, len(reports) // 4)]
    for one in shuffled_apart(mixed, chance) if name in IN_ORDER else chance.sample(mixed, len(mixed)):
        shuffled.tell(*one)
    for event, heard in shuffled.reports():
        clean.tell(plain(event), heard)
    assume(not clean.waiting and not clean.refused)  # a report that stands may rest on one that was retracted since
    assert stands(name, shuffled) == stands(name, clean)


def plain(event):
    """A report without what the service filled in."""
    agreed = contracts.registry()[event.type]
    return msgspec.structs.replace(event, data=msgspec.structs.replace(event.data, **dict.fromkeys(agreed.derived)))
