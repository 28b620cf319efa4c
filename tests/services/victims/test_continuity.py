"""Gaps in a victim's care before the migration status is settled (Plan row VA-4.1b)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.victims.__main__ import SERVICE
from services.victims.judgements.continuity import Report, longest_without
from tests.harness.desk import desk
from tests.services.indicators.making import folded, row

DAY = datetime(2004, 3, 1, tzinfo=UTC)


@pytest.fixture
async def victims(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


async def gaps(victims):
    """The row's numerator and denominator; None: no data."""
    rows = await victims.log.pool.fetch("select payload from log order by position")
    found = row(folded(*(bytes(one["payload"]) for one in rows)), "VA-4.1b.gaps").headline
    return found and (found.numerator, found.denominator)


def identified(victims, days=0, **changes):
    return victims.event("victims.victim.identified", days, **changes)


def given_(victims, days, service="shelter", **changes):
    return victims.event("victims.service.provided", days, service=service, started=..., **changes)


def ended(victims, days, service="shelter", **changes):
    at = (DAY + timedelta(days=days, hours=12)).isoformat()
    return victims.event("victims.service.ended", days, service=service, ended=at, **changes)


def resolved(victims, days, **changes):
    return victims.event("victims.migrationstatus.resolved", days, **changes)


CASES = [
    ([], True),
    ([(0, "shelter", None)], False),
    ([(7, "shelter", None)], False),
    ([(8, "shelter", None)], True),
    ([(1, "shelter", 53)], False),
    ([(1, "shelter", 52)], True),
    ([(1, "shelter", 20), (27, "food", None)], False),
    ([(1, "shelter", 20), (28, "food", None)], True),
    ([(1, "shelter", 20), (28, "shelter", None)], True),
    ([(1, "shelter", 20), (2, "food", 40), (40, "shelter", None)], False),
    ([(1, "food", 10), (2, "shelter", 59)], False),
    ([(61, "shelter", None)], True),
]
"""(services of a victim identified on day 0 and settled on day 60, as (from day, which, to day), a gap)"""


async def judged(victims):
    """Of each status settled whether there was a gap before it."""
    return [one.data.care_gap for one in await victims.recorded("victims.migrationstatus.resolved")]


async def test_more_than_seven_days_without_any_service_are_a_gap(victims):
    for number, (services, _) in enumerate(CASES):
        who = {"victim_pid": f"vi-{number}"}
        await victims.tell(identified(victims, **who))
        for began, service, end in services:
            await victims.tell(given_(victims, began, service, **who))
            await victims.tell(*([ended(victims, end, service, **who)] if end else []))
        await victims.tell(resolved(victims, 60, **who))
    assert await judged(victims) == [gap for _, gap in CASES]
    assert await gaps(victims) == (sum(gap for _, gap in CASES), len(CASES))


async def test_a_service_told_with_both_its_ends_runs_between_them(victims):
    whole = {"started": "2004-03-02T12:00:00Z", "ended": "2004-03-12T12:00:00Z"}
    await victims.tell(identified(victims), victims.event("victims.service.provided", 11, **whole))
    await victims.tell(resolved(victims, 18), resolved(victims, 19))
    assert await judged(victims) == [False, True]
    assert await gaps(victims) == (0, 1), "a victim's status is settled once: the first time counts"


async def test_services_of_the_same_batch_count_and_those_of_other_victims_do_not(victims):
    other = "vi-2"
    await victims.tell_at_once(
        identified(victims),
        identified(victims, victim_pid=other),
        given_(victims, 1),
        victims.event("victims.service.provided", 1, by="HND", victim_pid=other, started=...),
        resolved(victims, 60),
        resolved(victims, 60, victim_pid=other),
    )
    assert await gaps(victims) == (1, 2)


async def test_without_identification_the_first_service_begins_it_and_without_either_nothing_is_judged(victims):
    await victims.tell(given_(victims, 30), resolved(victims, 60), resolved(victims, 60, victim_pid="vi-2"))
    not_a_victim = identified(victims, victim_pid="vi-3", status="NotAVictimOfTrafficking")
    await victims.tell(not_a_victim, resolved(victims, 60, victim_pid="vi-3"))
    assert await gaps(victims) == (0, 1)


async def test_it_is_judged_once_by_what_was_known_then(victims):
    stay = ended(victims, 20)
    await victims.tell(identified(victims), given_(victims, 1), stay, resolved(victims, 60))
    await victims.tell(given_(victims, 21, "food"), victims.retracted(stay))
    assert await gaps(victims) == (1, 1)
    await victims.tell(resolved(victims, 61))
    assert await judged(victims) == [True, False]
    assert await gaps(victims) == (1, 1)


async def test_services_corrected_or_retracted_before_it_count_as_they_stand(victims):
    stay, food, other = (
        ended(victims, 20),
        given_(victims, 20, "food"),
        given_(victims, 0, "medical", victim_pid="vi-2"),
    )
    await victims.tell(identified(victims), given_(victims, 1), stay, food, other)
    await victims.tell(victims.retracted(food), resolved(victims, 60))
    assert await gaps(victims) == (1, 1)
    await victims.tell(victims.corrected(other, victim_pid="vi-5a0"), resolved(victims, 60))
    assert await judged(victims) == [True, False]
    assert await gaps(victims) == (1, 1)


async def test_a_corrected_resolution_is_judged_anew_and_a_retracted_one_taken_out(victims):
    await victims.tell(identified(victims), identified(victims, victim_pid="vi-2"), given_(victims, 1))
    mistaken = resolved(victims, 60, victim_pid="vi-2")
    await victims.tell(mistaken)
    assert await gaps(victims) == (1, 1)
    await victims.tell(victims.corrected(mistaken, victim_pid="vi-5a0", care_gap=None, latency_s=None))
    assert await gaps(victims) == (0, 1)
    await victims.tell(victims.retracted(mistaken))
    assert await gaps(victims) is None


hours = st.integers(-5, 60)
reports = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("ab"), hours, st.none() | hours),
        st.tuples(st.sampled_from("ab"), st.none(), hours),
    ),
    max_size=6,
)


@given(reports, st.none() | hours, hours)
def test_the_longest_time_is_that_of_counting_hour_by_hour(told, since, until):
    told = [(service, began, end) for service, began, end in told if None in (began, end) or began <= end]
    found = longest_without(
        None if since is None else DAY + timedelta(hours=since),
        [
            Report(service, *(None if at is None else DAY + timedelta(hours=at) for at in ends))
            for service, *ends in told
        ],
        DAY + timedelta(hours=until),
    )
    running, moments = set(), set()
    for service, began, end in told:
        if began is not None:
            later = [at for other, no, at in told if no is None and other == service and at >= began]
            ended = min([until if end is None else end, *([] if end is not None else later)])
            running |= set(range(began, ended))
            moments |= {began} if ended == began else set()  # care of a moment ends a gap, too
    begins = since if since is not None else min((began for _, began, _ in told if began is not None), default=None)
    if begins is None or begins > until:
        assert found is None
        return
    longest = current = 0
    for hour in range(begins, until):
        current = 0 if hour in running else 1 if hour in moments else current + 1
        longest = max(longest, current)
    assert found == timedelta(hours=longest)
