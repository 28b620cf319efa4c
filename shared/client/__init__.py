"""A country's own connection: report what happened, read what concerns it, and hear clearly what went wrong.

async with connect(url, "GTM.nk", "GTM") as gtm:
    await gtm.publish(gtm.report("intel.document.flagged", {...}))
    async for event in gtm.mailbox():
        ...
"""

import asyncio
import contextlib
import os
import re
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from nacl.signing import SigningKey
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import AuthorizationError, NoRespondersError
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.errors import APIError

from shared import contracts, tls
from shared.client.encoding import encoded
from shared.client.errors import (
    ClientError,
    Denied,
    Full,
    Invalid,
    NotPermitted,
    TooMany,
    Unreachable,
    Unstored,
    refusal,
    unstored,
)
from shared.contracts import Event, Problem, Refused, questions, signing
from shared.contracts.report import accepted
from shared.contracts.signing import HEADER
from shared.contracts.vocabulary import Holder
from shared.flow import streams
from shared.flow.batch import REQUEST_TIMEOUT_S, Message, parts, publish_batch
from shared.flow.unreadable import Tell, Unreadable, noted, read

try:
    from shared.run.tracing import begun
except ModuleNotFoundError:  # the client alone, without what traces

    def begun(report: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the report as it is."""
        return report


__all__ = [
    "ClientError",
    "CountryClient",
    "Denied",
    "Full",
    "Invalid",
    "NotPermitted",
    "TooMany",
    "Unreachable",
    "Unreadable",
    "Unstored",
    "connect",
]

ATTEMPTS_MAX = 5
FETCH_MAX = 100
FETCH_WAIT_S = 1.0
DENIED = re.compile(r"permissions violation for publish(?: to)? \"?(?P<subject>[^\"\s]+)", re.IGNORECASE)


def real_time() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


@dataclass(slots=True)
class _Told:
    """How far one service's part of the mailbox was read."""

    events: deque[Event[Any]] = field(default_factory=deque)
    after: int = 0
    more: bool = True


@dataclass(slots=True)
class CountryClient:
    """One country's connection to the region; see `connect`."""

    client: Client
    country: Holder
    system: str
    now: Callable[[], datetime] = real_time
    """The region's time: a played one may run ahead of the real one."""
    key: SigningKey | None = None
    """What reports are signed with; None: they are not."""
    _denied: dict[str, "asyncio.Future[None]"] = field(default_factory=dict)
    _met: Exception | None = None
    """What the connection met last; that a server refused the key, once it did."""

    def report(  # noqa: PLR0913 - the attributes of a CloudEvent, each with its default
        self,
        name: str,
        data: Mapping[str, Any],
        *,
        id: str | None = None,  # noqa: A002 - CloudEvents' own word
        time: datetime | None = None,
        subject: str | None = None,
        expirytime: datetime | None = None,
        causationid: str | None = None,
    ) -> dict[str, Any]:
        """Return a report of type `crm.<name>.v1` by this system, with a new id and the present time unless given.

        Where version 1 is none that countries report, it is the first that they do.
        """
        optional = {"subject": subject, "expirytime": expirytime, "causationid": causationid}
        return {
            "specversion": "1.0",
            "id": id or str(uuid.uuid4()),
            "source": contracts.source_of(self.country, self.system),
            "type": contracts.reported_type(name),
            "time": (time or self.now()).isoformat(),
            "datacontenttype": "application/json",
            "data": dict(data),
            **{key: value for key, value in msgspec.to_builtins(optional).items() if value is not None},
        }

    async def publish(self, report: Mapping[str, Any]) -> int:
        """Send one report and wait until it is stored; return its sequence in the own intake.

        It is checked first, and sent again with the same id while no answer comes: it is recorded once, however
        often it arrives. Raises Invalid, Denied, Full, Unstored, TooMany, or Unreachable.
        """
        message = self.signed(self._checked(report))
        return await self._persistently(lambda: self._sent([message]))

    async def publish_signed(self, payload: bytes, signature: str) -> int:
        """Send a report that was signed elsewhere, byte for byte: so a root key need never be where this runs.

        Raises as `publish` does.
        """
        try:
            report = msgspec.json.decode(payload, type=dict[str, Any])
        except msgspec.DecodeError:
            raise Invalid([Problem("", "not_json", "the report is no JSON object")]) from None
        message = (self._accepted(report, payload), payload, {HEADER: signature})
        return await self._persistently(lambda: self._sent([message]))

    async def publish_all(self, reports: Iterable[Mapping[str, Any]]) -> int:
        """Send many reports, in atomic batches where the region takes them; return the sequence of the last one.

        All are checked before any is sent. Raises as `publish` does; sending all of them again is safe.
        """
        last = 0
        for part in parts([self.signed(self._checked(report)) for report in reports]):
            try:
                last = await self._persistently(partial(self._sent, part))
            except (TooMany, Unstored) as error:
                if isinstance(error, Full) or len(part) == 1:
                    raise
                for message in part:  # what is wrong with the batch is not wrong with each report
                    last = await self._persistently(partial(self._sent, [message]))
        return last

    async def mailbox(
        self, idle_s: float | None = None, *, take: bool = True, unreadable: Tell = noted
    ) -> AsyncIterator[Event[Any]]:
        """Yield what concerns this country, in order, acknowledging each when the next is asked for.

        Without `take` none is acknowledged: at the end all go back, and come again in the same order. Ends when nothing
        came for `idle_s` seconds; without it, never. What this version cannot read goes to `unreadable` and is
        acknowledged like any, unless that raises; it stands in the log, and `history` gives it again.
        """
        subscription = await self.client.jetstream().pull_subscribe_bind(durable=self.country, stream=streams.MAILBOX)
        waited = 0.0
        fetched: deque[Msg] = deque()
        seen: list[Msg] = []
        try:
            while idle_s is None or waited < idle_s:
                wait = FETCH_WAIT_S if idle_s is None else min(FETCH_WAIT_S, idle_s)
                try:
                    fetched.extend(await subscription.fetch(FETCH_MAX, timeout=wait))
                except TimeoutError:
                    waited += wait
                    continue
                waited = 0.0
                while fetched:
                    where = f"{fetched[0].subject} {fetched[0].metadata.sequence.stream}"
                    event = read(fetched[0].data, where, unreadable)
                    if event is not None:
                        yield event
                    message = fetched.popleft()
                    await message.ack() if take else seen.append(message)
        finally:
            for message in (*seen, *fetched):
                await message.nak()  # whoever reads on need not wait for the acknowledgement to run out
            await subscription.unsubscribe()

    async def ask(self, service: str, question: str, data: Mapping[str, Any] | None = None) -> Any:
        """Ask a service and return its answer, of the type that shared.contracts.questions gives.

        Waits where the region says that it were too many questions, and asks again where no answer comes: a process
        that is killed takes questions with it. Raises Invalid (a question that there is not, or its fields),
        NotPermitted, TooMany, or Unreachable.
        """
        agreed = questions.of(service, question)
        payload = msgspec.json.encode(data or {})
        asked = questions.read(agreed, payload) if isinstance(agreed, questions.Question) else agreed
        if isinstance(asked, questions.Error) or isinstance(agreed, questions.Error):
            assert isinstance(asked, questions.Error)
            raise Invalid(asked.problems)
        problem: ClientError = Unreachable(f"{service} does not answer (asked {ATTEMPTS_MAX} times)")
        for _ in range(ATTEMPTS_MAX):
            try:
                message = await self.client.request(f"ask.{service}.{question}", payload, timeout=REQUEST_TIMEOUT_S)
            except NatsTimeoutError:
                continue
            except (NatsError, OSError) as error:
                raise Unreachable(f"{service} does not answer ({type(error).__name__})") from None
            reply = msgspec.json.decode(message.data, type=questions.Reply)
            if reply.error is None:
                return msgspec.json.decode(reply.answer, type=agreed.answer)
            problem = refusal(reply.error)
            if not isinstance(problem, TooMany):
                break
            await asyncio.sleep(problem.wait_s)
        raise problem

    async def history(
        self, since: datetime | None = None, *, follow: bool = False, unreadable: Tell = noted
    ) -> AsyncIterator[Event[Any]]:
        """Yield what the region told this country since then (when it knew), whoever has read it, in order.

        Nothing is taken out of the mailbox. With `follow`, go on with what is new, for ever. What this version cannot
        read goes to `unreadable`. Raises as `ask` does.
        """
        asked = {service: _Told() for service in contracts.SERVICES}
        while True:
            for service, told in asked.items():
                while not told.events and told.more:
                    await self._told(service, told, since, unreadable)
            ready = [told for told in asked.values() if told.events]
            if ready:
                yield min(ready, key=lambda told: told.events[0].recordedtime).events.popleft()
            elif follow:
                await asyncio.sleep(FETCH_WAIT_S)
                for told in asked.values():
                    told.more = True
            else:
                return

    async def _told(self, service: str, told: "_Told", since: datetime | None, unreadable: Tell) -> None:
        question = {"after": told.after} | ({"since": since.isoformat()} if since else {})
        part: questions.MailboxAnswer = await self.ask(service, "mailbox", question)
        events = (read(bytes(event), f"told by {service}", unreadable) for event in part.events)
        told.events.extend(event for event in events if event is not None)
        told.after, told.more = part.next, part.more and part.next > told.after

    def _checked(self, report: Mapping[str, Any]) -> tuple[str, bytes]:
        report = begun(report)
        if self.key:  # what is signed is kept
            report = {name: value for name, value in report.items() if name not in signing.UNKEPT}
        payload = encoded(report)
        return self._accepted(report, payload), payload

    def _accepted(self, report: Mapping[str, Any], payload: bytes) -> str:
        """Return the subject of a report that its contract takes."""
        name = str(report.get("type", "")).removeprefix("crm.").rpartition(".")[0]
        try:
            accepted(f"crm.in.{self.country}.{name}", None, payload, self.now())
        except Refused as verdict:
            raise Invalid(verdict.problems) from None
        return f"report.{name}"

    def signed(self, message: tuple[str, bytes]) -> Message:
        """Return a report (subject, payload) with its signature, where there is a key. Raises Invalid."""
        if self.key is None:
            return message
        if problems := signing.unsignable(message[1]):
            raise Invalid(problems)
        return *message, {HEADER: signing.signed(message[1], self.key)}

    async def _persistently(self, send: Callable[[], Awaitable[int]]) -> int:
        problem: ClientError = Unreachable("nothing was tried")
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                return await send()
            except NoRespondersError:
                problem = Unreachable("nobody answers for this service: not provisioned, or the region is starting")
            except APIError as error:
                problem = unstored(error)
                if not isinstance(problem, TooMany):
                    raise problem from None
            except (NatsError, OSError) as error:
                problem = Unreachable(f"no answer from the region after {attempt} attempts ({type(error).__name__})")
            await asyncio.sleep(min(0.1 * 2**attempt, 2.0))
        raise problem

    async def _sent(self, messages: Sequence[Message]) -> int:
        """Publish in one batch, failing at once when the server denies it: it tells only the connection of that."""
        denied = asyncio.get_running_loop().create_future()
        self._denied[messages[0][0]] = denied
        sending = asyncio.ensure_future(publish_batch(self.client, messages))
        try:
            await asyncio.wait({sending, denied}, return_when=asyncio.FIRST_COMPLETED)
            if denied.done():
                raise Denied(f"account {self.country} may not publish to {messages[0][0]}")
            return await sending
        finally:
            sending.cancel()
            self._denied.pop(messages[0][0], None)

    async def _failed(self, error: Exception) -> None:
        if not _refused(self._met):  # after it the server resets the connection, which tells less
            self._met = error
        found = DENIED.search(str(error))
        waiting = self._denied.get(found["subject"]) if found else None
        if waiting and not waiting.done():
            waiting.set_result(None)


def _unconnected(url: str, country: Holder, error: Exception) -> ClientError:
    """Return what to raise where there is no connection, by what was met at the last try."""
    if _refused(error):
        return Denied(f"the region refuses the key of {country}")
    return Unreachable(f"no region at {url} ({type(error).__name__})")


def _refused(error: Exception | None) -> bool:
    return isinstance(error, AuthorizationError) or "authorization violation" in str(error).lower()


def _key(named: Path | str | None, creds: Path) -> SigningKey | None:
    """Return the key that signs reports; raises OSError or ValueError where the one named cannot be used."""
    named = named or os.environ.get("CRM_SIGNING_KEY")
    file = Path(named) if named else creds.with_suffix(".pem")
    return signing.secret(file) if named or file.exists() else None


@asynccontextmanager
async def connect(  # noqa: PLR0913 - where, as whom, and what may differ
    url: str,
    creds: Path | str,
    country: Holder,
    system: str = "client",
    timeout_s: float = REQUEST_TIMEOUT_S,
    *,
    now: Callable[[], datetime] = real_time,
    key: Path | str | None = None,
    certificates: tls.Files | None = None,
) -> AsyncIterator[CountryClient]:
    """Connect as `country` with the nkey seed in file `creds`; `system` names the reporting system in the source.

    A region of several servers has an address for each, separated by commas; the client goes from one to the next.
    `now` gives the time of a region whose clock is played; else it is the real one. `key` is the file (PEM) of the
    Ed25519 key that signs all reports; by default `CRM_SIGNING_KEY`, else the file beside `creds` that is called the
    same and ends in `.pem`, if there is one. Over TLS (`tls://…`) it shows `certificates`; by default those beside
    `creds` (`GTM.crt`, `GTM.tls.key`, and the region's authority, `ca.crt`).

    Raises Unreachable when the region does not answer within `timeout_s`, Denied when it refuses the key.
    """
    client = Client()
    own = CountryClient(client, country, system, now, _key(key, Path(creds)))
    seed = Path(creds).read_text().strip()  # noqa: ASYNC240 - one line, once
    try:
        await asyncio.wait_for(
            client.connect(
                url.split(","),
                nkeys_seed_str=seed,
                name=f"{country}-{system}",
                error_cb=own._failed,  # noqa: SLF001 - its own
                **tls.to_nats(url, certificates or tls.beside(creds)),
                max_reconnect_attempts=-1,
                ping_interval=5,
                max_outstanding_pings=2,
                reconnect_time_wait=1,
            ),
            timeout_s,
        )
    except (NatsError, OSError, TimeoutError) as error:
        raise _unconnected(url, country, own._met or error) from None  # noqa: SLF001 - its own
    try:
        yield own
    finally:
        # Not drain(): it waits (30 s) for messages that a mailbox left in the client's queue. All that was
        # published was answered; what is on its way out are acknowledgements.
        with contextlib.suppress(NatsError, OSError, TimeoutError):
            await client.flush(timeout=1)
        await client.close()
