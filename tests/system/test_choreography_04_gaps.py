"""A treaty ratified opens the gaps in national law; provisions mapped in full close them."""

from collections import Counter
from datetime import UTC, datetime

import msgspec

from services.legal.obligations import OBLIGATIONS
from shared.flow.batch import publish_batch
from tests.harness.speaking import say
from tests.system.staging import PRESIDENCY

RATIFIED = datetime(2004, 1, 1, tzinfo=UTC)
MAPPED = datetime(2004, 1, 15, tzinfo=UTC)
AMENDED = datetime(2004, 2, 1, tzinfo=UTC)


def act(country, verb, day=RATIFIED, instrument="TIP"):
    return say(country, f"legal.treaty.{verb}", time=day, instrument=instrument, country=country.country)


def mapped(reporter, article, **changes):
    changes = {"country": "GTM", "obligation": {"instrument": "TIP", "article": article}} | changes
    return say(reporter, "legal.provision.mapped", time=MAPPED, **changes)


async def standing(country):
    return [one.article for one in (await country.ask("legal", "gaps", {"country": "GTM", "instrument": "TIP"})).gaps]


async def test_ratified_opens_gaps_full_mapping_closes_them_and_a_changed_law_opens_them_again(scene):
    gtm = scene.cast[0]
    law = scene.id("law")

    def mapping(reporter, article, degree="full", **changes):
        obligation = {"instrument": "TIP", "article": article}
        changes = {"country": gtm, "obligation": obligation, "degree": degree, "law_id": law} | changes
        return scene.say(reporter, "legal.provision.mapped", time=MAPPED, **changes)

    def retracted(report):
        entity = report["type"].split(".")[2]
        return scene.say(gtm, f"legal.{entity}.retracted", time=AMENDED, supersedes=report["id"], reason="mistaken")

    async def open_gaps():
        gaps = await scene.events("legal.gap.opened"), await scene.events("legal.gap.closed")
        opened, closed = (Counter(event.data.obligation.article for event in events) for events in gaps)
        return set(opened - closed)

    ratified = scene.say(gtm, "legal.treaty.ratified", time=RATIFIED, instrument="TIP", country=gtm)
    await scene.play(mapping(gtm, "6"), ratified)  # judged before, or after, the country was party
    articles = {*OBLIGATIONS["TIP"]} - {"6"}
    assert await open_gaps() == articles
    opened = [one for one in await scene.events("legal.gap.opened") if one.data.obligation.article != "6"]
    assert {(one.time, one.data.since, one.causationid) for one in opened} == {(RATIFIED, RATIFIED, ratified["id"])}
    assert len(await scene.received(gtm, "legal.gap.opened")) == len(await scene.events("legal.gap.opened"))

    full = mapping(PRESIDENCY, "5", reported_by="technical_group")
    await scene.play(mapping(PRESIDENCY, "7", "partial", reported_by="technical_group"), full)
    closed = [one for one in await scene.events("legal.gap.closed") if one.data.obligation.article != "6"]
    assert [(one.data.obligation.article, one.country, one.causationid) for one in closed] == [("5", gtm, full["id"])]
    assert (closed[0].data.since, closed[0].time) == (RATIFIED, MAPPED)

    changed = scene.say(gtm, "legal.law.amended", time=AMENDED, law_id=law, country=gtm)
    await scene.play(changed)
    assert await open_gaps() == {*OBLIGATIONS["TIP"]}
    again = [one for one in await scene.events("legal.gap.opened") if one.causationid == changed["id"]]
    assert [(one.data.obligation.article, one.time) for one in again] == [("5", AMENDED), ("6", AMENDED)]
    assert len(await scene.received(gtm, "legal.alert.issued", kind="mapping_review")) == 1
    assert await scene.chain(again[0]) == ["legal.law.amended", "legal.gap.opened"]

    await scene.play(retracted(changed))
    assert await open_gaps() == articles - {"5"}
    await scene.play(retracted(ratified))
    assert await open_gaps() == set()


async def test_acts_that_make_no_sense_are_refused_and_late_history_is_not(system):
    system.start("legal", CRM_REFERENCE_WAIT_S="2")
    await system.ready()
    gtm = await system.country("GTM")
    ratified = act(gtm, "ratified")
    await gtm.publish(act(gtm, "withdrawn", AMENDED))  # waits for what it withdraws from
    await gtm.publish_all([ratified, act(gtm, "signed", datetime(2000, 12, 15, tzinfo=UTC))])
    await system.recorded("legal", "legal.treaty.withdrawn")
    assert await standing(gtm) == []

    await gtm.publish_all(
        [
            act(gtm, "acceded", MAPPED),
            act(gtm, "signed", MAPPED),
            act(gtm, "withdrawn", instrument="SOM"),
            say(gtm, "legal.treaty.retracted", time=AMENDED, supersedes=ratified["id"], reason="mistaken"),
            mapped(gtm, "3"),
        ]
    )
    foreign = mapped(gtm, "5", country="MEX", reported_by="court")
    await publish_batch(gtm.client, [("report.legal.provision.mapped", msgspec.json.encode(foreign))])
    rejected = await system.recorded("legal", "legal.report.rejected", 6)
    found = {(one.data.report_type, problem.code) for one in rejected for problem in one.data.problems}
    assert found == {
        ("crm.legal.treaty.acceded.v1", "already_party"),
        ("crm.legal.treaty.signed.v1", "already_party"),
        ("crm.legal.treaty.withdrawn.v1", "unknown_reference"),
        ("crm.legal.treaty.retracted.v1", "not_party"),
        ("crm.legal.provision.mapped.v1", "not_owner"),
        ("crm.legal.provision.mapped.v1", "unknown_value"),
    }
    back = act(gtm, "acceded", datetime(2004, 2, 15, tzinfo=UTC))
    await gtm.publish(back)
    await system.recorded("legal", "legal.treaty.acceded")
    assert len(await standing(gtm)) == len(OBLIGATIONS["TIP"])
