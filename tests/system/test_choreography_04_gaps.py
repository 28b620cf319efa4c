"""A treaty ratified opens the gaps in national law; provisions mapped in full close them."""

from datetime import UTC, datetime

from services.legal.obligations import OBLIGATIONS
from tests.system.test_consequences import example, received

RATIFIED = datetime(2004, 4, 1, tzinfo=UTC)
MAPPED = datetime(2004, 5, 1, tzinfo=UTC)
AMENDED = datetime(2004, 6, 1, tzinfo=UTC)


def act(country, verb, day=RATIFIED, instrument="TIP"):
    data = example(f"legal.treaty.{verb}", instrument=instrument, country=country.country)
    return country.report(f"legal.treaty.{verb}", data, time=day)


def mapped(reporter, article, degree="full", day=MAPPED, **changes):
    obligation = {"instrument": "TIP", "article": article}
    data = example("legal.provision.mapped", country="GTM", obligation=obligation, degree=degree, law_id="law-1")
    return reporter.report("legal.provision.mapped", data | changes, time=day)


def amendment(country, verb, event, **more):
    entity = event["type"].split(".")[2]
    return country.report(
        f"legal.{entity}.{verb}", {"supersedes": event["id"], "reported_by": "court", **more}, time=AMENDED
    )


async def standing(system):
    return [row["article"] for row in await system.rows("legal", "select article from gap order by article::int")]


async def test_ratified_opens_gaps_full_mapping_closes_them_and_a_changed_law_opens_them_again(system):
    system.start("legal")
    await system.ready()
    gtm, mex = await system.country("GTM"), await system.country("MEX")
    await gtm.publish(mapped(gtm, "6"))  # judged before the country was party
    ratified = act(gtm, "ratified")
    await gtm.publish(ratified)
    opened = await system.recorded("legal", "legal.gap.opened", len(OBLIGATIONS["TIP"]) - 1)
    assert [one.data.obligation.article for one in opened] == [a for a in OBLIGATIONS["TIP"] if a != "6"]
    assert {(one.time, one.data.since, one.causationid) for one in opened} == {(RATIFIED, RATIFIED, ratified["id"])}
    assert (await received(gtm, "legal.gap.opened")).data.obligation.article == "5"

    full = mapped(mex, "5", reported_by="technical_group")
    await mex.publish_all([mapped(mex, "7", "partial", reported_by="technical_group"), full])
    (closed,) = await system.recorded("legal", "legal.gap.closed")
    assert (closed.data.obligation.article, closed.country, closed.causationid) == ("5", "GTM", full["id"])
    assert (closed.data.since, closed.time) == (RATIFIED, MAPPED)

    changed = example("legal.law.amended", law_id="law-1", country="GTM")
    law = gtm.report("legal.law.amended", changed, time=AMENDED)
    await gtm.publish(law)
    again = (await system.recorded("legal", "legal.gap.opened", len(OBLIGATIONS["TIP"]) + 1))[-2:]
    assert [(one.data.obligation.article, one.time) for one in again] == [("5", AMENDED), ("6", AMENDED)]
    assert (await received(gtm, "legal.alert.issued")).data.kind == "mapping_review"

    await gtm.publish(amendment(gtm, "retracted", law, reason="mistaken"))
    await system.recorded("legal", "legal.gap.closed", 3)
    assert "5" not in await standing(system)
    await gtm.publish(amendment(gtm, "retracted", ratified, reason="mistaken"))
    await system.recorded("legal", "legal.gap.closed", len(OBLIGATIONS["TIP"]) + 1)
    assert await standing(system) == []


async def test_acts_that_make_no_sense_are_refused_and_late_history_is_not(system):
    system.start("legal", CRM_REFERENCE_WAIT_S="2")
    await system.ready()
    gtm = await system.country("GTM")
    ratified = act(gtm, "ratified")
    await gtm.publish(act(gtm, "withdrawn", AMENDED))  # waits for what it withdraws from
    await gtm.publish_all([ratified, act(gtm, "signed", datetime(2000, 12, 15, tzinfo=UTC))])
    await system.recorded("legal", "legal.treaty.withdrawn")
    assert await standing(system) == []

    await gtm.publish_all(
        [
            act(gtm, "acceded", MAPPED),
            act(gtm, "signed", MAPPED),
            act(gtm, "withdrawn", instrument="SOM"),
            amendment(gtm, "retracted", ratified, reason="mistaken"),
            mapped(gtm, "5", country="MEX", reported_by="court"),
            mapped(gtm, "3"),
        ]
    )
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
    back = act(gtm, "acceded", datetime(2004, 7, 1, tzinfo=UTC))
    await gtm.publish(back)
    await system.recorded("legal", "legal.treaty.acceded")
    assert len(await standing(system)) == len(OBLIGATIONS["TIP"])
