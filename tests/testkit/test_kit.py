"""The kit as a stranger uses it: countries, the clock, robots, figures, and what breaks."""

import time
from datetime import timedelta

import pytest

from infra.nats.asking import ask
from infra.testkit import country as kit
from infra.testkit.clock import span
from infra.testkit.robots import Answer
from shared.client import Unreachable, connect
from shared.flow.streams import intake_of

pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
"""nats-py leaves the sockets of lost connections to the collector."""


async def test_a_report_is_recorded_or_refused_and_told(country):
    gtm, hnd = await country("GTM"), await country("HND")
    assert (await hnd.tell("intel.document.listed", doc_ref="doc-1")).recorded
    right = await gtm.tell("intel.document.flagged", issuing="HND", envelope={"id": "r-1"})
    assert (right.recorded.id, right.refused) == ("r-1", set())
    wrong = await gtm.tell("intel.document.flagged", issuing="HND", detected_by="guess", envelope={"id": "r-2"})
    assert wrong.refused == {("/data/detected_by", "unknown_value")}
    assert (await gtm.tell("intel.document.flagged", issuing="HND", envelope={"id": "r-1"})).refused == {
        ("/id", "id_conflict")
    }
    assert await gtm.mailbox("intel.document.flagged", issuing="HND")
    assert len(await gtm.mailbox("intel.report.rejected")) == 2


async def test_a_report_that_the_server_does_not_count_yet_is_waited_for(country, monkeypatch):
    """nats-server stores a message before it counts it among those that a durable has left."""
    gtm = await country("GTM")
    await gtm.tell("intel.document.flagged")
    durable = f"CONSUMER.INFO.{intake_of('GTM')}.intel"
    before = [await ask(gtm.operator, durable)]

    async def late(client, question):
        return before.pop() if before and question == durable else await ask(client, question)

    monkeypatch.setattr(kit, "ask", late)
    assert (await gtm.tell("intel.document.flagged")).recorded
    assert not before


async def test_the_ladder_of_a_referral_is_climbed_without_sleeping(country, clock, crm_system):
    gtm, slv = await country("GTM"), await country("SLV")
    sent = await gtm.tell("victims.referral.sent", **{"from": "GTM", "to": "SLV", "urgency": "danger"})
    due = sent.recorded.data.due
    begun = clock.now()
    before = time.process_time()
    await clock.advance("31d")
    print(f"advance past the ladder: {time.process_time() - before:.2f} s of this process")
    assert timedelta(days=31) <= clock.now() - begun < timedelta(days=31, minutes=5)
    ladder = [event for event in await crm_system.log("victims") if event.name.startswith("victims.referral.")]
    steps = [(event.name.rpartition(".")[2], round((event.time - due) / timedelta(hours=1))) for event in ladder]
    assert steps[2:] == [
        ("overdue", 0),
        ("escalated", 0),
        ("escalated", 24),
        ("escalated", 72),
        ("lapsed", 720),
    ]
    assert all(event.recordedtime - event.time < timedelta(minutes=5) for event in ladder), "each at its time"
    assert [mail.name for mail in await slv.mailbox("victims.referral.offered")]


async def test_a_robot_answers_when_its_time_comes(country, other_country, clock, crm_system, figures):
    slv = await other_country("SLV", {"victims.referral.offered": Answer("victims.referral.accepted", after="9h")})
    gtm = await country("GTM")
    await gtm.tell("victims.referral.sent", **{"from": "GTM", "to": "SLV", "urgency": "danger"})
    await crm_system.settled()
    assert not slv.outcomes
    await clock.advance("2d")
    (accepted,) = [outcome.recorded for outcome in slv.outcomes]
    (offered,) = await slv.country.mailbox("victims.referral.offered")  # other mail may come before it
    assert accepted.causationid == offered.id
    assert accepted.data.late
    assert await gtm.mailbox("victims.referral.overdue")
    assert [event.data.level for event in await crm_system.log("victims", "victims.referral.escalated")] == [1]
    (figure,) = (await figures("VA-5.1b", country="SLV"))["values"]
    assert (figure["numerator"], figure["denominator"]) == (0, 1)


async def test_a_link_is_cut_and_mended(country):
    gtm = await country("GTM")
    gtm.link.cut()
    with pytest.raises(Unreachable):
        async with connect(gtm.address, gtm.key, "GTM", timeout_s=2):
            pass
    gtm.link.mend()
    assert (await gtm.tell("intel.document.flagged")).recorded


async def test_the_region_is_restarted_and_has_lost_nothing(country, crm_system):
    gtm = await country("GTM")
    await gtm.tell("intel.document.flagged", envelope={"id": "before"})
    await crm_system.restart()
    assert (await gtm.tell("intel.document.flagged", envelope={"id": "after"})).recorded
    await crm_system.settled()
    assert [event.id for event in await crm_system.log("intel", "intel.document.flagged")] == ["before", "after"]


async def test_an_answer_that_comes_too_early_waits_for_its_question(country, clock):
    gtm, slv = await country("GTM"), await country("SLV")
    later = clock.now() + timedelta(minutes=5)
    early = await slv.tell("victims.referral.accepted", referral_id="ref-1", time=later)
    assert (early.event, early.problems) == (None, ())
    await gtm.tell("victims.referral.sent", **{"referral_id": "ref-1", "from": "GTM", "to": "SLV", "urgency": "danger"})
    assert (await slv.outcome("victims", early.id)).recorded


async def test_no_such_country_no_such_row(country, figures):
    with pytest.raises(ValueError, match="GTM"):
        await country("XXX")
    with pytest.raises(LookupError):
        await figures("XX-0")


@pytest.mark.parametrize(("text", "is_"), [("3d", 72), ("1d12h", 36), ("90m", 1.5), ("2w", 336), ("0.5h", 0.5)])
def test_a_span_is_read(text, is_):
    assert span(text) == timedelta(hours=is_)


@pytest.mark.parametrize("text", ["", "3", "d", "3d 4h", "3 days", "-1d"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(ValueError, match="3d"):
        span(text)
