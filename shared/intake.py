"""Intake: batches of reports and of other services' events; each message is recorded, refused, or waits.

Two kinds of failure, told apart here and nowhere else: what the sender got wrong is refused with all the
reasons; what we got wrong is redelivered with a growing delay, for ever, and seen in the metrics.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared import contracts, crash
from shared.contracts import Event, Problem, Refused
from shared.contracts.notice import Rejected
from shared.contracts.report import UNREADABLE, accepted, report_id, said
from shared.log import Draft, Log
from shared.lost import LOST
from shared.rules import NotYet, source
from shared.settings import Settings
from shared.streams import INTAKE, sender_of
from shared.telemetry import BATCH_SECONDS, RECEIVED, trace_id, traced, where

log = structlog.get_logger()

WAITING_FACTOR_S, FAILED_FACTOR_S = 0.1, 0.5
"""The delay before a message comes again, times two for each delivery."""
SHORT_REPLY = 9
"""Tokens of an acknowledgement's subject without domain and account."""


@dataclass(frozen=True, slots=True)
class Intake:
    """What a service does with the messages that reach it."""

    log: Log
    client: Client
    settings: Settings

    async def reports(self, messages: Sequence[Msg]) -> None:
        """Record the reports of countries; refuse what is wrong with them."""
        drafts: list[tuple[Msg, Draft]] = []
        refused: list[tuple[Msg, Refused]] = []
        now = self.log.clock.now()
        for message in messages:
            try:
                event = accepted(message.subject, message.headers, message.data, now)
            except Refused as verdict:
                refused.append((message, verdict))
            except Exception as error:  # noqa: BLE001 - a fault of ours holds up this message, not the batch
                await self._failed(INTAKE, message, error)
            else:
                told = said(message.headers, message.data, event)
                drafts.append((message, Draft(traced("intake", event), said=told)))
        await self._record(INTAKE, drafts, refused)

    async def events(self, stream: str, messages: Sequence[Msg]) -> None:
        """Act on the events of another service, each once."""
        drafts = []
        for message in messages:
            try:
                event = contracts.decode(message.data)
            except UNREADABLE as error:
                await self._failed(stream, message, error)
                continue
            heard = (stream, message.metadata.sequence.stream)
            drafts.append((message, Draft(traced("hear", event), heard)))
        await self._record(stream, drafts, [])

    async def _record(self, stream: str, drafts: list[tuple[Msg, Draft]], refused: list[tuple[Msg, Refused]]) -> None:
        """Record a batch; where that fails for a reason not told apart before, message by message."""
        crash.point("fetched")
        messages = [message for message, _ in [*drafts, *refused]]
        begun = time.perf_counter()
        try:
            await self._recorded(stream, drafts, refused)
        except LOST as error:
            log.warning("batch waits", stream=stream, size=len(messages), error=type(error).__name__)
            await asyncio.gather(*(self._again(stream, message, "failed") for message in messages))
        except Exception as error:  # noqa: BLE001 - whatever it is, only the message that has it waits
            if len(messages) == 1:
                await self._failed(stream, messages[0], error)
                return
            for draft in drafts:
                await self._record(stream, [draft], [])
            for one in refused:
                await self._record(stream, [], [one])
        else:
            BATCH_SECONDS.labels(self.log.service, stream).observe(time.perf_counter() - begun)

    async def _recorded(self, stream: str, drafts: list[tuple[Msg, Draft]], refused: list[tuple[Msg, Refused]]) -> None:
        """Record, refuse, acknowledge; what has to wait is given back with a delay."""
        if stream == INTAKE:
            drafts, refused = await self._unjudged(drafts, refused)
        outcomes = await self.log.record([draft for _, draft in drafts]) if drafts else []
        done: list[Msg] = []
        verdicts = list(refused)
        for (message, draft), outcome in zip(drafts, outcomes, strict=True):
            verdict = self._verdict(stream, message, outcome)
            if verdict is None:
                done.append(message)
            elif isinstance(verdict, Refused):
                verdicts.append((message, verdict))
            elif isinstance(verdict, NotYet):
                await self._again(stream, message, "waiting", WAITING_FACTOR_S)
            else:
                await self._failed(stream, message, verdict, draft.event)
        if verdicts:
            await self._refuse(verdicts)
        for message in [*done, *(message for message, _ in verdicts)]:
            await message.ack()
            crash.point("acknowledged")
        for _, draft in drafts:
            log.debug("taken in", type=draft.event.type, event_id=draft.event.id, trace_id=trace_id(draft.event))
        self._count(stream, "recorded", len(done))
        self._count(stream, "refused", len(verdicts))

    async def _unjudged(
        self, drafts: list[tuple[Msg, Draft]], refused: list[tuple[Msg, Refused]]
    ) -> tuple[list[tuple[Msg, Draft]], list[tuple[Msg, Refused]]]:
        """Return what was not refused before: a refusal that the sender was told stands, whatever came since."""
        messages = [message for message, _ in [*drafts, *refused]]
        told = await self.log.told([_rejection_id(message) for message in messages])
        if not told:
            return drafts, refused
        for message in messages:
            if _rejection_id(message) in told:
                await message.ack()
        return (
            [one for one in drafts if _rejection_id(one[0]) not in told],
            [one for one in refused if _rejection_id(one[0]) not in told],
        )

    def _verdict(self, stream: str, message: Msg, outcome: Exception | None) -> Exception | None:
        """Return the outcome, where a reference that was waited for long enough is the sender's mistake.

        Another service's event has no sender to refuse it to: there a refusal is a fault of ours.
        """
        if stream != INTAKE:
            return RuntimeError(str(outcome)) if isinstance(outcome, Refused) else outcome
        if isinstance(outcome, NotYet) and self._waited_s(message) > self.settings.reference_wait_s:
            return Refused(Problem(outcome.pointer, "unknown_reference", "nothing is recorded under the id given here"))
        return outcome

    def _waited_s(self, message: Msg) -> float:
        """Return for how long the message was waited with: a service that was away for an hour waits from now on."""
        delays = (self._delay_s(number, WAITING_FACTOR_S) for number in range(1, message.metadata.num_delivered))
        return min(_age_s(message), sum(delays))

    def _delay_s(self, deliveries: int, factor_s: float) -> float:
        return float(min(factor_s * 2 ** min(deliveries, 16), self.settings.retry_delay_s_max))

    async def _failed(self, stream: str, message: Msg, error: Exception, event: Event[Any] | None = None) -> None:
        """Have a message that met a fault of ours come back until the fault is mended."""
        log.error(
            "event failed and waits",
            stream=stream,
            sequence=message.metadata.sequence.stream,
            subject=message.subject,
            event_id=event.id if event else None,
            trace_id=trace_id(event) if event else None,
            error=type(error).__name__,
            where=where(error),
            deliveries=message.metadata.num_delivered,
        )
        await self._again(stream, message, "failed")

    async def _again(self, stream: str, message: Msg, outcome: str, factor_s: float = FAILED_FACTOR_S) -> None:
        """Have the message delivered again, each time after twice the delay."""
        self._count(stream, outcome, 1)
        await message.nak(delay=self._delay_s(message.metadata.num_delivered, factor_s))

    async def _refuse(self, refused: Sequence[tuple[Msg, Refused]]) -> None:
        """Keep the raw bytes in QUARANTINE, then record the rejection that the sender reads in its mailbox."""
        await asyncio.gather(*(self._quarantine(message, verdict) for message, verdict in refused))
        crash.point("quarantined")
        now = self.log.clock.now()
        drafts = [Draft(self._rejected(message, verdict, now)) for message, verdict in refused]
        for outcome in await self.log.record(drafts):
            if outcome is not None:
                raise outcome

    async def _quarantine(self, message: Msg, verdict: Refused) -> None:
        country = message.subject.split(".")[2]
        await self.client.jetstream().publish(
            f"crm.bad.{country}.{self.log.service}",
            message.data,
            headers={
                "Nats-Msg-Id": _intake_id(message),
                "Crm-Subject": message.subject,
                "Crm-Codes": ",".join(sorted({problem.code for problem in verdict.problems})),
            },
        )

    def _rejected(self, message: Msg, verdict: Refused, now: datetime) -> Event[Any]:
        _, _, country, name = message.subject.split(".", 3)
        known = f"crm.{name}.v1" in contracts.registry()
        sent_id = report_id(message.data, message.headers)
        data = Rejected(
            problems=list(verdict.problems),
            report_id=sent_id,
            intake_sequence=message.metadata.sequence.stream,
            report_type=f"crm.{name}.v1" if known else None,
        )
        event_id = _rejection_id(message)
        return Event(
            specversion="1.0",
            id=event_id,
            source=source(self.log.service),
            type=f"crm.{self.log.service}.report.rejected.v1",
            time=now,
            country=country,  # type: ignore[arg-type]  # from the subject, which the server made
            data=data,
            recordedtime=now,
            subject=sent_id or event_id,
            datacontenttype="application/json",
            correlationid=sent_id or event_id,
        )

    def _count(self, stream: str, outcome: str, number: int) -> None:
        if number:
            RECEIVED.labels(self.log.service, stream, outcome).inc(number)


def _intake_id(message: Msg) -> str:
    """Name a message of an intake for ever, also across a stream deleted and made anew."""
    metadata = message.metadata
    return f"{metadata.stream}|{metadata.sequence.stream}|{metadata.timestamp.isoformat()}"


def _rejection_id(message: Msg) -> str:
    """Return the id that the refusal of a message has: whose intake, its place there, when it came (ns since 1970).

    Looked up for every report, so it is cut out of where its acknowledgement goes
    (`$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<sequence>.<n>.<stored>.<pending>…`).
    What came through the intake that all shared names nobody, as it did then.
    """
    tokens = message.reply.split(".")
    at = 5 if len(tokens) == SHORT_REPLY else 7
    return ":".join(filter(None, ("refusal", sender_of(tokens[at - 3]), tokens[at], tokens[at + 2])))


def _age_s(message: Msg) -> float:
    """Return for how long (real seconds) the message has stood in its stream."""
    return (datetime.now(UTC) - message.metadata.timestamp).total_seconds()
