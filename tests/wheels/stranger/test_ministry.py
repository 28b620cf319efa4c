"""What a ministry's developers test of their own: nothing here knows more than the wheels and their pages say."""

import json
import time
import urllib.request
from pathlib import Path

import pytest

from infra.testkit.robots import Answer
from shared.client import Unreachable, connect

REFERRAL = {"from": "GTM", "to": "SLV", "urgency": "danger"}
started = []


@pytest.fixture(autouse=True)
def soon(request):
    before = time.monotonic(), time.process_time()
    request.getfixturevalue("crm_system")
    started.append((time.monotonic() - before[0], time.process_time() - before[1]))
    yield
    Path("started.json").write_text(json.dumps(started))


async def test_nothing_is_there_at_first(crm_system):
    for service in ("intel", "victims", "legal", "training"):
        assert await crm_system.log(service) == []


async def test_a_report_is_recorded(country):
    gtm = await country("GTM")
    outcome = await gtm.tell("intel.document.flagged", issuing="HND")
    assert outcome.recorded.country == "GTM"


async def test_a_report_sent_twice_is_recorded_once(country, crm_system):
    gtm = await country("GTM")
    report = gtm.report("intel.document.flagged")
    await gtm.send(report)
    await gtm.send(report)
    await crm_system.settled()
    assert len(await crm_system.log("intel", "intel.document.flagged")) == 1


async def test_another_report_of_the_same_id_is_refused(country):
    gtm = await country("GTM")
    await gtm.tell("intel.document.flagged", issuing="HND", envelope={"id": "1"})
    again = await gtm.tell("intel.document.flagged", issuing="SLV", envelope={"id": "1"})
    assert [code for _, code in again.refused] == ["id_conflict"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"detected_by": "guess"}, ("/data/detected_by", "unknown_value")),
        ({"reported_by": ...}, ("/data/reported_by", "missing_field")),
        ({"name": "Ana"}, ("/data", "unknown_field")),
    ],
)
async def test_what_is_wrong_is_told(country, fields, problem):
    assert problem in (await (await country("GTM")).tell("intel.document.flagged", **fields)).refused


async def test_the_mailbox_tells_of_the_refusal(country):
    gtm = await country("GTM")
    wrong = await gtm.tell("intel.document.flagged", detected_by="guess")
    (told,) = await gtm.mailbox("intel.report.rejected")
    assert told.data.report_id == wrong.id


async def test_a_hit_reaches_both(country, crm_system):
    hnd, mex = await country("HND"), await country("MEX")
    await hnd.tell("intel.document.listed", issuing="HND", doc_ref="doc-1")
    await mex.tell("intel.document.flagged", issuing="HND", doc_ref="doc-1")
    await crm_system.settled()
    assert await hnd.mailbox("intel.document.hit")
    assert await mex.mailbox("intel.document.hit")


async def test_a_referral_is_offered(country, crm_system):
    gtm, slv = await country("GTM"), await country("SLV")
    await gtm.tell("victims.referral.sent", **REFERRAL)
    await crm_system.settled()
    assert len(await slv.mailbox("victims.referral.offered")) == 1


async def test_reading_the_offer_is_told_to_the_sender(country, crm_system):
    gtm, slv = await country("GTM"), await country("SLV")
    await gtm.tell("victims.referral.sent", **REFERRAL)
    await crm_system.settled()
    await slv.mailbox()
    await crm_system.settled()
    assert await gtm.mailbox("victims.referral.delivered")


async def test_an_answer_counts(country, crm_system, figures):
    gtm, slv = await country("GTM"), await country("SLV")
    await gtm.tell("victims.referral.sent", **REFERRAL)
    await crm_system.settled()
    (offer,) = await slv.mailbox("victims.referral.offered")
    assert (await slv.answer(offer, "victims.referral.accepted")).recorded.causationid == offer.id
    (figure,) = (await figures("VA-5.1b", country="SLV"))["values"]
    assert (figure["numerator"], figure["denominator"]) == (1, 1)


async def test_silence_climbs_the_ladder(country, clock, crm_system):
    gtm = await country("GTM")
    await gtm.tell("victims.referral.sent", **REFERRAL)
    begun = time.monotonic()
    await clock.advance("31d")
    print("advance:", time.monotonic() - begun)
    assert len(await crm_system.log("victims", "victims.referral.escalated")) == 3
    assert len(await crm_system.log("victims", "victims.referral.lapsed")) == 1


async def test_an_answer_in_time_ends_the_ladder(country, other_country, clock, crm_system):
    await other_country("SLV", {"victims.referral.offered": "victims.referral.accepted"})
    await (await country("GTM")).tell("victims.referral.sent", **REFERRAL)
    await clock.advance("31d")
    assert not await crm_system.log("victims", "victims.referral.overdue")


async def test_a_robot_refuses(country, other_country, crm_system):
    no = Answer("victims.referral.rejected", fields={"reason": "no_capacity"})
    robot = await other_country("SLV", {"victims.referral.offered": no})
    gtm = await country("GTM")
    await gtm.tell("victims.referral.sent", **REFERRAL)
    await crm_system.settled()
    assert robot.outcomes[0].recorded.data.reason == "no_capacity"
    assert await gtm.mailbox("victims.alert.issued", kind="referral_rejected")


async def test_a_figure_counts_what_was_recorded(country, figures):
    await (await country("GTM")).tell("intel.document.flagged", issuing="HND")
    assert (await figures("PC-1c"))["id"] == "PC-1c"


async def test_the_board_shows_the_system(crm_system):
    with urllib.request.urlopen(crm_system.board) as answer:
        assert b"<html" in answer.read()


async def test_own_client_by_its_own_link(country, crm_system):
    gtm = await country("GTM")
    async with connect(gtm.address, gtm.key, "GTM", "sicam", now=crm_system.clock.now) as own:
        report = own.report("intel.document.flagged", gtm.report("intel.document.flagged")["data"], subject="d-1")
        await own.publish(report)
    assert (await gtm.outcome("intel", report["id"])).recorded


async def test_a_cut_link_loses_nothing(country):
    gtm = await country("GTM")
    gtm.link.cut()
    with pytest.raises(Unreachable):
        async with connect(gtm.address, gtm.key, "GTM", timeout_s=1):
            pass
    gtm.link.mend()
    assert (await gtm.tell("intel.document.flagged")).recorded


async def test_a_restarted_service_goes_on(country, crm_system):
    gtm = await country("GTM")
    await gtm.tell("intel.document.flagged")
    await crm_system.restart("intel")
    await gtm.tell("intel.document.flagged")
    await crm_system.settled()
    assert len(await crm_system.log("intel", "intel.document.flagged")) == 2
