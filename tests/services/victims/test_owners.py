"""Two countries give referrals, consents and cases the same identifiers: what becomes of one leaves the other alone."""

import pytest

from services.victims.__main__ import SERVICE
from services.victims.questions import on_referral
from shared.ask.questions import Asked
from shared.contracts import Refused
from shared.contracts.questions import Error, ReferralAsk
from shared.record.judgement import Unknown
from tests.harness.desk import START, desk


@pytest.fixture
async def victims(postgres_server):
    async with desk(postgres_server, SERVICE) as one:
        yield one


def sent(victims, sender, to, number="2024-001", **more):
    said = {"referral_id": number, "case_id": "c-1", "to": to, "from": sender} | more
    return victims.event("victims.referral.sent", by=sender, **said)


def answer(victims, verb, by, number="2024-001", **more):
    return victims.event(f"victims.referral.{verb}", by=by, referral_id=number, **more)


async def states(victims):
    sent = [one.data for one in await victims.recorded("victims.referral.sent")]
    return {(one.sender, one.referral_id): (await asked(victims, one.sender, one.referral_id)).state for one in sent}


async def asked(victims, country, named):
    """The answer to a country's question where a referral stands."""
    asking = Asked(country=country, ask=ReferralAsk(referral_id=named), now=START)
    async with victims.log.pool.acquire() as connection:
        [answered] = await on_referral([asking], connection)
    return answered


async def codes(victims, event):
    (outcome,) = await victims.record(event)
    assert isinstance(outcome, Refused), outcome
    return [(one.pointer, one.code) for one in outcome.problems]


async def test_each_goes_to_its_receiver_and_is_answered_there(victims):
    await victims.tell_at_once(sent(victims, "GTM", "MEX"), sent(victims, "HND", "CRI"))
    offers = await victims.recorded("victims.referral.offered")
    assert [(one.country, one.data.sender, one.data.referral_id) for one in offers] == [
        ("MEX", "GTM", "2024-001"),
        ("CRI", "HND", "2024-001"),
    ]
    await victims.tell(answer(victims, "accepted", "MEX"))
    assert await states(victims) == {("GTM", "2024-001"): "accepted", ("HND", "2024-001"): "pending"}
    assert "referral_accepted 2024-001" in await victims.told("GTM")
    assert await victims.told("HND") == []
    accepted = await victims.one("victims.referral.accepted")
    assert (accepted.data.sender, accepted.data.receiver, accepted.data.pending.by) == ("GTM", "MEX", -1)


async def test_both_to_one_are_told_apart_by_their_owner(victims):
    await victims.tell_at_once(sent(victims, "GTM", "NIC"), sent(victims, "HND", "NIC"))
    assert await codes(victims, answer(victims, "accepted", "NIC")) == [("/data/referral_id", "ambiguous_reference")]
    await victims.tell(answer(victims, "accepted", "NIC", "HND:2024-001"))
    assert await states(victims) == {("GTM", "2024-001"): "pending", ("HND", "2024-001"): "accepted"}
    [alert] = (await victims.mailboxes())["HND"][-1:]
    assert (alert.data.kind, alert.data.entity, alert.data.owner) == ("referral_accepted", "2024-001", "HND")
    assert await victims.told("GTM") == []
    await victims.tell(answer(victims, "rejected", "NIC", "GTM:2024-001", reason="no_capacity"))
    steps = [event.data.pending.by for event in await victims.recorded() if getattr(event.data, "pending", None)]
    assert sorted(steps) == [-1, -1, 1, 1]


@pytest.mark.parametrize("named", ["2024-001", "GTM:2024-001"])
@pytest.mark.parametrize("verb", ["accepted", "rejected", "completed"])
async def test_whoever_has_no_part_in_it_finds_nothing_under_its_name(victims, verb, named):
    await victims.tell(sent(victims, "GTM", "MEX"))
    reason = {"reason": "no_capacity"} if verb == "rejected" else {}
    for country in ("HND", "GTM") if verb != "completed" else ("HND",):
        assert isinstance((await victims.record(answer(victims, verb, country, named, **reason)))[0], Unknown)
    assert await states(victims) == {("GTM", "2024-001"): "pending"}


async def test_who_revokes_or_completes_means_its_own(victims):
    await victims.tell_at_once(sent(victims, "GTM", "HND"), sent(victims, "HND", "GTM"))
    await victims.tell(answer(victims, "revoked", "GTM", reason="moved_on"))
    assert await states(victims) == {("GTM", "2024-001"): "revoked", ("HND", "2024-001"): "pending"}
    revoked = [one for one in (await victims.mailboxes())["HND"] if getattr(one.data, "kind", "") == "referral_revoked"]
    assert [one.data.owner for one in revoked] == ["GTM"]
    await victims.tell(answer(victims, "accepted", "GTM"))
    assert (await states(victims))["HND", "2024-001"] == "accepted"
    assert await codes(victims, answer(victims, "completed", "GTM")) == [("/data/referral_id", "already_revoked")]
    await victims.tell(answer(victims, "completed", "HND"))
    assert await states(victims) == {("GTM", "2024-001"): "revoked", ("HND", "2024-001"): "completed"}


async def test_an_answer_of_one_stops_no_clock_of_the_other(victims):
    await victims.tell_at_once(sent(victims, "GTM", "MEX"), sent(victims, "HND", "CRI"))
    await victims.tell(answer(victims, "accepted", "MEX"))
    await victims.pass_days(40)
    assert {one.data.sender for one in await victims.recorded("victims.referral.overdue")} == {"HND"}
    lapsed = await victims.one("victims.referral.lapsed")
    assert (lapsed.country, lapsed.data.pending.by) == ("HND", -1)


async def test_a_newcomer_gets_both_and_so_does_who_stands_in(victims):
    await victims.tell_at_once(sent(victims, "GTM", "SLV"), sent(victims, "HND", "SLV"))
    point = {"by": "SLV", "country": "SLV", "body": "immigration"}
    await victims.tell(victims.event("intel.contactpoint.designated", 1, **point))
    again = (await victims.recorded("victims.referral.offered"))[2:]
    assert sorted(one.data.sender for one in again) == ["GTM", "HND"]
    await victims.tell(victims.event("intel.contactpoint.vacated", 2, **point))
    vacant = [one.data for one in (await victims.mailboxes())["MEX"]]
    assert sorted((one.owner, one.entity) for one in vacant if one.kind == "contact_point_vacant") == [
        ("GTM", "2024-001"),
        ("HND", "2024-001"),
    ]


async def test_the_question_is_answered_by_the_same_rule(victims):
    await victims.tell_at_once(sent(victims, "GTM", "NIC"), sent(victims, "HND", "NIC", urgency="standard"))

    async def ask(country, named):
        answered = await asked(victims, country, named)
        return answered.code if isinstance(answered, Error) else (answered.sender, answered.urgency)

    assert await ask("GTM", "2024-001") == await ask("GTM", "GTM:2024-001") == ("GTM", "child")
    assert await ask("HND", "2024-001") == await ask("NIC", "HND:2024-001") == ("HND", "standard")
    assert await ask("NIC", "2024-001") == "invalid"
    assert (
        await ask("HND", "GTM:2024-001") == await ask("MEX", "2024-001") == await ask("MEX", "no-1") == "not_permitted"
    )


async def test_a_withdrawn_consent_revokes_its_own_countrys_referrals_and_is_erased_for_its_owner(victims):
    for country in ("GTM", "HND"):
        consent = {"consent_id": "co-1", "victim_pid": "vi-1"}
        await victims.tell(
            victims.event("victims.consent.recorded", by=country, scope="referral", **consent),
            sent(victims, country, "NIC", consent_id="co-1", override=...),
        )
    await victims.tell(victims.event("victims.consent.withdrawn", by="GTM", consent_id="co-1", victim_pid="vi-1"))
    assert await states(victims) == {("GTM", "2024-001"): "revoked", ("HND", "2024-001"): "pending"}
    await victims.tell(victims.event("victims.consent.withdrawn", by="HND", consent_id="co-1", victim_pid="vi-1"))
    erased = {"by": "NIC", "victim_pid": "vi-1"}
    assert await codes(victims, victims.event("victims.consent.erased", consent_id="co-1", **erased)) == [
        ("/data/consent_id", "ambiguous_reference")
    ]
    await victims.tell(victims.event("victims.consent.erased", consent_id="HND:co-1", **erased))
    assert "data_erased co-1" in await victims.told("HND")
    assert "data_erased co-1" not in await victims.told("GTM")
    await victims.pass_days(31)
    assert "erasure_overdue co-1" in await victims.told("GTM")
    assert "erasure_overdue co-1" not in await victims.told("HND")


def home(victims, sender, to="SLV"):
    said = {"referral_id": "2024-001", "case_id": "c-1", "to": to, "from": sender}
    return victims.event("victims.repatriation.completed", by=sender, **said)


def enrolled(victims, by="SLV", named="2024-001", victim="vi-1"):
    return victims.event("victims.programme.enrolled", by=by, referral_id=named, victim_pid=victim)


async def lost(victims):
    await victims.pass_days(31)
    return [one.data.sender for one in await victims.recorded("victims.referral.escalated")]


@pytest.mark.parametrize("early", [True, False])
async def test_an_enrolment_ends_the_search_of_its_own_return(victims, early):
    reports = [home(victims, "GTM"), enrolled(victims)]
    for one in reversed(reports) if early else reports:
        await victims.tell(one)
    await victims.tell(home(victims, "HND"))
    assert await codes(victims, enrolled(victims, victim="vi-2")) == [("/data/referral_id", "ambiguous_reference")]
    assert await lost(victims) == ["HND"]
    await victims.tell(enrolled(victims, named="HND:2024-001", victim="vi-2"))
    found = [(one.data.first_enrolment, one.data.found) for one in await victims.recorded("victims.programme.enrolled")]
    assert found == [(True, False), (True, True)]


async def test_enrolments_under_equal_identifiers_count_each_and_a_retraction_takes_its_own_out(victims):
    first, second = enrolled(victims, "SLV"), enrolled(victims, "NIC")
    await victims.tell(home(victims, "GTM", "SLV"), home(victims, "HND", "NIC"), first, second)
    told = await victims.recorded("victims.programme.enrolled")
    assert [(one.data.sender, one.data.change.by, one.data.first_enrolment) for one in told] == [
        ("GTM", 1, True),
        ("HND", 1, True),
    ]
    await victims.tell(victims.retracted(first), enrolled(victims, "NIC", victim="vi-3"))
    assert (await victims.recorded("victims.programme.enrolled"))[-1].data.first_enrolment is False
    assert await lost(victims) == ["GTM"], "whose only enrolment was none"


async def test_an_evaluation_is_of_the_own_case_first_or_names_its_owner(victims):
    await victims.tell(home(victims, "GTM"), home(victims, "HND"))

    def judged(by, case="c-1"):
        return victims.event("victims.evaluation.submitted", by=by, case_id=case)

    assert await codes(victims, judged("SLV")) == [("/data/case_id", "ambiguous_reference")]
    await victims.tell(judged("GTM"))
    await victims.pass_days(91)
    assert [one.country for one in await victims.recorded("victims.evaluation.overdue")] == ["HND"]
    await victims.tell(judged("SLV", "HND:c-1"))
    assert (await victims.recorded("victims.evaluation.submitted"))[-1].data.late is True
