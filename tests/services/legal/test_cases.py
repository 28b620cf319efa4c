"""Resolved cases and the reviews of their witnesses' protection; conduct and reports that call for a case."""

import itertools

import msgspec
import pytest

from services.legal.__main__ import SERVICE
from services.legal.judgements.cases import is_crime
from shared import contracts
from tests.harness.desk import START, desk

WITNESS = ("legal.witness.review_opened", "legal.witness.review_overdue")


@pytest.fixture
async def legal(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


def resolved(legal, days=0, **changes):
    return legal.event("legal.case.resolved", days, **({"countries": ["GTM"]} | changes))


def reviewed(legal, days=1, **changes):
    return legal.event("legal.witness.reviewed", days, **changes)


async def told(legal):
    return [(one.name.rpartition("_")[2], one.data.case_id) for one in await legal.recorded(*WITNESS)]


@pytest.mark.parametrize(("documented", "task"), [(True, "review"), (False, "document_care")])
async def test_a_resolved_case_asks_for_a_review_within_30_days(legal, documented, task):
    await legal.tell(
        resolved(legal, witness_care_documented=documented), resolved(legal, case_id="case-2"), reviewed(legal)
    )
    opened = (await legal.recorded("legal.witness.review_opened"))[0]
    assert (opened.data.task, (opened.data.due - START).days) == (task, 30)
    await legal.pass_days(29)
    assert len(await told(legal)) == 2
    await legal.pass_days(1)
    assert (await told(legal))[2:] == [("overdue", "case-2")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
async def test_a_review_may_arrive_before_its_case_but_one_before_the_resolution_is_not_it(legal, order):
    events = [resolved(legal), reviewed(legal)]
    await legal.tell(*[events[place] for place in order], resolved(legal, case_id="case-2"))
    await legal.tell(reviewed(legal, -1, case_id="case-2"))
    await legal.pass_days(31)
    assert [case for what, case in await told(legal) if what == "overdue"] == ["case-2"]


async def test_protection_that_begins_after_the_case_is_no_review(legal):
    await legal.tell(legal.event("legal.witness.protected", 1), resolved(legal))
    await legal.pass_days(31)
    assert [what for what, _ in await told(legal)] == ["opened", "overdue"]


async def test_a_review_reported_in_error_is_waited_for_again(legal):
    review, ended = reviewed(legal), legal.event("legal.witness.ended", 2)
    await legal.tell(resolved(legal), review, ended, legal.retracted(review))
    await legal.pass_days(31)
    assert [what for what, _ in await told(legal)] == ["opened"]
    await legal.tell(legal.corrected(ended, case_id="case-9"))
    await legal.pass_days(0)
    assert await told(legal) == [("opened", "case-12"), ("overdue", "case-12")]


async def test_a_day_that_a_review_waited_beyond_is_told_once(legal):
    late = reviewed(legal, 31)
    await legal.tell(resolved(legal))
    await legal.pass_days(30)
    await legal.tell(late, legal.retracted(late))
    await legal.pass_days(1)
    assert await told(legal) == [("opened", "case-12"), ("overdue", "case-12")]


async def test_a_corrected_case_asks_for_what_it_now_needs_and_a_retracted_one_for_nothing(legal):
    case = resolved(legal, witness_care_documented=False)
    await legal.tell(case)
    await legal.pass_days(20)
    await legal.tell(legal.corrected(case, witness_care_documented=True))
    await legal.tell(legal.corrected(case, witness_care_documented=True, outcome="acquitted"))
    first, second = await legal.recorded("legal.witness.review_opened")
    assert [one.data.task for one in (first, second)] == ["document_care", "review"]
    assert (second.data.due - START).days == 50
    await legal.tell(legal.retracted(case))
    await legal.pass_days(60)
    assert [what for what, _ in await told(legal)] == ["opened", "opened"]


@pytest.mark.parametrize(
    ("changes", "crime"),
    [
        ({"category": "bribery"}, True),
        ({"category": "trading_in_influence"}, True),
        ({"offence": "tip"}, True),
        ({"offence": "som"}, True),
        ({"offence": "doc_fraud"}, False),
        ({}, False),
        ({"category": "bribery", "outcome": "unfounded"}, False),
    ],
)
def test_conduct_found_true_is_a_crime_where_it_is_corruption_trafficking_or_smuggling(changes, crime):
    agreed = contracts.registry()["crm.training.complaint.resolved.v1"]
    data = dict(agreed.good) | {"category": "abuse", "offence": None} | changes
    assert is_crime(msgspec.convert(data, agreed.data)) is crime


async def test_a_proceeding_is_suggested_and_the_suggestion_taken_back_with_the_complaint(legal):
    crime, other = (
        legal.event("training.complaint.resolved", category=what, offence=...) for what in ("bribery", "abuse")
    )
    await legal.tell(crime, other, legal.corrected(crime, sanction="suspension"), legal.retracted(crime))
    alerts = [(alert.data.kind, alert.data.entity) for alert in await legal.recorded("legal.alert.issued")]
    assert alerts == [("proceeding_suggested", "cp-1"), ("proceeding_not_suggested", "cp-1")]


async def test_an_offence_reported_by_an_official_is_told_without_a_trace_of_who_did(legal):
    report = legal.event("training.report.filed", report_id="rp-secret", channel="hotline")
    await legal.tell(msgspec.structs.replace(report, subject="rp-secret"))
    alert = await legal.one("legal.alert.issued")
    assert (alert.data.kind, alert.data.reason, alert.data.entity) == ("offence_reported", "tip", None)
    row = await legal.log.pool.fetchval("select payload from log")
    assert b"rp-secret" not in bytes(row)
    assert b"hotline" not in bytes(row)
    assert await legal.log.pool.fetchval("select event from heard") == b"", "nothing of the report is kept"
