"""A database as the version with tables of its own left it goes on: nothing is told again, all can be taken back."""

from datetime import timedelta

import msgspec
import pytest

from services.legal.__main__ import SERVICE
from services.legal.obligations import OBLIGATIONS
from shared.contracts.tallies import Step
from shared.record.judgement import derive, derived_id
from tests.harness.desk import START
from tests.harness.olden import olden

TIP = {"instrument": "TIP", "article": "5"}


def told(desk, name, cause, **data):
    """What legal told because of a report."""
    event = desk.event(f"legal.{name}", **data)
    to = "REG" if name.startswith("transposition") else "GTM"
    subject = f"TIP.{data['obligation']['article']}" if "obligation" in data else ""
    subject = subject or getattr(event.data, "entity", None) or getattr(event.data, "case_id", "")
    return derive("legal", event.data, cause=cause, to=to, subject=subject, key=subject)


@pytest.fixture
async def old(postgres_server):
    async with olden(postgres_server, SERVICE, "0008_notified.sql") as one:
        yield one


async def put(old, table, event, **columns):
    await old.put(table, event_id=event.id, source=event.source, country="GTM", **columns)


@pytest.fixture
async def law(old):
    """A party with a law that carries out one article: what legal had told of it."""
    desk = old.desk
    party = desk.event("legal.treaty.ratified")
    mapped = desk.event("legal.provision.mapped", 1, obligation=TIP, law_id="law-1")
    since = (START + timedelta(days=0)).isoformat()
    opened = [
        told(desk, "gap.opened", party, obligation=TIP | {"article": one}, since=since) for one in OBLIGATIONS["TIP"]
    ]
    closed = told(desk, "gap.closed", mapped, obligation=TIP, since=since)
    step = told(desk, "transposition.changed", mapped, obligation=TIP, change={"by": 1})
    await old.recorded(party, *opened, mapped, closed, msgspec.structs.replace(step, time=mapped.time))
    await put(old, "treaty_act", party, instrument="TIP", act="ratified", day=party.time.date())
    await put(
        old, "mapping", mapped, instrument="TIP", article="5", law_id="law-1", degree="full", judged=mapped.time
    )  # fmt: skip
    for one in opened[1:]:
        await old.put("gap", country="GTM", instrument="TIP", article=one.data.obligation.article, since=party.time)
    await old.put("transposition", country="GTM", instrument="TIP", article="5", at=mapped.time, by=1)
    return party, mapped


async def test_gaps_that_were_open_close_and_are_not_opened_again(old, law):
    party, mapped = law
    desk = await old.upgrade()
    begun = len(await desk.recorded())
    second = desk.event("legal.provision.mapped", 3, obligation=TIP | {"article": "6"}, law_id="law-1")
    await desk.tell(second, desk.retracted(mapped))
    fresh = [one for one in (await desk.recorded())[begun:] if one.source == "urn:crm:service:legal"]
    assert [(one.name, one.subject, one.time) for one in fresh] == [
        ("legal.gap.closed", "TIP.6", second.time),
        ("legal.transposition.changed", "TIP.6", second.time),
        ("legal.gap.opened", "TIP.5", mapped.time),
        ("legal.transposition.changed", "TIP.5", mapped.time),
    ]
    assert [getattr(one.data, "since", None) or one.data.change.by for one in fresh] == [
        party.time, 1, party.time, -1,
    ]  # fmt: skip


@pytest.fixture
async def case(old):
    """A resolved case whose review is waited for."""
    desk = old.desk
    case = desk.event("legal.case.resolved", regional=True)
    due = START + timedelta(days=30)
    opened = told(desk, "witness.review_opened", case, due=due.isoformat())
    await old.recorded(case, opened)
    await put(old, "resolved_case", case, case_id="case-12", resolved=case.time, known=START)
    name = "witness_review/GTM/case-12"
    overdue = told(desk, "witness.review_overdue", case, due=due.isoformat())
    overdue = msgspec.structs.replace(overdue, id=derived_id(overdue.type, name, due.isoformat()), time=due)
    await old.put("deadline", id=name, due=due, event=msgspec.json.encode(overdue))
    return case


@pytest.mark.parametrize("reviewed", [True, False])
async def test_a_review_that_was_waited_for_is_reported_or_overdue_once(old, case, reviewed):
    desk = await old.upgrade()
    late = desk.event("legal.witness.reviewed", 1 if reviewed else -1)
    await desk.tell(late, desk.corrected(case, outcome="acquitted"))
    await desk.pass_days(31)
    await desk.tell(desk.retracted(late))
    await desk.pass_days(31)
    names = [one.name for one in await desk.recorded("legal.witness.review_opened", "legal.witness.review_overdue")]
    assert names == ["legal.witness.review_opened", "legal.witness.review_overdue"]


async def test_a_retracted_case_is_waited_for_no_more(old, case):
    desk = await old.upgrade()
    await desk.tell(desk.retracted(case))
    await desk.pass_days(31)
    assert await desk.recorded("legal.witness.review_overdue") == []


async def test_a_suggested_proceeding_is_taken_back(old):
    crime = old.desk.event("training.complaint.resolved", category="bribery", offence=...)
    data = {"kind": "proceeding_suggested", "about": crime.id, "about_type": crime.type, "entity": "cp-1"}
    await old.recorded(told(old.desk, "alert.issued", crime, **data))
    desk = await old.upgrade()
    await desk.tell(desk.retracted(crime))
    kinds = [one.data.kind for one in await desk.recorded("legal.alert.issued")]
    assert kinds == ["proceeding_suggested", "proceeding_not_suggested"]


async def test_a_witness_of_before_the_count_is_counted_with_a_report_of_after_it(old):
    before = old.desk.event("legal.witness.protected")
    await old.recorded(before)
    await put(old, "witness_care", before, case_id="case-12", reviewed=before.time, act="protected")
    desk = await old.upgrade()
    after = desk.event("legal.witness.reviewed", 1)
    await desk.tell(after, desk.retracted(before))
    counted = (await desk.one("legal.witness.reviewed")).data
    assert counted.open_witnesses == counted.open_protected == (Step(at=after.time, by=1),)
    assert (await desk.one("legal.witness.retracted")).data.previous.get("open_witnesses") is None
