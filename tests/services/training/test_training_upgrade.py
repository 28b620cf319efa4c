"""A database that a version before judgements left goes on: nothing is told twice, and what was told is taken back."""

from datetime import timedelta

import msgspec

from services.training.__main__ import SERVICE
from services.training.judgements.certificates import pattern
from tests.harness.desk import START
from tests.harness.olden import olden

HOUR = timedelta(hours=1)
POST = "GTM-POST"


def own(desk, name, cause, **data):
    event = desk.event(name, -1, **data)
    return msgspec.structs.replace(event, source="urn:crm:service:training", causationid=cause.id)


async def due(one, name, event, days):
    await one.put("deadline", id=name, due=START + timedelta(days=days), event=msgspec.json.encode(event))


async def test_what_an_older_version_told_goes_on(postgres_server):
    async with olden(postgres_server, SERVICE, "0005_notified.sql") as one:
        desk = one.desk
        law = desk.event("legal.law.amended", -9, law_id="law-1", version="2", effective_from="2004-02-01")
        seen = [desk.event("intel.document.confirmed", days, bcp=POST) for days in (-6, -5, -4)]
        given = {"topic": "ethics", "valid_until": "2004-03-10"}
        first, second, third = (
            desk.event(
                "training.officer.certified", -20, cert_id=f"c-{n}", officer_pid=f"of-{n}",
                aligned_to=[{"law_id": f"law-{n}"}], **given,
            )
            for n in (1, 2, 3)
        )  # fmt: skip
        staled = own(
            desk, "training.certification.staled", law, cert_id="c-1", officer_pid="of-1", topic="ethics",
            reason="law_amended", grace_until=law.time.isoformat(),
        )  # fmt: skip
        # It was heard an hour after legal had recorded it, so its grace counts from then.
        grace = law.recordedtime + HOUR + timedelta(days=90)
        staled = msgspec.structs.replace(
            staled, time=law.time, data=msgspec.structs.replace(staled.data, grace_until=grace)
        )
        need = own(desk, "training.need.raised", seen[2], need_id="n-1", bcp=POST, due="2004-05-30T00:00:00Z")
        waits = [
            desk.event(
                "training.complaint.received", -1, complaint_id=f"cp-{n}",
                **dict.fromkeys(("outcome", "officer_pid", "offence", "sanction"), ...),
            )
            for n in (1, 2)
        ]  # fmt: skip
        await one.recorded(first, second, third, staled, need, *waits)
        await one.put("need", need_id="n-1", cause=seen[2].id, source=seen[2].source, country="GTM",
            topic="false_document_detection", bcp=POST, pattern=pattern(seen[0].data), since=seen[2].time,
            raised=need.recordedtime, state="raised", detected=seen[0].time)  # fmt: skip
        await one.put("law_change", event_id=law.id, source=law.source, touches=["GTM/law-1"], edition="GTM/law-1@2",
            changed=law.time, known=law.recordedtime + HOUR, counts=law.recordedtime + HOUR)  # fmt: skip
        await one.heard("legal", law)
        await one.heard("intel", *seen)
        for n in (2, 3):
            expired = own(
                desk, "training.certification.expired", second, cert_id=f"c-{n}", officer_pid=f"of-{n}", topic="ethics"
            )
            await due(one, f"expiry/GTM/c-{n}", expired, 10)
        for n in (1, 2):
            overdue = own(desk, "training.complaint.overdue", waits[n - 1], complaint_id=f"cp-{n}")
            await due(one, f"complaint/GTM/cp-{n}", overdue, 29)
        named = {"need_id": "n-1", "bcp": POST, "due": "2004-05-30T00:00:00Z"}
        await due(one, "need/n-1", own(desk, "training.need.overdue", seen[2], **named), 90)
        await one.upgrade()

        async def told():
            left = (await desk.recorded())[7:]
            return [(event.name, event.subject) for event in left if event.source == "urn:crm:service:training"]

        # Nothing is told again: of the certificate because of the law, of the forgery at the post.
        await desk.tell(
            desk.event("training.officer.certified", 0, cert_id="c-9", officer_pid="of-1", **given | {"aligned_to": []})
        )
        assert await told() == [("training.certification.renewed", "c-1")]
        desk.numbers = iter(range(100, 200))
        await desk.tell(desk.event("intel.document.confirmed", 0, bcp=POST))
        assert len(await told()) == 1
        # What was to fall due does not, where it holds no more.
        resolved = desk.event("training.complaint.resolved", 0, complaint_id="cp-1")
        changed = desk.event("legal.law.repealed", 0, law_id="law-2", effective_from="2004-06-01")
        await desk.tell(resolved, changed, desk.event("training.course.delivered", 0, bcp=POST))
        await desk.tell(desk.event("training.officer.certified", 0, cert_id="c-8", officer_pid="of-8", aligned_to=[]))
        assert (await told())[1:] == [("training.certification.staled", "c-2"), ("training.need.met", "n-1")]
        met = (await desk.recorded("training.need.met"))[0]
        assert met.data.latency_s == 6 * 86_400
        await desk.pass_days(100)
        assert (await told())[3:] == [
            ("training.certification.expired", "c-9"),
            ("training.certification.expired", "c-3"),
            ("training.complaint.overdue", "cp-2"),
        ]
        # What was told is taken back.
        await desk.tell(desk.retracted(law))
        assert (await told())[6:] == [
            ("training.certification.retracted", "c-1"),
            ("training.certification.retracted", "c-1"),
            ("training.certification.expired", "c-1"),
        ]
