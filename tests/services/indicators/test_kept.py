"""What is kept is what would be worked out anew: after each event, amendment, day, silence and rebuild."""

import asyncio
import json
import lzma
from datetime import date, timedelta
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.indicators.figures.disclosure import guarded
from services.indicators.figures.figures import all_figures
from services.indicators.figures.kept import Kept
from services.indicators.figures.kinds import Span
from services.indicators.folded.fold import Fold
from shared.contracts import SERVICES
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import CONTRACTS, PLAN, amend, closing, event, folded

TODAY = date(2004, 12, 31)
GOLDEN = Path(__file__).parents[2] / "golden"


class World:
    """A fold that goes on, and the figures kept of it."""

    def __init__(self, *, exact: bool = True) -> None:
        self.fold, self.day, self.exact = Fold(PLAN), TODAY, exact
        self.payloads: list[bytes] = []
        self.kept = Kept(PLAN, lambda: self.fold.state, lambda: Span.now(self.day), self.closed)

    def closed(self) -> date | None:
        return closing(self.day, exact=self.exact)

    def take(self, payload: bytes) -> None:
        if not self.exact:  # what comes is recorded today, and never in a period that is over
            payload = msgspec.json.encode(msgspec.json.decode(payload) | {"recordedtime": f"{self.day}T12:00:00Z"})
        service = msgspec.json.decode(payload)["type"].split(".")[1]
        self.fold.take(service, self.fold.state.sequences.get(service, 0) + 1, payload)
        self.payloads.append(payload)

    def check(self) -> None:
        anew = all_figures(PLAN, self.fold.state, Span.now(self.day), closed=self.closed())
        kept = self.kept.now()
        assert [*kept] == [one.row.id for one in anew]
        assert [one.row.id for one in anew if kept[one.row.id] != one] == []


TIMES = st.dates(date(2003, 1, 1), date(2005, 1, 31)).map(lambda day: f"{day}T10:00:00Z")
EVENTS = st.builds(event, st.sampled_from(sorted(CONTRACTS)), st.sampled_from(MEMBERS), TIMES)
STEPS = st.one_of(
    EVENTS,
    EVENTS,
    st.tuples(st.sampled_from(["corrected", "retracted"]), st.integers(0, 99)),
    st.sampled_from([1, 40, 400]),
    st.just("rebuild"),
)


@given(st.lists(STEPS, min_size=1, max_size=12), st.booleans())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_kept_is_what_would_be_worked_out_anew(steps, exact):
    world = World(exact=exact)
    reports = []
    for step in steps:
        match step:
            case bytes():
                world.take(step)
                reports.append(step)
            case (verb, place) if reports:
                world.take(amend(verb, reports[place % len(reports)]))
            case int():
                world.day += timedelta(days=step)
            case "rebuild":
                world.fold = folded(*world.payloads)
        world.check()


def golden() -> list[bytes]:
    """Every event of the played region, as recorded, in the order of recording."""
    rows = []
    for service in SERVICES:
        with lzma.open(GOLDEN / f"{service}.jsonl.xz", "rt") as batches:
            rows += [row.encode() for line in batches for row in json.loads(line)["rows"]]
    return sorted(rows, key=lambda row: msgspec.json.decode(row)["recordedtime"])


def test_of_the_played_region_each_kind_of_event_touches_what_it_feeds():
    """The first event of each type that comes late in the play, and every kind of amendment, one at a time."""
    rows = golden()
    world = World()
    kinds = {}
    for row in rows:
        told = msgspec.json.decode(row)
        kinds.setdefault((told["type"], told["data"].get("original")), row)
    for row in rows[:3000]:
        world.take(row)
    world.check()
    amendments = [row for (wire, _), row in kinds.items() if wire.split(".")[3] in {"corrected", "retracted"}]
    others = [row for (wire, _), row in sorted(kinds.items(), key=str) if row not in amendments]
    for row in [*amendments, *others[::8]]:
        world.take(row)
        world.check()


def test_an_event_costs_the_rows_that_it_feeds():
    world = World()
    for name in sorted(CONTRACTS):
        world.take(event(name))
    world.check()
    before = world.kept.worked
    world.check()
    assert world.kept.worked == before
    world.take(event("intel.meeting.held"))
    world.check()
    assert 0 < world.kept.worked - before < len(PLAN.rows) / 10
    world.day += timedelta(days=1)
    before = world.kept.worked
    world.check()
    assert world.kept.worked - before < len(PLAN.rows) / 2


def test_a_figure_about_persons_is_worked_out_once_in_a_period_whatever_comes():
    world = World(exact=False)
    world.day = date(2004, 10, 5)
    world.take(event("victims.service.provided"))
    world.check()
    before = world.kept.version
    for days in (0, 1, 30):
        world.day += timedelta(days=days)
        for name in ("victims.service.provided", "legal.person.detained", "training.report.filed"):
            world.take(event(name, time="2004-12-01T10:00:00Z"))
    world.kept.now()
    about = guarded(PLAN)
    assert not {name for name, version in world.kept.changed.items() if version > before} & about
    world.day += timedelta(days=70)
    world.check()


async def test_others_get_their_turn_and_all_is_as_of_the_same_sequences():
    world = World()
    for name in sorted(CONTRACTS):
        world.take(event(name))
    working = asyncio.create_task(world.kept.fresh())
    turns = 0
    while not working.done():
        await asyncio.sleep(0)
        turns += 1
        if turns < 20 and not working.done():
            world.take(event("intel.meeting.held"))
            world.take(event("victims.service.provided"))
    kept = working.result()
    anew = all_figures(PLAN, world.fold.state, Span.now(world.day), closed=None)
    assert [one.row.id for one in anew if kept[one.row.id] != one] == []
    assert turns > 3


def test_what_counts_as_another_type_touches_that_ones_rows():
    """A meeting in the legal room that was counted as one in the other is the first to say so."""
    world = World()
    for name in sorted(CONTRACTS):
        world.take(event(name))
    world.check()
    part = {"country": "GTM", "at": "2004-03-02T00:00:00Z", "by": 1, "said": {}, "of": "intel.meeting.held"}
    version = world.kept.version
    world.take(event("legal.meeting.held", once=[part]))
    world.check()
    assert world.kept.changed["IE-2.1"] > version
