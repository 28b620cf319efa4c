"""What those who care for victims are told of cases, laws and procedures, also when these are amended."""

import msgspec
import pytest

from services.victims.__main__ import SERVICE
from tests.harness.desk import desk


@pytest.fixture
async def victims(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


def resolved(victims, *countries):
    return victims.event("legal.case.resolved", case_id="case-1", countries=[*countries])


async def test_a_corrected_case_reaches_whom_it_concerns_now_and_is_taken_back_from_the_others(victims):
    case = resolved(victims, "GTM", "MEX", "HND")
    await victims.tell(case)
    assert await victims.told("MEX") == await victims.told("HND") == ["case_resolved case-1"]
    assert await victims.told("GTM") == []
    first = (await victims.mailboxes())["HND"][0]
    corrected = victims.corrected(case, countries=["GTM", "MEX", "NIC"])
    await victims.tell(corrected)
    assert await victims.told("MEX") == await victims.told("NIC") == ["case_resolved case-1"]
    assert await victims.told("HND") == ["case_resolved case-1", "taken_back case-1"]
    back = (await victims.mailboxes())["HND"][1]
    assert (back.data.about, back.data.about_type, back.causationid) == (first.id, first.type, corrected.id)
    now = msgspec.structs.replace(case, data=msgspec.structs.replace(case.data, countries=("GTM", "MEX", "NIC")))
    await victims.tell(victims.retracted(now))
    for country in ("MEX", "NIC"):
        assert await victims.told(country) == ["case_resolved case-1", "taken_back case-1"]
    assert len(await victims.told("HND")) == 2


async def test_two_identifiers_merged_are_told_under_the_one_that_stays(victims):
    case = resolved(victims, "GTM", "MEX")
    await victims.tell_at_once(case, victims.corrected(case, case_id="case-2"))
    assert await victims.told("MEX") == ["case_resolved case-1", "case_resolved case-2", "taken_back case-1"]


async def test_a_law_that_is_about_victims_after_all_or_was_not(victims):
    law = victims.event("legal.law.amended", law_id="law-1", crime_types=["corruption"])
    await victims.tell(law)
    assert await victims.told("GTM") == []
    await victims.tell(victims.corrected(law, crime_types=["tip"]))
    assert await victims.told("GTM") == ["law_amended law-1"]
    now = msgspec.structs.replace(law, data=msgspec.structs.replace(law.data, crime_types=("tip",)))
    await victims.tell(victims.corrected(now, penalty_min_months=12))
    assert await victims.told("GTM") == ["law_amended law-1"], "the rest of it changes nothing told"
    await victims.tell(victims.retracted(now))
    assert await victims.told("GTM") == ["law_amended law-1", "taken_back law-1"]


async def test_a_procedure_withdrawn_is_taken_back(victims):
    procedure = victims.event("legal.procedure.issued", procedure_id="pr-1")
    await victims.tell(procedure, victims.retracted(procedure))
    assert await victims.told("GTM") == ["procedure_issued pr-1", "taken_back pr-1"]
