"""What countries ask: each question answered rightly, refused with its reason, and kept in the audit; never silence."""

import asyncio
import json

import pytest

from shared.client import Invalid, NotPermitted
from shared.contracts import questions
from shared.contracts.questions import Question
from tests.system.staging import said, sent

written = pytest.mark.parametrize("scene", ["written"], indirect=True)


async def raw(scene, country, subject, payload):
    """The reply to a question as any client would put it, and get it."""
    client = await scene.country(country)
    return json.loads((await client.client.request(f"ask.{subject}", payload, timeout=30)).data)


async def audited(scene, service, since):
    rows = await scene.database.fetch(
        f"select country, question, outcome from {service}.audit where number > $1 order by number", since
    )
    return [tuple(row) for row in rows]


async def last_audit(scene, service):
    return await scene.database.fetchval(f"select coalesce(max(number), 0) from {service}.audit")


@written
async def test_documents_entry_rules_specimens_and_contact_points_are_open_to_all(scene):
    gtm, slv, hnd = scene.cast[:3]
    document = {"doc_ref": scene.id("doc"), "issuing": gtm}
    rule = {"destination": gtm, "nationality": "ECU"}
    specimen = {"specimen_id": scene.id("spec"), "issuing": gtm, "doc_code": "PD"}
    asking = await scene.country(slv)
    since = await last_audit(scene, "intel")
    assert not (await asking.ask("intel", "document", document)).listed
    await scene.play(
        scene.say(gtm, "intel.document.listed", **document, status="stolen"),
        scene.say(gtm, "intel.entryrequirement.declared", **rule, effective_from="2003-12-01"),
        scene.say(gtm, "intel.specimen.deposited", **specimen),
        scene.say(gtm, "intel.contactpoint.designated", country=gtm, body="police"),
    )
    found = await asking.ask("intel", "document", document)
    assert (found.listed, found.status) == (True, "stolen")
    assert not (await asking.ask("intel", "document", document | {"issuing": hnd})).listed
    assert (await asking.ask("intel", "entry", rule)).answer == "authorisation_required"
    assert (await asking.ask("intel", "entry", rule | {"on": "2003-11-30"})).answer == "unknown"
    (shown,) = (await asking.ask("intel", "specimens", {"issuing": gtm, "doc_code": "PD"})).specimens
    assert shown.specimen_id == specimen["specimen_id"]
    (point,) = [one for one in (await asking.ask("intel", "contact", {"country": gtm})).points if one.body == "police"]
    assert point.country == gtm
    await scene.play(
        scene.say(gtm, "intel.document.delisted", **document, status="stolen"),
        scene.say(gtm, "intel.contactpoint.vacated", country=gtm, body="police"),
    )
    assert not (await asking.ask("intel", "document", document)).listed
    assert all(one.body != "police" for one in (await asking.ask("intel", "contact", {"country": gtm})).points)
    asked = await audited(scene, "intel", since)
    names = ["document", "document", "document", "entry", "entry", "specimens", "contact", "document", "contact"]
    assert asked == [(slv, name, "answered") for name in names]


@written
async def test_a_phone_number_is_known_to_whom_its_book_was_opened_and_to_nobody_else(scene):
    gtm, slv, hnd = scene.cast[:3]
    number = f"{scene.number:064x}"
    book = {"seizure_id": scene.id("book"), "handling": ...}
    await scene.play(
        scene.say(gtm, "intel.phonebook.seized", seizure_id=scene.id("book")),
        scene.say(gtm, "intel.phonebook.disseminated", **book, recipients=[slv], hashes=[number]),
    )
    told = await (await scene.country(slv)).ask("intel", "phone", {"hash": number})
    assert (told.known, [point.country for point in told.speak_to]) == (True, [gtm])
    own = await (await scene.country(gtm)).ask("intel", "phone", {"hash": number})
    assert (own.known, own.speak_to) == (True, ())
    since = await last_audit(scene, "intel")
    with pytest.raises(NotPermitted):
        await (await scene.country(hnd)).ask("intel", "phone", {"hash": number})
    assert await audited(scene, "intel", since) == [(hnd, "phone", "not_permitted")]
    assert not (await (await scene.country(slv)).ask("intel", "phone", {"hash": "e" * 64})).known


@written
async def test_a_referral_is_known_to_its_two_countries_only(scene):
    gtm, slv, hnd = scene.cast[:3]
    await scene.play(sent(scene, gtm, slv))
    ask = {"referral_id": scene.id("ref")}
    for country in (gtm, slv):
        answer = await (await scene.country(country)).ask("victims", "referral", ask)
        assert (answer.state, answer.sender, answer.receiver) == ("pending", gtm, slv)
    since = await last_audit(scene, "victims")
    asking = await scene.country(hnd)
    for unknown in (ask, {"referral_id": "ref-never"}):
        with pytest.raises(NotPermitted):
            await asking.ask("victims", "referral", unknown)
    assert await audited(scene, "victims", since) == [(hnd, "referral", "not_permitted")] * 2
    await scene.play(said(scene, slv, "rejected", reason="no_capacity"))
    assert (await (await scene.country(gtm)).ask("victims", "referral", ask)).state == "rejected"


@written
async def test_certificates_of_ones_own_officers_and_gaps_of_any_country(scene):
    gtm, slv = scene.cast[:2]
    officer = {"officer_pid": scene.id("officer")}
    day = scene.now.date()
    await scene.play(
        scene.say(
            gtm,
            "training.officer.certified",
            cert_id=scene.id("cert"),
            valid_from=day.isoformat(),
            valid_until=day.replace(year=day.year + 2, day=1).isoformat(),
            **officer,
        )
    )
    own = await (await scene.country(gtm)).ask("training", "certificates", officer)
    assert [one.cert_id for one in own.certificates] == [scene.id("cert")]
    asking = await scene.country(slv)
    assert (await asking.ask("training", "certificates", officer)).certificates == (), "none of its officers"
    since = await last_audit(scene, "training")
    with pytest.raises(NotPermitted):
        await asking.ask("training", "certificates", officer | {"country": gtm})
    assert await audited(scene, "training", since) == [(slv, "certificates", "not_permitted")]
    gaps = await asking.ask("legal", "gaps", {"country": "USA", "instrument": "SOM"})
    assert (gaps.party, gaps.gaps) == (False, ())
    signed = scene.say("USA", "legal.treaty.ratified", instrument="SOM", country="USA")
    await scene.play(signed)
    gaps = await asking.ask("legal", "gaps", {"country": "USA", "instrument": "SOM"})
    assert gaps.party
    assert len(gaps.gaps) == len(await scene.events("legal.gap.opened"))
    await scene.play(scene.say("USA", "legal.treaty.retracted", supersedes=signed["id"], reason="mistaken"))


@written
async def test_what_is_no_proper_question_is_answered_with_all_that_is_wrong(scene):
    (gtm,) = scene.cast[:1]
    secret = "Maria-1990"
    since = {service: await last_audit(scene, service) for service in ("intel", "victims", "legal", "training")}
    for service, name in sorted(questions.every()):
        agreed = questions.of(service, name)
        assert isinstance(agreed, Question)
        reply = await raw(scene, gtm, f"{service}.{name}", json.dumps({**agreed.good, "nombre": secret}).encode())
        assert reply["error"]["code"] == "invalid"
        assert [(one["pointer"], one["code"]) for one in reply["error"]["problems"]] == [("", "unknown_field")]
        assert secret not in json.dumps(reply)
        reply = await raw(scene, gtm, f"{service}.{name}", b"{" + secret.encode())
        assert [one["code"] for one in reply["error"]["problems"]] == ["not_json"]
        assert secret not in json.dumps(reply)
    reply = await raw(scene, gtm, "intel.documnet", b"{}")
    assert reply["error"]["code"] == "unknown_question"
    assert reply["error"]["problems"][0]["suggestion"] == "document"
    reply = await raw(scene, gtm, "intel.document", b"{}")
    assert {one["pointer"]: one["code"] for one in reply["error"]["problems"]} == {
        "/issuing": "missing_field",
        "/doc_ref": "missing_field",
    }
    assert await audited(scene, "victims", since["victims"]) == [
        (gtm, name, "invalid") for service, name in sorted(questions.every()) if service == "victims" for _ in range(2)
    ]
    assert ("unknown", "unknown_question") in {row[1:] for row in await audited(scene, "intel", since["intel"])}
    client = await scene.country(gtm)
    with pytest.raises(Invalid):
        await client.ask("intel", "document", {"issuing": gtm})


@written
async def test_two_replicas_share_the_questions_and_each_is_answered_once(scene):
    gtm = scene.cast[0]
    since = await last_audit(scene, "intel")

    def answered():
        return [scene.stage.measured(name, "crm_questions_total") for name in ("intel", "intel-2")]

    before = answered()
    client = await scene.country(gtm)
    ask = {"issuing": gtm, "doc_ref": scene.id("none")}
    answers = await asyncio.gather(*(client.ask("intel", "document", ask) for _ in range(200)))
    assert {answer.listed for answer in answers} == {False}
    assert len(await audited(scene, "intel", since)) == 200
    shares = [now - then for now, then in zip(answered(), before, strict=True)]
    assert sum(shares) == 200
    assert min(shares) > 0
