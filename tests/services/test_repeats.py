"""Sent again under its id, the same report is taken in silence, and anything else is told; chains of corrections."""

import msgspec
import pytest

from services.legal.__main__ import SERVICE as LEGAL
from services.training.__main__ import SERVICE
from services.victims.__main__ import SERVICE as VICTIMS
from shared.contracts import Corrected, Refused, registry
from shared.contracts.report import accepted, said
from shared.record.judgement import Unknown, source
from shared.record.log import Draft, head, insert
from tests.harness import desk as harness
from tests.harness.speaking import NOW, example

CHAIN = 200


@pytest.fixture
async def training(postgres_server):
    async with harness.desk(postgres_server, SERVICE) as own:
        yield own


def draft(name, event_id, source="test", headers=None, **attributes):
    """A report as intake has it; `data` changes the example of its type."""
    whole = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"urn:crm:country:GTM:{source}",
        "type": f"crm.{name}.v1",
        "time": NOW.isoformat(),
        **attributes,
    }
    payload = msgspec.json.encode(whole)
    event = accepted(f"crm.in.GTM.{name}", headers, payload, NOW)
    return Draft(event, said=said(headers, payload, event))


def enrolled(event_id="e", officer="of-1", **attributes):
    return draft(
        "training.official.enrolled",
        event_id,
        data=example("training.official.enrolled", officer_pid=officer),
        **attributes,
    )


def correction(event_id, supersedes, source="test", **changes):
    data = example("training.official.enrolled", officer_pid="of-1", **changes)
    said_ = {"supersedes": supersedes, "data": data, "reported_by": "immigration"}
    return draft("training.official.corrected", event_id, source, data=said_)


async def outcomes(desk, *drafts):
    return [outcome for one in drafts for outcome in await desk.log.record([one])]


def conflicts(outcome):
    return isinstance(outcome, Refused) and [one.code for one in outcome.problems] == ["id_conflict"]


CHANGES = {
    "subject": "of-1",
    "causationid": "another",
    "correlationid": "another",
    "dataschema": "https://example.org/1",
    "expirytime": "2004-05-01T00:00:00Z",
    "time": "2004-03-01T11:59:59.999999Z",
}


@pytest.mark.parametrize("at_once", [False, True])
async def test_what_is_said_otherwise_conflicts_also_in_one_batch(training, at_once):
    again = [enrolled(), enrolled(traceparent=f"00-{'1' * 32}-{'2' * 16}-01")]
    others = [enrolled(**{name: value}) for name, value in CHANGES.items()]
    drafts = [enrolled(), *again, *others]
    told = await training.log.record(drafts) if at_once else await outcomes(training, *drafts)
    assert told[:3] == [None] * 3
    assert all(map(conflicts, told[3:]))
    assert len(told) == 3 + len(CHANGES)
    assert len(await training.recorded()) == 1


async def test_what_the_service_filled_in_or_changed_does_not_count(training):
    """A correction is completed, a merge and later reports under the old identifier get another subject."""
    merge = {"into": "of-2", "reported_by": "immigration"}
    drafts = [
        enrolled("e-1"),
        enrolled("e-2", "of-2"),
        correction("c-1", "e-1", sex="male"),
        draft("training.official.merged", "m", subject="of-1", data=merge),
        enrolled("e-3"),
        draft(
            "training.official.retracted",
            "w",
            data={"supersedes": "e-2", "reason": "other", "reported_by": "immigration"},
        ),
    ]
    assert await outcomes(training, *drafts) == [None] * 6
    standing = len(await training.recorded())
    assert await outcomes(training, *drafts) == [None] * 6
    assert await training.log.record(drafts) == [None] * 6
    others = [
        correction("c-1", "e-1", sex="female"),
        draft("training.official.merged", "m", subject="of-1", data=merge | {"reported_by": "police"}),
        draft("training.official.merged", "m", subject="of-3", data=merge),
        draft(
            "training.official.retracted",
            "w",
            data={"supersedes": "e-2", "reason": "mistaken", "reported_by": "immigration"},
        ),
    ]
    assert all(map(conflicts, await outcomes(training, *others)))
    assert len(await training.recorded()) == standing


async def test_rows_of_before_are_compared_as_far_as_can_be(training):
    drafts = [enrolled(causationid="x"), correction("c", "e", sex="male")]
    assert await outcomes(training, *[Draft(one.event) for one in drafts]) == [None, None]
    assert await training.log.pool.fetchval("select count(said) from log") == 0
    assert await outcomes(training, *drafts) == [None, None]
    others = [enrolled(causationid="y"), enrolled(), correction("c", "another", sex="male")]
    assert all(map(conflicts, await outcomes(training, *others)))


async def test_events_enriched_in_place_are_compared_by_what_was_sent(postgres_server):
    async with harness.desk(postgres_server, VICTIMS) as victims:
        names = [one.name for one in registry().values() if one.service == "victims" and one.reported]
        tried = 0
        for name in names:
            agreed = registry()[f"crm.{name}.v1"]
            if agreed.generic or (agreed.owner and agreed.good[agreed.owner.replace("sender", "from")] != "GTM"):
                continue
            attributes = {} if agreed.good.get(agreed.entity) else {"subject": "thing"}
            one = draft(name, f"{name}.1", data=dict(agreed.good), **attributes)
            (first,) = await victims.log.record([one])
            if first is None:
                tried += 1
                assert await victims.log.record([one]) == [None]
        assert tried > len(names) / 4


async def test_corrections_of_corrections_go_on_without_an_end(training):
    assert await outcomes(training, enrolled("c-0")) == [None]
    for number in range(1, CHAIN + 1):
        (told,) = await training.log.record([correction(f"c-{number}", f"c-{number - 1}", sex=SEXES[number % 2])])
        assert told is None, number
    corrections = await training.recorded("training.official.corrected")
    assert {event.data.original_id for event in corrections} == {"c-0"}
    assert corrections[-1].data.previous["sex"] == SEXES[(CHAIN - 1) % 2]
    withdrawn = {"supersedes": f"c-{CHAIN}", "reason": "other", "reported_by": "immigration"}
    assert await outcomes(training, draft("training.official.retracted", "w", data=withdrawn)) == [None]
    (late,) = await outcomes(training, correction("late", "c-7"))
    assert [one.code for one in late.problems] == ["already_retracted"]


SEXES = ("female", "male")


async def test_a_chain_recorded_before_amendments_named_their_report_is_followed_to_its_end(training):
    assert await outcomes(training, enrolled("c-0")) == [None]
    async with training.log.pool.acquire() as connection, connection.transaction():
        olds = [correction(f"c-{number}", f"c-{number - 1}").event for number in range(1, 51)]
        after = await head(connection)
        await insert(connection, "training", after, [(old, msgspec.json.encode(old)) for old in olds])
    assert await outcomes(training, correction("c-51", "c-50", sex="male")) == [None]
    (*_, last) = await training.recorded("training.official.corrected")
    assert isinstance(last.data, Corrected)
    assert last.data.original_id == "c-0"


async def test_of_two_systems_that_gave_the_same_id_each_amends_its_own(training):
    await outcomes(training, enrolled("e", "of-1", source="sicam"), enrolled("e", "of-9", source="other"))
    assert await outcomes(training, correction("c", "e", "other"), correction("d", "e", "sicam")) == [None, None]
    (first, second) = await training.recorded("training.official.corrected")
    assert [first.data.original_source[-5:], second.data.original_source[-5:]] == ["other", "sicam"]


async def test_what_amends_a_report_of_its_system_that_was_refused_does_not_reach_anothers_of_the_same_id(training):
    """Where only one system of the country has it, any other may mend it; else it waits for its own system's."""
    await outcomes(training, enrolled("e", "of-1", source="other"), enrolled("f", "of-2", source="other"))
    refusal = training.event("training.report.rejected", report_id="e")
    refusal = msgspec.structs.replace(refusal, source=source("training"), subject="e")
    assert await training.record(refusal) == [None]
    (waits,) = await outcomes(training, correction("c", "e", "sicam"))
    assert isinstance(waits, Unknown)
    assert await outcomes(training, correction("d", "f", "sicam")) == [None]
    assert await outcomes(training, enrolled("e", "of-3", source="sicam"), correction("c", "e", "sicam")) == [
        None,
        None,
    ]
    (*_, last) = await training.recorded("training.official.corrected")
    assert last.data.original_source.endswith("sicam")


async def test_what_amends_a_report_that_several_other_systems_sent_under_one_id_waits(training):
    await outcomes(training, enrolled("e", "of-1", source="one"), enrolled("e", "of-2", source="other"))
    (waits,) = await outcomes(training, correction("c", "e", "sicam"))
    assert isinstance(waits, Unknown)


async def test_a_report_to_another_service_that_comes_again_is_acted_on_once(postgres_server):
    """NATS delivers again what a replica held when it died."""
    async with harness.desk(postgres_server, LEGAL) as legal:
        heard, other = (Draft(legal.event("training.complaint.resolved"), ("TRAINING", n)) for n in (1, 2))
        assert await outcomes(legal, heard, heard) == [None, None]
        assert await legal.log.record([heard, other, heard, other]) == [None] * 4
        assert await legal.log.pool.fetchval("select count(*) from heard") == 2
