"""Counting exactly, on real tables: whatever the order, the corrections and the replicas, the sums are those of a
clean count."""

import asyncio
import itertools
import random
from collections import defaultdict
from datetime import timedelta

import msgspec
import pytest

from services.indicators.figures.figures import figures
from services.indicators.figures.kinds import Span, view
from services.intel.__main__ import SERVICE as INTEL
from services.legal.__main__ import SERVICE as LEGAL
from services.training.__main__ import SERVICE as TRAINING
from services.victims.__main__ import SERVICE as VICTIMS
from shared import contracts
from shared.record.log import Draft
from tests.services.tallying import (
    NOW,
    PLAN,
    START,
    desk,
    moment,
    on,
    on_numerator,
    replica,
    report,
    shuffled_history,
)


@pytest.mark.parametrize("seed", range(4))
async def test_officials_in_the_system_are_counted_exactly_on_every_day(postgres_server, seed):
    rng = random.Random(seed)
    left = {}

    def making(rng):
        gone = rng.random() < 0.4
        event = report(
            f"training.official.{'withdrawn' if gone else 'enrolled'}",
            moment(rng),
            officer_pid=f"of-{rng.randrange(4)}",
            institution_type=rng.choice(["migration", "other"]),
        )
        left[event.id] = gone
        return event

    def amended(rng, root):
        return msgspec.to_builtins(root.data) | {"officer_pid": f"of-{rng.randrange(4)}"}

    async with desk(postgres_server, TRAINING) as table:
        await shuffled_history(table, rng, making, amended)
        fold = await table.fold()
    for day in {START.date() + timedelta(days=n) for n in range(0, 510, 7)}:
        latest = {}
        for identity, (time, data) in sorted(table.held.items(), key=lambda one: one[1][0]):
            if time.date() <= day:
                latest[data["officer_pid"], data["institution_type"]] = not left[identity]
        assert on(fold, "IP-a", day) == sum(latest.values()), day
        migration = sum(inside for (_, institution), inside in latest.items() if institution == "migration")
        assert sum(n for key, n in view(PLAN, "IP-2.1", "numerator", fold.state).upto(day.toordinal())) == migration


@pytest.mark.parametrize("seed", range(3))
async def test_records_filled_to_80_per_cent_are_counted_exactly_on_every_day(postgres_server, seed):
    rng = random.Random(seed)

    def completeness(rng):
        return {"core_filled": rng.choice([15, 16, 17]), "core_total": 20}

    def making(rng):
        verb = "registered" if rng.random() < 0.4 else "updated"
        filled = completeness(rng)
        return report(f"victims.victim.{verb}", moment(rng), victim_pid=f"vi-{rng.randrange(4)}", completeness=filled)

    def amended(rng, root):
        return msgspec.to_builtins(root.data) | {"completeness": completeness(rng)}

    async with desk(postgres_server, VICTIMS) as table:
        await shuffled_history(table, rng, making, amended)
        fold = await table.fold()
    for day in {START.date() + timedelta(days=n) for n in range(0, 510, 7)}:
        latest = {}
        for time, data in sorted(table.held.values(), key=lambda one: one[0]):
            if time.date() <= day:
                latest[data["victim_pid"]] = data["completeness"]["core_filled"] >= 16
        found = figures(PLAN, PLAN.rows["VA-3.1b.filled"], fold.state, Span.as_of(day), closed=None).headline
        told = (found.numerator, found.denominator) if found else (0, 0)
        assert told == (sum(latest.values()), len(latest)), day


def latest_of(held, day, key):
    """What each thing's latest report by a day says: thing -> data."""
    told = sorted(held.values(), key=lambda one: one[0])
    return {data[key]: data for time, data in told if time.date() <= day}


@pytest.mark.parametrize("seed", range(3))
async def test_levels_are_those_of_the_latest_reports_on_every_day(postgres_server, seed):
    """Of each campaign the reach, of each person whether there is work: whatever the order and the amendments."""
    rng = random.Random(seed)
    kinds = {}

    def said(rng, name):
        if name == "victims.campaign.measured":
            return {"campaign_id": f"ca-{rng.randrange(3)}", "reach": rng.randrange(1, 2_000_000_000 // 2)}
        return {"victim_pid": f"vi-{rng.randrange(3)}", "occupied": rng.random() < 0.5}

    def making(rng):
        name = rng.choice(["victims.campaign.measured", "victims.occupation.assessed"])
        event = report(name, moment(rng), **said(rng, name))
        kinds[event.id] = name
        return event

    def amended(rng, root):
        return msgspec.to_builtins(root.data) | said(rng, root.name)

    async with desk(postgres_server, VICTIMS) as table:
        await shuffled_history(table, rng, making, amended)
        fold = await table.fold()
    measured, assessed = (
        {identity: one for identity, one in table.held.items() if kinds[identity] == name}
        for name in ("victims.campaign.measured", "victims.occupation.assessed")
    )
    for day in {START.date() + timedelta(days=n) for n in range(0, 510, 7)}:
        campaigns = latest_of(measured, day, "campaign_id").values()
        assert on(fold, "VA-2.1c.reach", day) == sum(one["reach"] for one in campaigns), day
        people = latest_of(assessed, day, "victim_pid").values()
        found = figures(PLAN, PLAN.rows["VA-5.2"], fold.state, Span.as_of(day), closed=None).headline
        told = (found.numerator, found.denominator) if found else (0, 0)
        assert told == (sum(one["occupied"] for one in people), len(people)), day


@pytest.mark.parametrize("seed", range(3))
async def test_feedback_counts_while_there_is_information_that_it_is_about(postgres_server, seed):
    rng = random.Random(seed)
    kinds = {}

    def making(rng):
        name, other = rng.choice([("intel.information.received", "from"), ("intel.feedback.given", "to")])
        party = {"to": "MEX"} if other == "from" else {}
        data = {other: "GTM", **party, "exchange_id": f"GTM:ex-{rng.randrange(4)}"}
        event = report(name, moment(rng), "MEX", **data)
        kinds[event.id] = name
        return event

    def amended(rng, root):
        return msgspec.to_builtins(root.data) | {"exchange_id": f"GTM:ex-{rng.randrange(4)}"}

    async with desk(postgres_server, INTEL) as table:
        await shuffled_history(table, rng, making, amended)
        fold = await table.fold()
    for day in {START.date() + timedelta(days=n) for n in range(0, 510, 7)}:
        known = {"intel.information.received": set(), "intel.feedback.given": set()}
        for identity, (time, data) in table.held.items():
            if time.date() <= day:
                known[kinds[identity]].add(data["exchange_id"])
        numerator = view(PLAN, "PC-1.1.3", "numerator", fold.state).upto(day.toordinal())
        assert sum(n for _, n in numerator) == len(set.intersection(*known.values())), day


async def test_an_entry_rule_counts_from_the_day_that_it_takes_effect(postgres_server):
    def rule(verb, days, effective, required):
        return report(
            f"intel.entryrequirement.{verb}",
            START + timedelta(days=days),
            effective_from=(START + timedelta(days=effective)).date().isoformat(),
            authorisation_required=required,
        )

    async with desk(postgres_server, INTEL) as table:
        await table.record(rule("changed", 40, 60, required=False))  # the later one is known first
        await table.record(rule("declared", 10, 30, required=True))
        fold = await table.fold()
    days = [(START + timedelta(days=n)).date() for n in (10, 29, 30, 59, 60)]
    assert [on(fold, "IE-1.2a", day) for day in days] == [0, 0, 1, 1, 0]
    now = [figures(PLAN, PLAN.rows["IE-1.2a"], fold.state, Span.now(day), closed=None).headline for day in days]
    assert [one.value if one else 0 for one in now] == [0, 0, 1, 1, 0]


async def test_a_post_is_vacant_until_another_is_named_and_how_long_is_told(postgres_server):
    def at(days, verb):
        return report(f"intel.contactpoint.{verb}", START + timedelta(days=days))

    async with desk(postgres_server, INTEL) as table:
        await table.record(at(0, "designated"), at(10, "vacated"))
        again = at(30, "vacated")
        await table.record(again, at(24, "replaced"), at(33, "replaced"))  # the first vacancy's end comes late
        fold = await table.fold()
        assert [on(fold, "IE-1.2.2.vacant", (START + timedelta(days=n)).date()) for n in (9, 10, 23, 24, 30, 33)] == [
            *(0, 1, 1, 0, 1, 0)
        ]
        lasted = figures(PLAN, PLAN.rows["IE-1.2.2.vacancy"], fold.state, Span.now(NOW.date()), closed=None)
        assert (lasted.headline.numerator, lasted.headline.denominator) == ((14 + 3) * 86_400, 2)
        await table.record(
            report("intel.contactpoint.retracted", NOW, supersedes=again.id, reason="mistaken"),
        )
        fold = await table.fold()
    assert on(fold, "IE-1.2.2.vacant", (START + timedelta(days=31)).date()) == 0


@pytest.mark.parametrize("seed", range(3))
async def test_each_victim_assisted_counts_once_a_year(postgres_server, seed):
    rng = random.Random(seed)

    def making(rng):
        return report("victims.service.provided", moment(rng), victim_pid=f"vi-{rng.randrange(5)}")

    def amended(rng, root):
        return msgspec.to_builtins(root.data) | {"victim_pid": f"vi-{rng.randrange(5)}"}

    async with desk(postgres_server, VICTIMS) as table:
        await shuffled_history(table, rng, making, amended)
        fold = await table.fold()
    for day in {START.date() + timedelta(days=n) for n in range(0, 510, 7)}:
        by_year = defaultdict(set)
        for time, data in table.held.values():
            if time.date() <= day:
                by_year[time.year].add(data["victim_pid"])
        assert on(fold, "IP-f", day) == len(by_year[day.year]), day


async def test_two_replicas_that_record_at_once_count_a_person_once(postgres_server):
    async with (
        postgres_server.lent() as database,
        replica(postgres_server, TRAINING, database) as one,
        replica(postgres_server, TRAINING, database) as other,
    ):
        batches = [
            [
                report("training.official.enrolled", moment(random.Random(n)), officer_pid=f"of-{n % 3}")
                for n in range(9)
            ]
            for _ in range(12)
        ]
        await asyncio.gather(*(table.record(*batch) for batch, table in zip(batches, itertools.cycle([one, other]))))
        fold = await one.fold()
    assert on(fold, "IP-a", NOW.date()) == 3


async def test_a_certificate_retracted_after_it_went_stale_is_taken_out_once(postgres_server):
    async with desk(postgres_server, TRAINING) as table:
        given = report("training.officer.certified", START, aligned_to=[{"law_id": "law-1"}])
        await table.record(given)
        amended = report("legal.law.amended", START + timedelta(days=9), law_id="law-1")
        assert await table.log.record([Draft(amended, ("LEGAL", 1))]) == [None]
        fold = await table.fold()
        assert [on_numerator(fold, START + timedelta(days=n)) for n in (0, 8)] == [1, 1]
        assert on_numerator(fold, NOW) == 0
        gone = report("training.officer.retracted", NOW, supersedes=given.id, reason="mistaken")
        assert await table.log.record([Draft(gone)]) == [None]
        fold = await table.fold()
    assert [on_numerator(fold, START + timedelta(days=n)) for n in (0, 8, 400, 1000)] == [0, 0, 0, 0]


async def test_how_long_it_took_is_told_where_the_beginning_is_known(postgres_server):
    async with desk(postgres_server, TRAINING) as table:
        await table.record(
            report("training.complaint.received", START, complaint_id="cp-1"),
            report("training.complaint.resolved", START + timedelta(hours=1), complaint_id="cp-1"),
            report("training.complaint.resolved", START + timedelta(hours=1), complaint_id="cp-2"),
        )
        await table.record(report("training.complaint.resolved", START - timedelta(hours=1), complaint_id="cp-1"))
        took = [contracts.decode(payload).data for payload in await table.recorded()]
    assert [one.latency_s for one in took[1:]] == [3600, None, None]


CASE_VERBS = {
    "witness.protected": 4,
    "witness.reviewed": 1,
    "witness.ended": 4,
    "proceeding.opened": 2,
    "proceeding.closed": 1,
    "case.resolved": 1,
}
"""Reports of cases and their witnesses, by how often one is made."""


def open_case(acts):
    """(witnesses, those under protection) of a case, by its acts in the order of time."""
    is_open, protected = True, {}
    for name, data in acts:
        if name.startswith("legal.witness"):
            protected[data["witness_pid"]] = not name.endswith("ended")
        else:
            is_open = name.endswith("opened")
    return (len(protected), sum(protected.values())) if is_open else (0, 0)


@pytest.mark.parametrize("seed", range(4))
async def test_witnesses_of_open_cases_are_counted_exactly_on_every_day(postgres_server, seed):
    rng = random.Random(seed)
    names = {}

    def either(rng, name):
        case = {"case_id": f"case-{rng.randrange(3)}"}
        return case | ({"witness_pid": f"wi-{rng.randrange(3)}"} if name.startswith("legal.witness") else {})

    def making(rng):
        [name] = rng.choices([f"legal.{verb}" for verb in CASE_VERBS], [*CASE_VERBS.values()])
        event = report(name, moment(rng), **either(rng, name))
        names[event.id] = name
        return event

    def amended(rng, root):
        return msgspec.to_builtins(root.data) | either(rng, root.name)

    async with desk(postgres_server, LEGAL) as table:
        await shuffled_history(table, rng, making, amended)
        fold = await table.fold()
    told = [(time, names[identity], data) for identity, (time, data) in table.held.items()]
    told.sort(key=lambda one: (one[0], one[1].endswith(("ended", "closed", "resolved"))))
    some = 0
    for day in {START.date() + timedelta(days=n) for n in range(0, 510, 7)}:
        cases = defaultdict(list)
        for time, name, data in told:
            if time.date() <= day:
                cases[data["case_id"]].append((name, data))
        right = [sum(column) for column in zip((0, 0), *map(open_case, cases.values()), strict=True)]
        roles = (view(PLAN, "VA-6.1b.open", role, fold.state) for role in ("denominator", "numerator"))
        assert [sum(n for _, n in one.upto(day.toordinal())) for one in roles] == right, day
        some += right[0] > right[1] > 0
    assert some, "on some day only a part was under protection"


async def test_a_case_that_ends_ends_it_for_all_its_witnesses_and_a_mistaken_end_for_none(postgres_server):
    def at(days, name, who="wi-1"):
        data = {"witness_pid": who} if "witness" in name else {}
        return report(f"legal.{name}", START + timedelta(days=days), **data)

    async def share(table, days):
        found = figures(PLAN, PLAN.rows["VA-6.1b.open"], (await table.fold()).state, Span.as_of(day(days)), closed=None)
        return found.headline and (found.headline.numerator, found.headline.denominator)

    def day(days):
        return (START + timedelta(days=days)).date()

    async with desk(postgres_server, LEGAL) as table:
        end = at(90, "case.resolved")
        await table.record(end, at(1, "witness.protected"), at(2, "witness.protected", "wi-2"))
        await table.record(at(0, "proceeding.opened"), at(30, "witness.ended", "wi-2"), at(99, "witness.ended"))
        assert [await share(table, n) for n in (0, 1, 2, 30, 89, 90, 99)] == [
            None, (1, 1), (2, 2), (1, 2), (1, 2), None, None,
        ]  # fmt: skip
        told = [contracts.decode(row).data for row in await table.recorded()]
        steps = [one.open_witnesses or () for one in told if hasattr(one, "open_witnesses")]
        assert [[one.by for one in each] for each in steps] == [[], [1, -1], [1, -1], [], [], []]
        await table.record(report("legal.case.retracted", NOW, supersedes=end.id, reason="mistaken"))
        assert [await share(table, n) for n in (2, 30, 90, 98, 99)] == [(2, 2), (1, 2), (1, 2), (1, 2), (0, 2)]
        await table.record(at(120, "proceeding.closed"))
        again = at(130, "proceeding.opened")
        await table.record(again, at(131, "witness.reviewed"))
        assert [await share(table, n) for n in (99, 119, 120, 130, 131)] == [(0, 2), (0, 2), None, (0, 2), (1, 2)]
        other = msgspec.to_builtins(again.data) | {"case_id": "case-9"}
        await table.record(report("legal.proceeding.corrected", NOW, supersedes=again.id, data=other))
        assert [await share(table, n) for n in (119, 130, 131)] == [(0, 2), None, None]


SERVED = "victims.service.provided"
CHANGED = [
    (INTEL, "intel.phonebook.seized", {"detention_id": "dt-1"}, {"detention_id": None}),
    (TRAINING, "training.course.delivered", {"place": "bcp", "bcp": "bcp-1"}, {"place": "school", "bcp": None}),
    (VICTIMS, "victims.programme.enrolled", {"referral_id": "r-1"}, {"referral_id": None, "case_id": "c-1"}),
    (VICTIMS, "victims.programme.enrolled", {"referral_id": None, "case_id": "c-1"}, {"referral_id": "r-1"}),
    (VICTIMS, SERVED, {"service": "communication"}, {"service": "food"}),
    (VICTIMS, SERVED, {"relation": None}, {"relation": "spouse"}),
    (VICTIMS, SERVED, {"relation": "spouse"}, {"relation": None}),
    (VICTIMS, SERVED, {"started": None}, {"started": None, "ended": "2004-01-01T12:00:00Z"}),
    (VICTIMS, "victims.victim.identified", {}, {"status": "NotAVictimOfTrafficking"}),
]


@pytest.mark.parametrize(("service", "name", "before", "after"), CHANGED)
async def test_a_corrected_report_counts_as_one_that_said_so_from_the_start(
    postgres_server, service, name, before, after
):
    first, said = report(name, START, **before), report(name, START, **before | after)
    entity = name.rpartition(".")[0]
    corrects = report(f"{entity}.corrected", NOW, supersedes=first.id, data=msgspec.to_builtins(said.data))
    async with desk(postgres_server, service) as amended, desk(postgres_server, service) as clean:
        await amended.record(first)
        await amended.record(corrects)
        await clean.record(said)
        (told,) = [contracts.decode(row) for row in await clean.recorded() if name.encode() in row]
        (_, held, *_) = [contracts.decode(row) for row in await amended.recorded() if entity.encode() in row]
    assert msgspec.convert(held.data.data, type(told.data)) == told.data
