"""Refusals: the raw bytes go to QUARANTINE, then the rejection is recorded that the sender reads in its mailbox."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

from nats.aio.client import Client
from nats.js.errors import APIError

from shared import contracts
from shared.contracts import Event, Refused
from shared.contracts.notice import Rejected
from shared.contracts.report import report_id
from shared.flow import aside
from shared.flow.batch import Message, parts, publish_batch, publish_each
from shared.flow.sealing import AGE, Sealing
from shared.flow.streams import sender_of
from shared.flow.taken import Taken
from shared.record.judgement import source
from shared.record.log import Draft, Log
from shared.run import crash
from shared.run.database import Connection

Refusals: TypeAlias = Sequence[tuple[Taken, Refused]]


async def quarantine(service: str, client: Client, sealing: Sealing, refused: Refusals) -> None:
    """Keep the raw bytes of refused reports, sealed, each once, before anybody is told."""
    sealed = await asyncio.to_thread(lambda: [sealing.for_sender(one.country, one.payload) for one, _ in refused])
    kept = [_kept(service, one, verdict, raw) for (one, verdict), raw in zip(refused, sealed, strict=True)]
    for part in parts(kept):
        try:
            await publish_batch(client, part)
        except APIError:  # one of them is kept already: a batch would be refused for it
            await publish_each(client, part)
    crash.point("quarantined")


def drafts(log: Log, refused: Refusals) -> list[Draft]:
    """Return what tells the senders why their reports are refused."""
    now = log.clock.now()
    return [Draft(rejected(log.service, one, verdict, now)) for one, verdict in refused]


async def refuse(log: Log, client: Client, sealing: Sealing, refused: Refusals, *, again: bool) -> None:
    """Refuse reports; those that come out of `aside` (`again`) are taken away there."""
    await quarantine(log.service, client, sealing, refused)

    async def then(connection: Connection, outcomes: Sequence[Exception | None]) -> None:
        told(outcomes)
        if again:
            await aside.drop(connection, [one for one, _ in refused])

    await log.record(drafts(log, refused), then)


def told(outcomes: Sequence[Exception | None]) -> None:
    """Raise what kept a refusal from being recorded."""
    for outcome in outcomes:
        if outcome is not None:
            raise outcome


def rejection_id(one: Taken) -> str:
    """Return the id that the refusal of a message has: whose intake, its place there, when it came (ns since 1970).

    What came through the intake that all shared names nobody, as it did then.
    """
    return ":".join(filter(None, ("refusal", sender_of(one.stream), str(one.sequence), str(one.stored))))


def _kept(service: str, one: Taken, verdict: Refused, sealed: bytes) -> Message:
    """Return the message that keeps a refused report: subject, sealed bytes, headers."""
    headers = {
        # For ever, also across a stream deleted and made anew.
        "Nats-Msg-Id": f"{one.stream}|{one.sequence}|{one.stored_at.isoformat()}",
        "Crm-Sealed": AGE,
        "Crm-Subject": _subject(one),
        "Crm-Codes": ",".join(sorted({problem.code for problem in verdict.problems})),
    }
    return f"crm.bad.{contracts.place_of(one.country)}.{service}", sealed, headers


def _subject(one: Taken) -> str:
    """Return the subject that a report came by; of one that no contract has, which may hold anything, its beginning."""
    name = one.subject.split(".", 3)[3]
    known = any(agreed.name == name for agreed in contracts.registry().values())
    return one.subject if known else ".".join((*one.subject.split(".")[:4], "?"))


def rejected(service: str, one: Taken, verdict: Refused, now: datetime) -> Event[Any]:
    """Return the event that tells the sender why its report is refused."""
    name = one.subject.split(".", 3)[3]
    known = f"crm.{name}.v1" in contracts.registry()
    sent_id = report_id(one.payload, one.headers)
    data = Rejected(
        problems=list(verdict.problems),
        report_id=sent_id,
        intake_sequence=one.sequence,
        report_type=f"crm.{name}.v1" if known else None,
    )
    event_id = rejection_id(one)
    return Event(
        specversion="1.0",
        id=event_id,
        source=source(service),
        type=f"crm.{service}.report.rejected.v1",
        time=now,
        country=contracts.place_of(one.country),  # from the subject, which the server made
        data=data,
        recordedtime=now,
        subject=sent_id or event_id,
        datacontenttype="application/json",
        correlationid=sent_id or event_id,
    )
