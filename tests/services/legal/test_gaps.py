"""The gaps between treaties and laws are those of what is on record, whatever was told, corrected or withdrawn when."""

import random
from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from services.legal.__main__ import SERVICE
from services.legal.obligations import OBLIGATIONS
from services.legal.questions import on_gaps
from shared.ask.questions import Asked
from shared.contracts import Refused
from shared.contracts.questions import GapsAsk
from tests.harness.desk import START, desk
from tests.harness.figuring import folded

TIP = OBLIGATIONS["TIP"]


@pytest.fixture
async def legal(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


def act(legal, verb, days=0):
    return legal.event(f"legal.treaty.{verb}", days)


def mapped(legal, article, days=1, law_id="law-1", **changes):
    obligation = {"instrument": "TIP", "article": article}
    return legal.event("legal.provision.mapped", days, obligation=obligation, law_id=law_id, **changes)


def changed(legal, verb, days=2, law_id="law-1"):
    return legal.event(f"legal.law.{verb}", days, law_id=law_id)


async def answered(legal, country="GTM"):
    """The open gaps of a country by treaty, as anyone is answered."""
    asked = [Asked("MEX", GapsAsk(country=country, instrument=one), legal.clock.at) for one in OBLIGATIONS]
    async with legal.log.pool.acquire() as connection:
        answers = await on_gaps(asked, connection)
    return {
        (one.ask.instrument, gap.article) for one, answer in zip(asked, answers, strict=True) for gap in answer.gaps
    }


async def gaps(legal):
    standing = await answered(legal)
    told = Counter()
    for one in await legal.recorded("legal.gap.opened", "legal.gap.closed"):
        told[one.data.obligation.instrument, one.data.obligation.article] += 1 if one.name.endswith("opened") else -1
    assert {gap for gap, number in told.items() if number} == standing
    assert set(told.values()) <= {0, 1}
    return {article for _, article in standing}


async def kinds(legal):
    return [(one.data.kind, one.data.entity) for one in await legal.recorded("legal.alert.issued")]


async def test_withdrawing_from_a_treaty_closes_its_gaps_and_joining_again_opens_them(legal):
    await legal.tell(act(legal, "ratified"), mapped(legal, "5"))
    assert await gaps(legal) == {*TIP} - {"5"}
    await legal.tell(act(legal, "withdrawn", 2))
    assert await gaps(legal) == set()
    await legal.tell(act(legal, "acceded", 3))
    assert await gaps(legal) == {*TIP} - {"5"}


async def test_two_countries_may_give_their_reports_the_same_ids(legal):
    for report in (act(legal, "ratified"), mapped(legal, "5"), changed(legal, "amended", 0.5)):
        data = msgspec.structs.replace(report.data, country="MEX")
        theirs = msgspec.structs.replace(report, source="urn:crm:country:MEX:test", country="MEX", data=data)
        await legal.tell(report, theirs)
    await legal.tell(legal.retracted(theirs))
    for country in ("GTM", "MEX"):
        assert await answered(legal, country) == {("TIP", article) for article in TIP if article != "5"}
    rules = [
        legal.event("intel.entryrequirement.declared", 0, country, destination=country, legal_ref="law-1")
        for country in ("GTM", "MEX")
    ]
    await legal.tell(*rules)
    alerts = [one for one in await legal.recorded("legal.alert.issued") if one.data.kind == "entry_rules_review"]
    assert [one.country for one in alerts] == ["GTM"], "of Mexico's law the change is retracted"


async def test_a_corrected_mapping_counts_as_it_now_is(legal):
    five = mapped(legal, "5")
    await legal.tell(act(legal, "ratified"), five)
    await legal.tell(legal.corrected(five, obligation={"instrument": "TIP", "article": "6"}))
    assert await gaps(legal) == {*TIP} - {"6"}
    await legal.tell(legal.corrected(five, degree="partial"))
    assert await gaps(legal) == {*TIP}
    for wrong, code in (
        ({"obligation": {"instrument": "TIP", "article": "3"}}, "unknown_value"),
        ({"country": "MEX", "reported_by": "court"}, "not_owner"),
    ):
        (refusal,) = await legal.record(legal.corrected(five, **wrong))
        assert isinstance(refusal, Refused)
        assert [(one.pointer.split("/")[1:3], one.code) for one in refusal.problems] == [(["data", "data"], code)]


async def test_a_gap_opens_when_the_country_is_party_and_no_law_carries_the_article_out(legal):
    before, first, second = mapped(legal, "5", -9, "law-3"), mapped(legal, "6", -9), mapped(legal, "6", 1, "law-2")
    await legal.tell(before, first, second, act(legal, "acceded"), changed(legal, "repealed", 2, "law-1"))
    await legal.tell(legal.retracted(before), legal.corrected(second, degree="partial"))
    opened = {one.data.obligation.article: one for one in await legal.recorded("legal.gap.opened")}
    days = {article: (one.time - START).days for article, one in opened.items()}
    assert (days["5"], days["6"]) == (0, 2)
    assert all(one.data.since == one.time for one in opened.values())


async def test_an_amended_law_is_judged_again_and_a_repealed_one_carries_out_nothing_any_more(legal):
    amendment = changed(legal, "amended")
    await legal.tell(act(legal, "ratified"), mapped(legal, "5"), mapped(legal, "6", law_id="law-2"), amendment)
    assert await gaps(legal) == {*TIP} - {"6"}
    assert await kinds(legal) == [("mapping_review", "law-1")]
    await legal.tell(mapped(legal, "5", 3))
    assert await gaps(legal) == {*TIP} - {"5", "6"}
    repeal = changed(legal, "repealed", 4)
    await legal.tell(repeal, mapped(legal, "5", 5))
    assert await gaps(legal) == {*TIP} - {"6"}
    await legal.tell(mapped(legal, "5", 5, law_id="law-2"), legal.retracted(repeal), legal.retracted(amendment))
    assert await gaps(legal) == {*TIP} - {"5", "6"}


async def test_a_time_at_which_an_article_ceases_in_place_of_beginning_to_be_carried_out_is_told_so(legal):
    repeal = changed(legal, "repealed", 0.1, "law-2")
    second = mapped(legal, "5", 0.5, "law-2"), mapped(legal, "5", 1, "law-2", degree="partial")
    await legal.tell(act(legal, "ratified"), mapped(legal, "5"), *second, repeal)
    await legal.tell(legal.corrected(repeal, law_id="law-1"))
    steps = Counter()
    for one in await legal.recorded("legal.transposition.changed"):
        steps[(one.time - START).total_seconds() / 86400] += one.data.change.by
    assert +steps == {0.5: 1}
    assert -steps == {1: 1}
    assert await gaps(legal) == {*TIP}


@pytest.mark.parametrize("law_first", [True, False])
async def test_entry_rules_under_a_changed_law_are_to_be_looked_at(legal, law_first):
    rule = legal.event("intel.entryrequirement.declared", 0, legal_ref="law-1")
    newer = legal.event("intel.entryrequirement.changed", 3, legal_ref="law-1")
    other = legal.event("intel.entryrequirement.declared", 0, legal_ref="law-2")
    law = changed(legal, "amended")
    await legal.tell(*([law, rule] if law_first else [rule, law]), newer, other)
    assert await kinds(legal) == [("entry_rules_review", "law-1")]


def clean(alive):
    """The gaps in TIP that these reports, each as it stands, leave."""
    acts = sorted((event.time, event.name.rpartition(".")[2]) for event, _ in alive if ".treaty." in event.name)
    if not acts or acts[-1][1] == "withdrawn":
        return set()
    last, changes, repealed = {}, {}, set()
    for event, data in alive:
        if ".law." in event.name:
            changes[data.law_id] = max(event.time, changes.get(data.law_id, event.time))
            repealed |= {data.law_id} if event.name.endswith("repealed") else set()
        elif ".provision." in event.name:
            key = data.obligation.article, data.law_id
            last[key] = max((event.time, event.id, data.degree), last.get(key, (event.time, "", "")))
    full = {
        article
        for (article, law), (judged, _, degree) in last.items()
        if degree == "full" and law not in repealed and not (law in changes and changes[law] > judged)
    }
    return {*TIP} - full


async def open_on(legal, *days):
    """How many gaps the figure shows at the end of some days."""
    events = await legal.recorded()
    found = [folded("LE-1.R3.gaps", events, (START + timedelta(days=day)).date(), as_of=True).cells for day in days]
    return [sum(cell.value or 0 for cell in cells if cell.country == "GTM") for cells in found]


async def test_a_gap_between_accession_and_law_is_told_also_where_the_law_is_told_first(legal):
    await legal.tell(mapped(legal, "5", 10), act(legal, "acceded"))
    assert await open_on(legal, -1, 5, 15) == [0, len(TIP), len(TIP) - 1]
    assert await gaps(legal) == {*TIP} - {"5"}


async def test_a_mapping_of_before_the_accession_that_is_withdrawn_late_never_counted(legal):
    before = mapped(legal, "5", -9)
    await legal.tell(before, act(legal, "acceded"), changed(legal, "amended", 20))
    assert await open_on(legal, 5, 25) == [len(TIP) - 1, len(TIP)]
    await legal.tell(legal.retracted(before))
    assert await open_on(legal, -1, 5, 25) == [0, len(TIP), len(TIP)]
    assert await gaps(legal) == {*TIP}


async def test_an_accession_that_was_none_had_no_gaps_at_any_time(legal):
    joined = act(legal, "acceded")
    await legal.tell(joined, mapped(legal, "5", 10), changed(legal, "amended", 20), legal.retracted(joined))
    assert await open_on(legal, -1, 5, 15, 25) == [0, 0, 0, 0]
    assert await gaps(legal) == set()


def hour_by_hour(alive):
    """Every few hours, whether article 5 is a gap by these reports alone."""
    return {
        hour: "5" in clean([one for one in alive if one[0].time <= START + timedelta(hours=hour)]) for hour in HOURS
    }


HOURS = range(-9 * 24, 45 * 24, 7)


@pytest.mark.parametrize("seed", range(4))
async def test_in_any_order_the_gap_was_open_whenever_a_clean_count_has_it_open(legal, seed):
    chance = random.Random(seed)
    stories = [act(legal, verb, days) for verb, days in (("ratified", 3), ("withdrawn", 20), ("acceded", 30))]
    for _ in range(8):
        degree = chance.choice(["full", "full", "partial"])
        law = f"law-{chance.randint(1, 2)}"
        stories.append(mapped(legal, "5", chance.randint(-9, 40) + chance.random(), law, degree=degree))
    stories += [changed(legal, "amended", chance.randint(-9, 40) + chance.random()) for _ in range(3)]
    alive = {one.id: (one, one.data) for one in stories}
    withdrawn = [legal.retracted(one) for one in chance.sample(stories[3:], 5)]
    chance.shuffle(stories)
    acts = iter(sorted((one for one in stories if ".treaty." in one.name), key=lambda one: one.time))
    await legal.tell(*[next(acts) if ".treaty." in one.name else one for one in stories], *withdrawn)
    for one in withdrawn:
        del alive[one.data.supersedes]
    told = sorted(
        (one for one in await legal.recorded("legal.gap.opened", "legal.gap.closed") if one.subject == "TIP.5"),
        key=lambda one: one.time,  # of one time what was told last holds
    )
    wanted = hour_by_hour(alive.values())
    for hour in HOURS:
        until = [one.name for one in told if one.time <= START + timedelta(hours=hour)]
        assert (until[-1:] == ["legal.gap.opened"]) == wanted[hour], hour
    assert "5" in await gaps(legal) or not wanted[HOURS[-1]]


@pytest.mark.parametrize("seed", range(4))
async def test_in_any_order_with_corrections_and_retractions_the_gaps_are_those_of_a_clean_count(legal, seed):
    chance = random.Random(seed)
    stories = [act(legal, "ratified", 0), act(legal, "withdrawn", 20), act(legal, "acceded", 30)][
        : chance.choice([1, 3])
    ]
    articles = TIP[:3]
    for _ in range(8):
        law = f"law-{chance.randint(1, 2)}"
        degree = chance.choice(["full", "full", "partial"])
        stories.append(
            mapped(legal, chance.choice(articles), chance.randint(-9, 40) + chance.random(), law, degree=degree)
        )
    for _ in range(3):
        verb = chance.choice(["amended", "amended", "repealed"])
        stories.append(changed(legal, verb, chance.randint(-9, 40) + chance.random(), f"law-{chance.randint(1, 2)}"))
    chance.shuffle(stories)
    stories.sort(key=lambda event: event.time if ".treaty." in event.name else legal.clock.at)
    alive = {}
    for event in stories:
        await legal.tell(event)
        alive[event.id] = (event, event.data)
        assert await gaps(legal) == clean(alive.values())
    for identity in chance.sample([one for one in sorted(alive) if ".treaty." not in alive[one][0].name], 5):
        event, data = alive[identity]
        if ".provision." in event.name and chance.random() < 0.5:
            degree = "partial" if data.degree == "full" else "full"
            await legal.tell(legal.corrected(event, degree=degree))
            alive[identity] = (
                event,
                type(data)(**{f: getattr(data, f) for f in data.__struct_fields__} | {"degree": degree}),
            )
        else:
            await legal.tell(legal.retracted(event))
            del alive[identity]
        assert await gaps(legal) == clean(alive.values())
