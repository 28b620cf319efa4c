"""Figure to reports over a real NATS: who is told what, in pages, and that it ends."""

import asyncio
from datetime import date

import msgspec
import pytest

from services.indicators.figures.behind import Asked
from services.indicators.figures.kinds import Span
from services.indicators.figures.suppression import RULE
from services.indicators.publish import explaining as explaining_module
from services.indicators.publish.access import OPERATOR, PUBLIC, bearer, country_token, who
from services.indicators.publish.cursors import Cursors
from services.indicators.publish.explaining import Explaining, guarded_counts, moved_by
from services.indicators.publish.recalling import Recall
from shared.run.refusals import Refused
from tests.services.indicators.making import PLAN, amend, event, folded

TODAY = Span.now(date(2004, 12, 31))
BANDS = PLAN.rows["PC-1c"]
CARE = PLAN.rows["VA-4.1"]


def band(country: str, day: str, number: int = 1) -> bytes:
    made = msgspec.json.decode(
        event("intel.band.dismantled", country, f"{day}T10:00:00Z", recorded="2004-06-01T00:00:00Z")
    )
    return msgspec.json.encode(made | {"id": f"{country}-{day}-{number}"})


@pytest.fixture
async def told(region):
    """Publishes recorded events, and explains the figures that they make."""
    clients = {}
    flow = []

    async def after(*payloads: bytes) -> Explaining:
        for payload in payloads:
            head = msgspec.json.decode(payload)
            service, name = head["type"].split(".")[1], ".".join(head["type"].split(".")[1:4])
            if service not in clients:
                clients[service] = await region.connect(service)
            await clients[service].jetstream().publish(f"crm.evt.{name}.{head['country']}", payload)
        flow.extend(payloads)
        fold = folded(*flow)
        if "indicators" not in clients:
            clients["indicators"] = await region.connect("indicators")
        closed = lambda: date(2004, 9, 30)  # noqa: E731
        return Explaining(PLAN, lambda: fold.state, Recall(clients["indicators"]), closed, Cursors(""), {})

    return after


async def test_the_operator_sees_each_event_and_their_amounts_add_up(told):
    first = band("HND", "2004-03-01")
    others = [band("HND", "2004-03-02"), band("GTM", "2004-04-01"), event("intel.meeting.held", "HND")]
    explaining = await told(first, *others, amend("retracted", first))
    found = await explaining.figure(Asked(BANDS, TODAY, "HND"), OPERATOR)
    assert [(one.part, one.amount) for one in found.numbers] == [("value", 1)]
    assert [(one.sequence, one.moved[0].amount, one.amends) for one in found.events] == [
        (1, 1, ""),
        (2, 1, ""),
        (5, -1, "HND-2004-03-01-1"),
    ]
    assert (found.complete, found.folded["intel"]) == (True, 5)
    told_first = found.events[0]
    assert (f"{told_first.time:%Y-%m-%d}", f"{told_first.recordedtime:%Y-%m-%d}") == ("2004-03-01", "2004-06-01")
    months = {(one.country, one.month): (one.reported, one.retracted) for one in found.counts if one.type}
    assert months["HND", "2004-03"] == (2, 1)


async def test_a_figure_of_a_period_has_the_events_of_that_period(told):
    days = ("2004-01-01", "2004-03-02", "2004-05-02")
    explaining = await told(*[event("legal.coordination.held", "HND", f"{day}T10:00:00Z") for day in days])
    quarter = Span.of(date(2004, 1, 2), date(2004, 3, 31))
    found = await explaining.figure(Asked(PLAN.rows["LE-2.1.2"], quarter, "HND"), OPERATOR)
    assert [one.sequence for one in found.events] == [2]


async def test_a_country_sees_its_own_and_how_many_others_there_are(told):
    explaining = await told(band("HND", "2004-03-01"), band("GTM", "2004-03-02"))
    found = await explaining.figure(Asked(BANDS, TODAY), "HND")
    assert [one.country for one in found.events] == ["HND"]
    assert {(one.country, one.reported) for one in found.counts} == {("HND", 1), ("GTM", 1)}


async def test_the_public_sees_numbers_and_no_event(told):
    explaining = await told(band("HND", "2004-03-01"))
    found = await explaining.figure(Asked(BANDS, TODAY), PUBLIC)
    assert (found.events, [one.reported for one in found.counts]) == ([], [1])


async def test_about_victims_the_public_is_told_of_whole_steps_and_of_the_row_only(told):
    many = [event("victims.service.provided", "GTM", "2004-03-01T10:00:00Z")] * 20
    few = [event("victims.service.provided", "HND", "2004-03-01T10:00:00Z")] * 3
    explaining = await told(*many, *few)
    found = await explaining.figure(Asked(CARE, TODAY), PUBLIC)
    assert (found.numbers, found.events) == ([], [])
    assert (found.counts, found.folded) == ([], {})
    enough = await (await told(*many, *many)).figure(Asked(CARE, TODAY), PUBLIC)
    assert [(one.country, one.month, one.reported) for one in enough.counts] == []
    others = [event("victims.service.provided", "MEX", "2004-03-01T10:00:00Z")] * 14
    enough = await (await told(*others)).figure(Asked(CARE, TODAY), PUBLIC)
    assert [(one.country, one.month, one.reported) for one in enough.counts] == [("GTM", "2004-03", 55)]
    for narrower in (Asked(CARE, TODAY, "HND"), Asked(CARE, Span.as_of(date(2004, 4, 1)))):
        with pytest.raises(Refused):
            await explaining.figure(narrower, PUBLIC)
    with pytest.raises(Refused):
        await explaining.figure(Asked(CARE, TODAY), PUBLIC, "victims:5")
    own = await explaining.figure(Asked(CARE, TODAY, "HND"), "HND")
    assert (len(own.events), own.counts, own.numbers) == (3, [], [])
    assert len((await explaining.figure(Asked(CARE, TODAY), OPERATOR)).events) == 23


def test_one_report_more_about_a_person_shows_in_whole_steps_and_only_when_its_quarter_is_over():
    counts = {("GTM", "2004-02", "t", "reported"): 40, ("HND", "2004-03", "t", "reported"): 30}
    more = counts | {("GTM", "2004-02", "t", "reported"): 41}
    day = date(2004, 3, 31)
    told = guarded_counts(counts, RULE, day)
    assert told == guarded_counts(more, RULE, day)
    assert [(one.country, one.month, one.reported) for one in told] == [("GTM", "2004-03", 44)]
    assert guarded_counts(counts, RULE, date(2003, 12, 31)) == []
    later = counts | {("GTM", "2004-02", "t", "retracted"): 36, ("GTM", "2004-04", "t", "reported"): 36}
    assert guarded_counts(later, RULE, day) == told


async def test_it_is_told_in_pages_each_behind_the_one_before(told, monkeypatch):
    monkeypatch.setattr(explaining_module, "EVENTS_MAX", 4)
    explaining = await told(*[band("HND", "2004-03-01", number) for number in range(10)])
    seen, after, pages = [], "", 0
    while True:
        found = await explaining.figure(Asked(BANDS, TODAY), OPERATOR, after)
        seen += [one.sequence for one in found.events]
        pages += 1
        if found.complete:
            break
        after = found.next
    assert (seen, pages) == ([*range(1, 11)], 3)


async def test_who_asks_while_another_reads_waits_and_is_refused_in_time(told, monkeypatch):
    explaining = await told(band("HND", "2004-03-01"))
    monkeypatch.setattr("services.indicators.publish.recalling.PATIENCE_S", 0.05)
    async with explaining.recall._turn:
        with pytest.raises(Refused) as refused:
            await explaining.figure(Asked(BANDS, TODAY), OPERATOR)
    assert (refused.value.status_code, refused.value.headers["Retry-After"].isdecimal()) == (503, True)
    assert (await explaining.figure(Asked(BANDS, TODAY), OPERATOR)).complete


async def test_the_loop_goes_on_while_events_are_read(told, monkeypatch):
    """Of 2,000 events in a row, others get their turn in between."""
    monkeypatch.setattr("services.indicators.publish.explaining.LIMIT_S", 120.0)
    explaining = await told(*[band("HND", "2004-03-01", number) for number in range(2000)])
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    found = await explaining.figure(Asked(BANDS, TODAY), PUBLIC)
    task.cancel()
    assert (found.complete, found.counts[0].reported) == (True, 2000)
    assert turns > 20


async def test_a_declared_level_is_the_one_in_force(told):
    early = event(
        "training.workforce.declared", "HND", "2004-01-01T00:00:00Z", headcount=5, institution_type="migration"
    )
    late = event(
        "training.workforce.declared", "HND", "2004-02-01T00:00:00Z", headcount=7, institution_type="migration"
    )
    explaining = await told(early, late)
    found = await explaining.figure(Asked(PLAN.rows["IP-2.1"], TODAY, "HND"), OPERATOR)
    assert [(one.moved[0].amount, one.moved[0].holds) for one in found.events] == [(5, False), (7, True)]


async def test_a_milestone_has_the_events_that_reached_it(told):
    explaining = await told(event("legal.representative.designated", "GTM"), band("HND", "2004-03-01"))
    reached = [
        one for one in PLAN.milestones.values() if any(d.event == "legal.representative.designated" for d in one.done)
    ]
    found = await explaining.milestone(reached[0].id, OPERATOR, date(2004, 12, 31))
    assert [one.type for one in found.events] == ["crm.legal.representative.designated.v1"]


async def test_a_milestone_that_help_for_victims_reaches_is_counted_for_the_public_as_figures_are(told):
    """Of victims it would tell single reports by country and month, which no figure does."""
    few = [event("victims.service.provided", "HND", "2004-03-01T10:00:00Z")] * 3
    many = [event("victims.service.provided", one, "2004-03-01T10:00:00Z") for one in ("GTM", "SLV") for _ in range(20)]
    explaining, day = await told(*few, *many), date(2004, 12, 31)
    found = await explaining.milestone("MS-VA-4", PUBLIC, day)
    assert {one.country: one.reported for one in found.counts} == {"SLV": 22}
    with pytest.raises(Refused):
        await explaining.milestone("MS-VA-4", PUBLIC, day, "victims:5")
    own = await explaining.milestone("MS-VA-4", "HND", day)
    assert (len(own.events), own.counts) == (3, [])
    assert sum(one.reported for one in (await explaining.milestone("MS-VA-4", OPERATOR, day)).counts) == 43


async def test_what_is_made_of_rows_names_them(told):
    explaining = await told(band("HND", "2004-03-01"))
    found = await explaining.figure(Asked(PLAN.rows["XC-3"], TODAY), PUBLIC)
    assert set(found.made_of) == {"IE-1.2.2", "PC-1a", "PC-1.1.5.both"}


async def test_from_a_report_the_figures_that_it_moved(told):
    explaining = await told(band("HND", "2004-03-01"))
    found = await explaining.report("intel", 1, "HND")
    assert any(
        (one.id, one.cell[0], one.day, one.amount) == ("PC-1c", "HND", date(2004, 3, 1), 1) for one in found.moved
    )
    for asker in (PUBLIC, "GTM"):
        with pytest.raises(Refused) as refused:
            await explaining.report("intel", 1, asker)
        assert refused.value.status_code == 404
    with pytest.raises(Refused):
        await explaining.report("intel", 2, OPERATOR)


def test_a_report_that_is_in_no_figure_moved_none():
    """The fold has set it aside: it happened after all days that figures are reckoned by."""
    assert moved_by(PLAN, "intel", 1, band("HND", "9999-01-01")).moved == []


def test_a_word_in_force_that_is_taken_back_is_told_with_the_word():
    adopted = event("training.code.adopted", "GTM", version="2")
    moved = moved_by(PLAN, "training", 1, amend("retracted", adopted)).moved
    assert [(one.id, one.amount, one.sign) for one in moved if one.level] == [("IP-3.1.1", "2", -1)]


async def test_of_a_single_report_nobody_who_may_see_none_makes_the_streams_be_read(told):
    explaining = await told(band("HND", "2004-03-01"))
    explaining.recall._client = None
    with pytest.raises(Refused) as refused:
        await explaining.report("intel", 1, PUBLIC)
    assert refused.value.status_code == 404


async def test_a_single_report_is_told_while_somebody_elses_reading_goes_on(told):
    explaining = await told(band("HND", "2004-03-01"))
    async with explaining.recall._turn:
        assert (await explaining.report("intel", 1, "HND")).id == "HND-2004-03-01-1"


def test_a_countrys_token_is_its_own_and_the_operators_is_no_countrys():
    assert who(bearer(f"Bearer {country_token('secret', 'HND')}"), "secret") == "HND"
    assert who(bearer("bearer secret"), "secret") == OPERATOR
    forged = country_token("secret", "HND").replace("HND", "GTM")
    for given in ("", "Bearer", f"Bearer {forged}", f"Bearer {country_token('other', 'HND')}"):
        assert who(bearer(given), "secret") == PUBLIC
    assert who(country_token("", "HND"), "") == PUBLIC
