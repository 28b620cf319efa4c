"""Small amended histories, each with the figures that the reports have as they stand: worked out by hand."""

import itertools
from datetime import timedelta

import msgspec
import pytest

from services.indicators.figures.figures import EXACT, figures
from services.indicators.figures.kinds import Span, view
from services.indicators.folded.fold import Fold
from services.legal.__main__ import SERVICE as LEGAL
from services.training.__main__ import SERVICE as TRAINING
from services.victims.__main__ import SERVICE as VICTIMS
from shared import contracts
from tests.harness.desk import START, desk
from tests.services.tallying import PLAN


async def fold(one):
    folded = Fold(PLAN)
    rows = await one.log.pool.fetch("select payload from log order by position")
    for number, row in enumerate(rows, 1):
        folded.apply(one.log.service, number, bytes(row["payload"]))
    return folded


async def cells(one, row, days=1000):
    """By country, and label values where there are any, what a row counts at the end of a day; without what is 0."""
    day = (START + timedelta(days=days)).date()
    found = figures(PLAN, PLAN.rows[row], (await fold(one)).state, Span.as_of(day), closed=EXACT).cells
    return {(cell.country, *cell.labels.values()): cell.value for cell in found if cell.value}


def merged(event, into):
    service, entity, _ = event.name.split(".")
    agreed = contracts.registry()[f"crm.{service}.{entity}.merged.v1"]
    data = msgspec.convert({"into": into, "reported_by": event.data.reported_by}, agreed.data)
    return msgspec.structs.replace(event, id=f"{event.id}-merged", type=agreed.type, data=data)


async def numbers(one, row, role, days=1000):
    """By cell, how much a role of a row counts at the end of a day; without what is 0."""
    day = (START + timedelta(days=days)).date().toordinal()
    return {key: n for key, n in view(PLAN, row, role, (await fold(one)).state).upto(day) if n}


@pytest.mark.parametrize("how", ["merged", "corrected"])
async def test_of_two_changes_of_law_that_are_one_the_first_tells_whose_law_it_is(postgres_server, how):
    """A seat's holder tells of changes of two countries' laws, which turn out to be one change."""
    async with desk(postgres_server, LEGAL) as legal:
        by, office = "MEX", "technical_group"
        about = {"reported_by": office}
        first = legal.event("legal.change.proposed", 1, by, change_id="ch-1", country="GTM", **about)
        second = legal.event("legal.change.proposed", 2, by, change_id="ch-2", country="SLV", **about)
        await legal.tell(first, second)
        told = merged(first, "ch-2") if how == "merged" else legal.corrected(first, change_id="ch-2", **about)
        await legal.tell(told)
        assert await numbers(legal, "LE-1.2", "denominator") == {("GTM", "TIP"): 1}
        await legal.tell(legal.retracted(first))
        assert await numbers(legal, "LE-1.2", "denominator") == {("SLV", "TIP"): 1}
        assert await numbers(legal, "LE-1.2", "denominator", 1) == {}


async def test_of_two_who_tell_of_one_course_the_first_tells_whose_plan_it_is_of(postgres_server):
    """The course is Mexico's; the United States say that it is of a plan of theirs."""
    async with desk(postgres_server, TRAINING) as training:
        course = {"place": "bcp", "provider": "MEX"}
        first = training.event("training.course.delivered", 1, "MEX", course_id="crs-1", plan_id="tp-1", **course)
        theirs = {"course_id": "MEX:crs-1", "plan_id": "tp-1"}
        second = training.event("training.course.delivered", 2, "USA", **theirs, **course)
        await training.tell(first, second)
        assert {key[0] for key in await numbers(training, "IE-3.1.1", "numerator")} == {"MEX"}
        await training.tell(training.retracted(first))
        assert {key[0] for key in await numbers(training, "IE-3.1.1", "numerator")} == {"USA"}


@pytest.mark.parametrize("order", [*map("".join, itertools.permutations("rch"))])
@pytest.mark.parametrize("person", ["vi-1", "vi-2"])
async def test_a_return_counts_one_enrolment_by_its_case_and_by_its_referral(postgres_server, order, person):
    """Somebody taken home joined two programmes: one report names the referral, one the case. It is one return's."""
    async with desk(postgres_server, VICTIMS) as victims:
        by_referral = victims.event("victims.programme.enrolled", 1, "MEX", victim_pid="vi-1", referral_id="ref-88")
        case = {"victim_pid": person, "referral_id": ..., "case_id": "case-12", "programme": "Education"}
        by_case = victims.event("victims.programme.enrolled", 2, "MEX", **case)
        home = victims.event("victims.repatriation.completed", 0, "GTM", referral_id="ref-88", to="MEX")
        await victims.tell(*({"r": by_referral, "c": by_case, "h": home}[one] for one in order))

        async def enrolled(days=1000):
            return await numbers(victims, "VA-5.1b.enrolled", "numerator", days)

        one = {("MEX",): 1}
        assert (await enrolled(0), await enrolled(1), await enrolled()) == ({}, one, one)
        await victims.tell(victims.corrected(home, referral_id="ref-99"))
        assert await enrolled() == {("MEX",): 2}, "of two ways home"
        await victims.tell(victims.corrected(home))
        assert await enrolled() == one
        await victims.tell(victims.retracted(by_referral))
        assert (await enrolled(1), await enrolled()) == ({}, one)
        await victims.tell(victims.retracted(by_case))
        assert await enrolled() == {}


@pytest.mark.parametrize("known_by", ["victims.repatriation.completed", "victims.referral.sent"])
@pytest.mark.parametrize("end", ["", "first", "second", "corrected"])
async def test_a_return_counts_one_enrolment_though_one_came_before_it(postgres_server, known_by, end):
    """Two victims' enrolments name the referral by which they came home, one before it was known whose that is."""
    async with desk(postgres_server, VICTIMS) as victims:
        first, second = (
            victims.event("victims.programme.enrolled", day, "MEX", victim_pid=f"vi-{day}") for day in (1, 2)
        )
        known = victims.event(known_by, 0, "GTM", referral_id="ref-88", to="MEX")
        await victims.tell(first, known, second)
        assert await numbers(victims, "VA-5.1b.enrolled", "numerator") == {("MEX",): 1}
        (counted,) = await victims.recorded("victims.programme.corrected")
        assert (counted.country, counted.data.data["sender"]) == ("MEX", "GTM")
        if end == "corrected":
            await victims.tell(victims.corrected(first, programme="Education"))
        elif end:
            await victims.tell(victims.retracted({"first": first, "second": second}[end]))
        assert await numbers(victims, "VA-5.1b.enrolled", "numerator") == {("MEX",): 1}
