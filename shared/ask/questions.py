"""Questions: what countries ask a service, answered in batches, each leaving a row in `audit` before its answer goes.

What has arrived while one batch is answered makes up the next; so a lone question waits for nothing, and many share
their look-ups and the commit of their audit rows.
"""

import asyncio
import hashlib
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
import structlog
from nats.aio.msg import Msg
from prometheus_client import Counter, Histogram

from shared.ask.allowance import Allowance
from shared.contracts import Problem, questions
from shared.contracts.questions import Answered, Ask, Error, Question
from shared.contracts.vocabulary import Country
from shared.run.clock import Clock
from shared.run.database import LOST, Connection, Pool, of_a_value
from shared.run.telemetry import where
from shared.run.tracing import way

log = structlog.get_logger()

BATCH_MAX = 200
WAITING_MAX = 500
"""Questions of one sender waiting at once; beyond it they are answered `unavailable`, at once."""
ANSWERED = Counter("crm_questions_total", "Questions, by what became of them.", ["service", "question", "outcome"])
SECONDS = Histogram(
    "crm_question_seconds",
    "Time from a question's arrival to its answer.",
    ["service"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
)

A = TypeVar("A", bound=Ask)
encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Asked(Generic[A]):
    """A question by a country, at a time (plan time)."""

    country: Country
    ask: A
    now: datetime


Answering: TypeAlias = Callable[[Sequence[Asked[Any]], Connection], Awaitable[Sequence[Answered]]]
"""Answers all the questions of one kind in a batch, in their order, by one look-up. It changes nothing, but that
cosignatures are kept, and keys of what is sealed kept and forgotten."""
Questions: TypeAlias = Mapping[type[Ask], Answering]


@dataclass(slots=True)
class Pending:
    """A question on its way to its answer."""

    message: Msg
    arrived: float
    country: Country
    asked: Ask | Error
    name: str
    """The question's name; `unknown`: there is no such question."""
    audited: bool
    answer: Answered | None = None


@dataclass(slots=True)
class Desk:
    """Where a service's questions arrive and are answered."""

    service: str
    pool: Pool
    clock: Clock
    questions: Questions
    key: bytes
    """What the audit's hashes are keyed with; the same in all replicas."""
    allowances: Mapping[str, Allowance] = field(default_factory=dict)
    """What each sender may ask; who is not in it may ask without end."""
    batch_max: int = BATCH_MAX
    _waiting: dict[str, deque[Msg]] = field(default_factory=lambda: defaultdict(deque))
    """By who asks."""
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, message: Msg) -> None:
        """Put a question on the desk."""
        waiting = self._waiting[message.subject.split(".")[2]]
        if len(waiting) < WAITING_MAX:
            waiting.append(message)
            self._arrived.set()
        else:
            ANSWERED.labels(self.service, "any", "unavailable").inc()
            await reply(message, questions.unavailable())

    async def run(self) -> None:
        """Answer, for ever."""
        while True:
            await self._arrived.wait()
            await self._refuse()
            if batch := [self._read(message) for message in self._next()]:
                await self._answered(batch)
            for one in batch:
                await self._give(one)

    async def _refuse(self) -> None:
        """Tell whoever may not ask now, by what has become known since its questions were put here."""
        for sender, waiting in list(self._waiting.items()):
            while waiting and sender in self.allowances and (owed_s := self.allowances[sender].owed_s()):
                ANSWERED.labels(self.service, "any", "too_many").inc()
                await reply(waiting.popleft(), questions.too_many(owed_s))
                await asyncio.sleep(0)

    def _next(self) -> list[Msg]:
        """Return the questions to answer now: of everybody who asks, the same share."""
        ready = [waiting for waiting in self._waiting.values() if waiting]
        share = max(1, self.batch_max // max(1, len(ready)))
        batch = [waiting.popleft() for waiting in ready for _ in range(min(share, len(waiting)))]
        if not any(ready):
            self._arrived.clear()
        return batch

    def _read(self, message: Msg) -> Pending:
        _, _, country, service, name = message.subject.split(".")
        agreed = questions.of(service, name)
        known = isinstance(agreed, Question)
        audited = not isinstance(agreed, Question) or agreed.audited
        asked = questions.read(agreed, message.data) if isinstance(agreed, Question) else agreed
        return Pending(message, time.perf_counter(), country, asked, name if known else "unknown", audited)  # type: ignore[arg-type]

    async def _answered(self, batch: Sequence[Pending]) -> None:
        """Answer each; what fails one of them, whatever it is, keeps no other from its answer."""
        try:
            await self._answer(batch)
        except Exception as error:  # noqa: BLE001 - whose it is shows one by one, unless a server is away
            if len(batch) > 1 and not isinstance(error, LOST):
                for one in batch:
                    await self._answered([one])
                return
            log.warning("questions not answered", size=len(batch), error=type(error).__name__, where=where(error))
            for one in batch:
                one.answer = questions.unavailable()

    async def _answer(self, batch: Sequence[Pending]) -> None:
        """Find all answers and write all audit rows, in one transaction."""
        now = self.clock.now()
        kinds: dict[type[Ask], list[Pending]] = defaultdict(list)
        for one in batch:
            if isinstance(one.asked, Error):
                one.answer = one.asked
            else:
                kinds[type(one.asked)].append(one)
        async with self.pool.acquire() as connection, connection.transaction():
            for kind, same in kinds.items():
                await self._look_up(kind, same, now, connection)
            kept = [one for one in batch if one.audited or isinstance(one.answer, Error)]
            if not kept:
                return
            await connection.copy_records_to_table(
                "audit",
                schema_name=self.service,
                columns=["asked", "country", "question", "outcome", "about"],
                records=[(now, one.country, one.name, _outcome(one), self._about(one)) for one in kept],
            )

    async def _look_up(self, kind: type[Ask], same: Sequence[Pending], now: datetime, connection: Connection) -> None:
        asked = [Asked(one.country, one.asked, now) for one in same if isinstance(one.asked, Ask)]
        try:
            async with connection.transaction():
                answers = await self.questions[kind](asked, connection)
        except Exception as error:
            if connection.is_closed():
                raise
            if len(same) > 1:  # what fails in one question concerns no other
                for one in same:
                    await self._look_up(kind, [one], now, connection)
                return
            answers = [self._failed(same[0], error)]
        for one, answer in zip(same, answers, strict=True):
            one.answer = answer

    def _failed(self, one: Pending, error: Exception) -> Error:
        """Return why there is no answer: a value is beyond what the database holds, or it is a fault of ours."""
        if of_a_value(error):
            return questions.invalid(Problem("", "out_of_range", "a value is beyond what can be looked up"))
        log.error("question failed", question=one.name, error=type(error).__name__, where=where(error))
        return questions.unavailable()

    def _about(self, one: Pending) -> bytes:
        """Return the keyed hash of what was asked; of a question that is none, of its bytes."""
        content = one.message.data if isinstance(one.asked, Error) else encode(one.asked)
        return hashlib.blake2b(content, key=self.key, digest_size=32).digest()

    async def _give(self, one: Pending) -> None:
        one.answer = one.answer or questions.unavailable()
        ANSWERED.labels(self.service, one.name, _outcome(one)).inc()
        size = await reply(one.message, one.answer)
        if allowance := self.allowances.get(one.country):
            allowance.charge(size)
        since = time.time_ns() - int((time.perf_counter() - one.arrived) * 1e9)
        if traced := way(f"question {one.name}", since):
            traced.end(_outcome(one), good=not isinstance(one.answer, Error))
        example = traced.exemplar if traced else None
        SECONDS.labels(self.service).observe(time.perf_counter() - one.arrived, example)


def _outcome(one: Pending) -> str:
    return one.answer.code if isinstance(one.answer, Error) else "answered"


async def reply(message: Msg, answer: Answered) -> int:
    """Send an answer, or the error instead of one, to whoever waits for it; return how many bytes it has.

    What cannot be sent, because it is too large or goes nowhere, is the asker's loss and nobody else's.
    """
    if not message.reply:
        return 0
    payload = b""
    try:
        payload = encode({"error": answer} if isinstance(answer, Error) else {"answer": answer})
        await message.respond(payload)
    except Exception as error:  # noqa: BLE001 - whatever it is, the next asker gets an answer
        log.warning("reply not sent", error=type(error).__name__)
        if not isinstance(answer, Error):
            await reply(message, questions.unavailable())
    return len(payload)
