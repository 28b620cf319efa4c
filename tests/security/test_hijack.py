"""Naming another country's things, by equal identifiers or with its code: by effect on log, states, mailboxes, answers.

The attack that a rule stops runs twice: as a control, against a service that looks a thing up whoever it concerns.
"""

import json

import pytest

from tests.harness.speaking import example
from tests.harness.system import until

NUMBER = "2024-001"
UNGUARDED = """
from services.victims.judgements import standing
from shared.contracts.vocabulary import MEMBERS
def senders(read, receiver, ref):
    return [one for one in MEMBERS if standing.known(read, one, ref.rpartition(":")[2])][:1]
standing.senders = senders
from services.victims.__main__ import SERVICE
from shared.service import run
run(SERVICE)
"""


def sent(country, to, number=NUMBER):
    ours = {"from": country.country, "to": to, "case_id": "c-1", "referral_id": number, "dataref": ...}
    return country.report("victims.referral.sent", example("victims.referral.sent", **ours))


def said(country, name, **changes):
    return country.report(name, example(name, **changes))


async def states(system):
    """Where each referral stands, as its sender is told when it asks."""
    found = {}
    for event in await system.log("victims", "victims.referral.sent"):
        asking = await system.country(event.country)
        answer = await asking.ask("victims", "referral", {"referral_id": event.data.referral_id})
        found[event.country, event.data.referral_id] = answer.state
    return found


async def refused(system, report):
    """The codes with which a report was refused."""

    async def codes():
        events = await system.log(report["type"].split(".")[1], report["type"].split(".")[1] + ".report.rejected")
        found = [one for one in events if one.data.report_id == report["id"]]
        return [problem.code for one in found for problem in one.data.problems]

    return await until(codes, "a refusal", 120)


async def mailbox(country, idle_s=5):
    return [event async for event in country.mailbox(idle_s=idle_s) if event.source.startswith("urn:crm:service:")]


async def test_each_ministry_numbers_its_own_cases(system):
    """Case 04, as it is sent; and both to one country, which answers plain and then says whose it means."""
    system.start("victims", CRM_REFERENCE_WAIT_S="1")
    await system.ready()
    gtm, hnd, mex, cri, nic = [await system.country(one) for one in ("GTM", "HND", "MEX", "CRI", "NIC")]
    for country, to in ((gtm, "MEX"), (hnd, "CRI")):
        await country.publish(sent(country, to) | {"subject": NUMBER})
    await system.recorded("victims", "victims.referral.offered", 2)
    for receiver, sender in ((mex, "GTM"), (cri, "HND")):
        [offer] = await mailbox(receiver)
        assert (offer.data.referral_id, offer.data.sender) == (NUMBER, sender)
    await mex.publish(said(mex, "victims.referral.accepted", referral_id=NUMBER))
    await system.recorded("victims", "victims.referral.accepted")
    assert await states(system) == {("GTM", NUMBER): "accepted", ("HND", NUMBER): "pending"}

    both = "2024-002"
    for country in (gtm, hnd):
        await country.publish(sent(country, "NIC", both))
    await system.recorded("victims", "victims.referral.offered", 4)
    plain = said(nic, "victims.referral.accepted", referral_id=both)
    await nic.publish(plain)
    assert await refused(system, plain) == ["ambiguous_reference"]
    await nic.publish(said(nic, "victims.referral.accepted", referral_id=f"HND:{both}"))
    await system.recorded("victims", "victims.referral.accepted", 2)
    found = await states(system)
    assert (found["GTM", both], found["HND", both]) == ("pending", "accepted")
    told = [one for one in await mailbox(hnd) if getattr(one.data, "kind", "") == "referral_accepted"]
    assert [(one.data.entity, one.data.owner) for one in told] == [(both, "HND")]
    assert not [one for one in await mailbox(gtm) if getattr(one.data, "entity", "") == both]


@pytest.fixture(params=["guarded", "control"])
def guarded(request, system):
    """Whether the service is as it is; else it looks a referral up whoever it concerns."""
    if request.param == "control":
        (system.folder / "unguarded.py").write_text(UNGUARDED)
        system.modules["victims"] = "unguarded"
    return request.param == "guarded"


@pytest.mark.parametrize("named", [NUMBER, f"GTM:{NUMBER}"])
async def test_a_referral_is_answered_by_nobody_whom_it_does_not_concern(system, guarded, named):
    system.start("victims", CRM_REFERENCE_WAIT_S="1", PYTHONPATH=str(system.folder))
    await system.ready()
    gtm, hnd = await system.country("GTM"), await system.country("HND")
    await gtm.publish(sent(gtm, "MEX"))
    await system.recorded("victims", "victims.referral.offered")
    attack = said(hnd, "victims.referral.accepted", referral_id=named)
    await hnd.publish(attack)
    if guarded:
        assert await refused(system, attack) == ["unknown_reference"]
        assert await states(system) == {("GTM", NUMBER): "pending"}
        assert await mailbox(gtm) == []
    else:
        await system.recorded("victims", "victims.referral.accepted")
        assert await states(system) == {("GTM", NUMBER): "accepted"}


async def test_a_place_is_answered_by_nobody_but_its_country(system):
    system.start("intel", CRM_REFERENCE_WAIT_S="1")
    await system.ready()
    gtm, hnd = await system.country("GTM"), await system.country("HND")
    await gtm.publish(said(gtm, "intel.location.reported", place_ref="place-1", target_country="MEX"))
    await system.recorded("intel", "intel.location.reported")
    for named in ("place-1", "GTM:place-1"):
        attack = said(hnd, "intel.location.cleared", place_ref=named)
        await hnd.publish(attack)
        assert await refused(system, attack) == ["unknown_reference"]
    assert await mailbox(gtm) == []


OTHERS = [
    ("victims.referral.revoked", {"referral_id": f"GTM:{NUMBER}", "reason": "moved_on"}, "not_owner"),
    ("victims.referral.revoked", {"referral_id": NUMBER, "reason": "moved_on"}, "unknown_reference"),
    ("victims.referral.completed", {"referral_id": f"GTM:{NUMBER}"}, "unknown_reference"),
    ("victims.consent.withdrawn", {"consent_id": "GTM:co-1", "victim_pid": "vi-1"}, "not_owner"),
    ("victims.consent.erased", {"consent_id": "GTM:co-1"}, "unknown_reference"),
    ("victims.referral.retracted", {"supersedes": "c04-a", "reason": "mistaken"}, "unknown_reference"),
    ("victims.referral.merged", {"entity": f"GTM:{NUMBER}", "into": "ref-1"}, "unknown_reference"),
]


async def test_nobody_comes_to_anothers_thing_by_two_owners(system):
    """Without its own code, `GTM:HND:place-1` is Honduras' place: Guatemala would hear what becomes of that."""
    system.start("intel", "victims", CRM_REFERENCE_WAIT_S="1")
    await system.ready()
    gtm, hnd, mex = [await system.country(one) for one in ("GTM", "HND", "MEX")]
    place = {"target_country": "MEX", "dataref": ...}
    await hnd.publish(said(hnd, "intel.location.reported", place_ref="place-1", **place))
    await system.recorded("intel", "intel.location.reported")
    attacks = [said(gtm, "intel.location.reported", place_ref="GTM:HND:place-1", **place)]
    attacks.append(sent(gtm, "MEX", f"GTM:HND:{NUMBER}"))
    client = await system.region.connect("GTM")
    for attack in attacks:  # as another client would send it: ours does not
        name = attack["type"].removeprefix("crm.").removesuffix(".v1")
        await client.request(f"report.{name}", json.dumps(attack).encode(), timeout=30)
        assert await refused(system, attack) == ["not_owner"]
    await mex.publish(said(mex, "intel.location.cleared", place_ref="HND:place-1"))
    await system.recorded("intel", "intel.location.cleared")
    told = await mailbox(gtm)
    assert {one.name.partition(".")[2] for one in told} == {"report.rejected"}


async def test_nobody_revokes_withdraws_merges_or_retracts_anothers(system):
    system.start("victims", CRM_REFERENCE_WAIT_S="1")
    await system.ready()
    gtm, hnd = await system.country("GTM"), await system.country("HND")
    await gtm.publish(sent(gtm, "MEX") | {"id": "c04-a"})
    await gtm.publish(said(gtm, "victims.consent.recorded", consent_id="co-1", victim_pid="vi-1", scope="referral"))
    await system.recorded("victims", "victims.consent.recorded")
    await system.recorded("victims", "victims.referral.offered")
    before = len(await system.log("victims"))
    for name, changes, code in OTHERS:
        attack = said(hnd, name, **changes)
        payload = json.dumps(attack).encode()
        await hnd.client.request(f"report.{name}", payload, timeout=10)
        assert await refused(system, attack) == [code], name
    after = (await system.log("victims"))[before:]
    assert {event.name for event in after} == {"victims.report.rejected"}
    assert {event.country for event in after} == {"HND"}
    assert await states(system) == {("GTM", NUMBER): "pending"}
    asked = json.loads((await hnd.client.request("ask.victims.referral", b'{"referral_id":"GTM:2024-001"}')).data)
    assert asked["error"]["code"] == "not_permitted"
