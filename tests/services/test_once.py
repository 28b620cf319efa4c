"""What several countries tell counts once, on real tables: in any order, with corrections and retractions by anybody,
the figures of every day are those that a plain count of what holds gives."""

import random
from datetime import timedelta

import msgspec
import pytest

from services.indicators.figures.figures import figures
from services.indicators.figures.kinds import Span
from services.intel.__main__ import SERVICE as INTEL
from services.legal.__main__ import SERVICE as LEGAL
from services.victims.__main__ import SERVICE as VICTIMS
from shared.count.once import KEPT
from tests.services.test_tally import NOW, PLAN, START, desk, report, shuffled_history

COUNTRIES = ("GTM", "MEX", "HND")
DAYS = sorted({START.date() + timedelta(days=n) for n in range(0, 510, 14)})
RATINGS = {"excelente": 4, "bueno": 3, "regular": 2, "deficiente": 1}


def named(rng, country, of=3):
    """The identifier of a thing of one of the countries, as a country writes it."""
    owner = rng.choice(COUNTRIES)
    bare = f"t-{rng.randrange(of)}"
    return bare if owner == country else f"{owner}:{bare}"


def owner_of(identifier, country):
    return identifier if ":" in identifier else f"{country}:{identifier}"


class Times:
    """Random times of which no two are the same."""

    def __init__(self, rng):
        self.rng, self.used = rng, set()

    def __call__(self):
        while (at := START + timedelta(minutes=self.rng.randrange(0, 60 * 24 * 500))) in self.used:
            pass
        self.used.add(at)
        return at


def cells(fold, row, day):
    """The row's cells on a day, without those that are 0."""
    found = figures(PLAN, PLAN.rows[row], fold.state, Span.as_of(day), closed=None)
    return {
        (one.country, *one.labels.values()): one.value if one.denominator is None else (one.numerator, one.denominator)
        for one in found.cells
        if one.value or one.denominator
    }


def grouped(told, key):
    found = {}
    for one in sorted(told, key=lambda one: one[0]):
        found.setdefault(owner_of(one[2][key], one[1]), []).append(one)
    return found


def places(reports, parts):
    """For each country that took part, and for the region, the report that holds."""
    for place in sorted({country for _, _, data in reports for country in data[parts]}):
        yield place, next((one for one in reports if one[1] == place), reports[0])
    yield "REG", reports[0]


def counted(pairs):
    found = {}
    for key in pairs:
        found[key] = found.get(key, 0) + 1
    return found


@pytest.mark.parametrize("seed", range(4))
async def test_joint_operations_and_their_evaluations_count_once(postgres_server, seed):
    rng = random.Random(seed)
    moment, whose = Times(rng), {}

    def data(rng, country, name):
        said = {"operation_id": named(rng, country), "kind": rng.choice(["ordinary", "extraordinary"])}
        if name == "evaluated":
            return said | {"rating": rng.choice([*RATINGS]), "lessons": []}
        return said | {"participants": rng.sample(COUNTRIES, rng.randrange(1, 4)), "started": None, "ended": None}

    def making(rng):
        country, name = rng.choice(COUNTRIES), rng.choice(["executed", "executed", "evaluated"])
        event = report(f"intel.operation.{name}", moment(), country, **data(rng, country, name))
        whose[event.id] = (country, name)
        return event

    def amended(rng, root):
        return msgspec.to_builtins(root.data) | data(rng, *whose[root.id])

    async with desk(postgres_server, INTEL) as table:
        await shuffled_history(table, rng, making, amended)
        fold = await table.fold()
    told = {"executed": [], "evaluated": []}
    for identity, (time, said) in table.held.items():
        country, name = whose[identity]
        told[name].append((time, country, said))
    executed, evaluated = (grouped(told[name], "operation_id") for name in ("executed", "evaluated"))
    joint = {
        key for key, those in executed.items() if len({one for _, _, said in those for one in said["participants"]}) > 1
    }
    for day in DAYS:
        holding = [
            (key, place, one)
            for key, those in executed.items()
            for place, one in places(those, "participants")
            if one[0].date() <= day
        ]
        assert cells(fold, "PC-1a.count", day) == counted(
            (place, one[2]["kind"]) for key, place, one in holding if key in joint
        ), day
        ratings = [
            (place, one)
            for key in joint & evaluated.keys()
            for place in [*COUNTRIES, "REG"]
            for one in [one for one in evaluated[key] if place in {one[1], "REG"}][:1]
            if one[0].date() <= day
        ]
        assert cells(fold, "PC-1b.ratings", day) == counted((place, one[2]["rating"]) for place, one in ratings), day
        means = {}
        for place, one in ratings:
            sums, n = means.get((place, one[2]["kind"]), (0, 0))
            means[place, one[2]["kind"]] = (sums + RATINGS[one[2]["rating"]], n + 1)
        assert cells(fold, "PC-1b", day) == means, day
        denominators = counted(place for _, place, _ in holding)
        numerators = counted(
            place
            for those in evaluated.values()
            for place in [*COUNTRIES, "REG"]
            for one in [one for one in those if place in {one[1], "REG"}][:1]
            if one[0].date() <= day
        )
        assert cells(fold, "PC-1b.evaluated", day) == {
            (place,): (numerators.get(place, 0), n) for place, n in denominators.items()
        }, day


@pytest.mark.parametrize("seed", range(3))
async def test_resolved_cases_count_once_and_open_ones_while_anywhere(postgres_server, seed):
    rng = random.Random(seed)
    moment, whose = Times(rng), {}

    def data(rng, country, name):
        said = {
            "case_id": named(rng, country),
            "offences": rng.choice([["tip"], ["som", "corruption"], ["corruption"]]),
        }
        countries = rng.sample(COUNTRIES, rng.randrange(1, 3))
        if name == "case.resolved":
            return said | {"countries": countries, "witness_care_documented": rng.random() < 0.5}
        return said | {"countries": countries, "detention_ids": [], "accused_count": 1}

    def making(rng):
        country = rng.choice(COUNTRIES)
        name = rng.choice(["case.resolved", "proceeding.opened", "proceeding.opened", "proceeding.closed"])
        event = report(f"legal.{name}", moment(), country, **data(rng, country, name))
        whose[event.id] = (country, name)
        return event

    def amended(rng, root):
        return msgspec.to_builtins(root.data) | data(rng, *whose[root.id])

    async with desk(postgres_server, LEGAL) as table:
        await shuffled_history(table, rng, making, amended)
        fold = await table.fold()
    told = {"case.resolved": [], "proceeding.opened": [], "proceeding.closed": []}
    for identity, (time, said) in table.held.items():
        country, name = whose[identity]
        took_part = said | {"parts": [*said["countries"], country]}
        told[name].append((time, country, took_part))
    resolved = grouped(told["case.resolved"], "case_id")
    for day in DAYS:
        documented, total, regional = {}, {}, {}
        for those in resolved.values():
            cared = any(said["witness_care_documented"] for _, _, said in those)
            crimes = {one for _, _, said in those for one in said["offences"]} & {"tip", "som"}
            several = len({one for _, _, said in those for one in said["parts"]}) > 1
            for place, one in places(those, "parts"):
                if one[0].date() <= day:
                    total[place] = total.get(place, 0) + 1
                    documented[place] = documented.get(place, 0) + cared
                    regional[place] = regional.get(place, 0) + (several and bool(crimes))
        wanted = {(place,): (documented[place], n) for place, n in total.items()}
        assert cells(fold, "VA-6.1.documented", day) == wanted, day
        shown = figures(PLAN, PLAN.rows["IP-e"], fold.state, Span.as_of(day), closed=None).headline
        assert (shown.value if shown else 0) == regional.get("REG", 0), day
        opened = grouped(told["proceeding.opened"], "case_id")
        begun = sum(
            bool({one for _, _, said in those for one in said["offences"]} & {"tip", "som"})
            for those in opened.values()
            if those[0][0].date() <= day
        )
        shown = figures(PLAN, PLAN.rows["PC-1d"], fold.state, Span.as_of(day), closed=None).headline
        assert (shown.value if shown else 0) == begun, day


async def test_one_meeting_is_one_whoever_tells_of_it(postgres_server):
    async with desk(postgres_server, LEGAL) as table:
        told = [("ST-1", ["MEX", "GTM"]), ("anything", ["MEX", "HND"])]
        met = [
            report("legal.meeting.held", START, "MEX", meeting_id=name, date=START.date(), attending=attending)
            for name, attending in told
        ]
        await table.record(*met)
        assert cells(await table.fold(), "LE-1.M", NOW.date()) == {(one,): 1 for one in ("GTM", "HND", "MEX", "REG")}
        await table.record(report("legal.meeting.retracted", NOW, "MEX", supersedes=met[0].id, reason="mistaken"))
        assert cells(await table.fold(), "LE-1.M", NOW.date()) == {(one,): 1 for one in ("HND", "MEX", "REG")}


@pytest.mark.parametrize("seed", range(3))
async def test_a_victim_counts_once_as_the_first_report_of_it_says(postgres_server, seed):
    rng = random.Random(seed)
    moment, whose = Times(rng), {}

    def data(rng, name):
        said = {"victim_pid": f"v-{rng.randrange(3)}", "complaint_id": f"c-{rng.randrange(3)}"}
        said |= {"sex": rng.choice(["male", "female", "unknown"]), "reporter": rng.choice(["relative", "public"])}
        kept = ("complaint_id", "reporter") if name == "complaint.filed" else ("victim_pid", "sex")
        return {one: said[one] for one in kept}

    def making(rng):
        country = rng.choice(COUNTRIES)
        name = rng.choice(["victim.identified", "victim.identified", "victim.registered", "complaint.filed"])
        event = report(f"victims.{name}", moment(), country, **data(rng, name))
        whose[event.id] = (country, name)
        return event

    def amended(rng, root):
        return msgspec.to_builtins(root.data) | data(rng, whose[root.id][1])

    async with desk(postgres_server, VICTIMS) as table:
        await shuffled_history(table, rng, making, amended)
        fold = await table.fold()
    told = {}
    for arrived, (identity, (time, said)) in enumerate(table.held.items()):
        country, name = whose[identity]
        told.setdefault(name, []).append((time, country, said, arrived))

    def firsts(name, key, by):
        found = {}
        for one in sorted(told.get(name, []), key=by):
            found.setdefault((one[1], one[2][key]), one)
        return found.values()

    def labelled(row, day, *names):
        sums = {}
        for (country, *labels), n in cells(fold, row, day).items():
            key = country, labels[[*PLAN.rows[row].labels].index(*names)]
            sums[key] = sums.get(key, 0) + n
        return {key: n for key, n in sums.items() if key[0] != "REG"}

    for day in DAYS:
        victims = [one for one in firsts("victim.identified", "victim_pid", lambda one: one[0]) if one[0].date() <= day]
        assert labelled("VA-2.1.count", day, "sex") == counted((one[1], one[2]["sex"]) for one in victims), day
        complaints = [
            one for one in firsts("complaint.filed", "complaint_id", lambda one: one[0]) if one[0].date() <= day
        ]
        assert labelled("VA-2.1b", day, "reporter") == counted((one[1], one[2]["reporter"]) for one in complaints), day
    recorded = firsts("victim.registered", "victim_pid", lambda one: one[3])
    assert labelled("VA-3.1.count", NOW.date(), "sex") == counted((one[1], one[2]["sex"]) for one in recorded)


async def test_a_report_behind_the_first_that_count_is_corrected_and_taken_back(postgres_server):
    """Of one thing the first `KEPT` reports count; those behind them are on record as well, and leave it."""
    behind = KEPT + 20
    reports = [report("intel.database.activated", START + timedelta(days=day), "MEX") for day in range(behind + 6)]
    last = reports[behind + 5]
    version = {"version": last.data.version, "reported_by": "sv"}
    async with desk(postgres_server, INTEL) as table:
        for start in range(0, len(reports), 50):
            await table.record(*reports[start : start + 50])
        others = await table.recorded()
        await table.record(report("intel.database.corrected", NOW, "MEX", supersedes=last.id, data=version))
        await table.record(report("intel.database.corrected", NOW, "MEX", supersedes=last.id, data=version))
        for one in reports[behind:]:
            await table.record(report("intel.database.retracted", NOW, "MEX", supersedes=one.id, reason="mistaken"))
        left = await table.log.pool.fetchval("select count(*) from several where what = 'database'")
        assert left == behind
        # What is left counts as if the others had never been: from the first report on, once.
        await table.record(
            *(
                report("intel.database.retracted", NOW, "MEX", supersedes=one.id, reason="mistaken")
                for one in reports[:behind]
            )
        )
        assert await table.log.pool.fetchval("select count(*) from several where what = 'database'") == 0
        assert len(await table.recorded()) == len(others) + 2 + len(reports)
        fold = await table.fold()
    for row in (name for name, one in PLAN.rows.items() if any("intel.database." in term.event for term in one.term)):
        assert not any(cells(fold, row, day) for day in DAYS), row
