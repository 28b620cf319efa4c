"""Acts towards a treaty must make sense by their own dates, in whatever order they arrive."""

import random
from datetime import date
from itertools import permutations

import msgspec
import pytest

from services.legal.__main__ import SERVICE
from services.legal.judgements.treaties import Act, inconsistency
from services.legal.obligations import OBLIGATIONS
from services.legal.questions import on_gaps
from shared.ask.questions import Asked
from shared.contracts.questions import GapsAsk
from shared.contracts.vocabulary import MEMBERS
from tests.harness import desk as harness


def acts(*told):
    return [Act(f"e{number}", act, date.fromisoformat(day)) for number, (act, day) in enumerate(told)]


@pytest.mark.parametrize(
    "told",
    [
        [("signed", "2000-12-13"), ("ratified", "2003-03-04")],
        [("acceded", "2003-09-26")],
        [("ratified", "2003-03-04")],
        [("signed", "2000-12-13"), ("ratified", "2000-12-13"), ("reserved", "2000-12-13")],
        [("ratified", "2003-01-01"), ("withdrawn", "2004-01-01"), ("acceded", "2005-01-01")],
        [("signed", "2000-12-13"), ("reserved", "2001-01-01")],
        [("ratified", "2003-01-01"), ("withdrawn", "2004-01-01"), ("acceded", "2004-01-01")],
        [("ratified", "2003-01-01"), ("withdrawn", "2004-01-01"), ("signed", "2004-01-01"), ("ratified", "2004-01-01")],
        [("acceded", "2004-01-01"), ("withdrawn", "2004-01-01"), ("reserved", "2004-01-01")],
        [*(("acceded", "2004-01-01"), ("withdrawn", "2004-01-01")) * 2, ("ratified", "2004-01-01")],
    ],
)
def test_a_history_that_makes_sense_does_so_in_any_order(told):
    assert {inconsistency(one) for one in permutations(acts(*told))} == {None}


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ([("ratified", "2003-01-01"), ("ratified", "2004-01-01")], "already_party"),
        ([("acceded", "2003-01-01"), ("ratified", "2003-01-01")], "already_party"),
        ([("ratified", "2003-01-01"), ("signed", "2003-01-02")], "already_party"),
        ([("signed", "2000-12-13"), ("signed", "2001-01-01")], "already_signed"),
        ([("signed", "2000-12-13"), ("withdrawn", "2001-01-01")], "not_party"),
        ([("ratified", "2003-01-01"), ("withdrawn", "2002-01-01")], "not_party"),
        ([("reserved", "2003-01-01")], "not_party"),
        ([("signed", "2003-01-02"), ("reserved", "2003-01-01")], "not_party"),
        ([("ratified", "2003-01-01"), ("acceded", "2003-01-01"), ("withdrawn", "2004-01-01")], "already_party"),
        ([("ratified", "2003-01-01"), ("withdrawn", "2004-01-01"), ("withdrawn", "2004-01-01")], "not_party"),
        ([("signed", "2003-01-01"), ("signed", "2003-01-01")], "already_signed"),
    ],
)
def test_a_history_that_makes_none_is_found_in_any_order(told, code):
    assert {inconsistency(one) for one in permutations(acts(*told))} == {code}


SAME_DAY = {
    "becomes, leaves and becomes again": (["signed", "ratified", "reserved", "withdrawn", "acceded"], 1),
    "becomes and leaves": (["signed", "ratified", "withdrawn"], 0),
}


@pytest.fixture
async def legal(postgres_server):
    async with harness.desk(postgres_server, SERVICE) as own:
        yield own


@pytest.mark.parametrize("days", [(0, 0, 0, 0, 0), (-1, -1, 0, 0, 0), (-1, 0, 0, 0, 0)])
@pytest.mark.parametrize("story", SAME_DAY)
async def test_acts_of_one_day_count_by_their_legal_sense_in_whatever_order_they_arrive(legal, story, days):
    words, parties = SAME_DAY[story]
    told = [legal.event(f"legal.treaty.{act}", day) for act, day in zip(words, days, strict=False)]
    orders = random.Random(story).sample(list(permutations(told)), k=min(6, len(MEMBERS)))
    for number, order in enumerate(orders):
        country = MEMBERS[number % len(MEMBERS)]
        waiting = [by(event, country, number) for event in order]
        refused = 0
        while waiting:  # what has to wait comes again, and what was refused is sent again
            outcomes = await legal.record(*waiting)
            left = [event for event, outcome in zip(waiting, outcomes, strict=True) if outcome is not None]
            refused += 1
            assert refused < len(told) + 1
            waiting = left
        assert await parties_of(legal, told[0].data.instrument) == [country] * parties
        assert await counted(legal, country) == parties
        for event in reversed(told):
            await withdraw(legal, by(event, country, number))
        assert await counted(legal, country) == 0


def by(event, country, number):
    """The same act by another country."""
    data = msgspec.structs.replace(event.data, country=country)
    source = f"urn:crm:country:{country}:test"
    return msgspec.structs.replace(event, id=f"{event.id}-{number}", country=country, source=source, data=data)


async def withdraw(legal, event):
    """Retract an act."""
    await legal.tell(legal.retracted(event))


async def parties_of(legal, instrument):
    """The countries that are party to a treaty, as anyone is answered."""
    asked = [Asked("GTM", GapsAsk(country=one, instrument=instrument), legal.clock.at) for one in MEMBERS]
    async with legal.log.pool.acquire() as connection:
        answers = await on_gaps(asked, connection)
    return [one.ask.country for one, answer in zip(asked, answers, strict=True) if answer.party]


async def counted(legal, country):
    """How often a country is party as the figures have it: what was counted, less what was taken out again."""
    total = 0
    for event in await legal.recorded():
        if event.country != country or not event.name.startswith("legal.treaty"):
            continue
        if event.verb == "retracted":
            total -= (event.data.previous.get("change") or {"by": 0})["by"]
        elif event.data.change:
            assert event.data.change.until is None
            total += event.data.change.by
    return total


def test_the_obligations_are_articles_of_the_three_treaties():
    assert set(OBLIGATIONS) == {"UNTOC", "TIP", "SOM"}
    assert {"5", "6", "8"} <= set(OBLIGATIONS["TIP"])
    last = {"UNTOC": 41, "TIP": 20, "SOM": 25}
    for instrument, articles in OBLIGATIONS.items():
        assert all(1 <= int(article) <= last[instrument] for article in articles)
