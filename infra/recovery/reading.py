"""A stream read from end to end without a consumer: nothing is made on the server, nothing is acknowledged."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator, Callable
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from nats.aio.client import Client
from nats.errors import Error as NatsError

from shared.contracts.signing import HEADER

BATCH, BATCH_BYTES = 1000, 8 * 1024**2
"""What is asked for at once; and as much again is on its way while that is looked at."""
WAIT_S = 5.0
NO_MESSAGE, END_OF_BATCH = b"404", b"204"
VERSION, PLAIN = b"NATS/1.0", b"NATS/1.0\r\n"
STREAM, SEQUENCE, SUBJECT, SOURCE, SIGNATURE = (
    f"\r\n{name}:".encode() for name in ("Nats-Stream", "Nats-Sequence", "Nats-Subject", "Nats-Stream-Source", HEADER)
)
APPENDED = re.compile(
    rb"\r\nNats-Stream: [^\r\n]*\r\nNats-Subject: ([^\r\n]*)\r\nNats-Sequence: (\d+)"
    rb"\r\nNats-Time-Stamp: [^\r\n]*\r\nNats-Num-Pending: \d+\r\nNats-Last-Sequence: \d+\r\n\r\n"
)
"""What the server puts behind a message's own headers."""
Take: TypeAlias = Callable[[bytes, bytes], None]
"""What gets header and payload of each message that comes for a subscription."""
_takers: "WeakKeyDictionary[Client, dict[int, Take]]" = WeakKeyDictionary()


class Message(NamedTuple):
    """What a stream holds at one sequence."""

    sequence: int
    subject: str
    payload: bytes
    source: str = ""
    """Where the stream reads others: its header that says from where it is."""
    signature: str = ""
    """What its sender signed it with, where it did."""


class UnreadableError(NatsError):
    """The server does not answer in time, or refuses."""


async def messages(nc: Client, stream: str, first: int = 1, subject: str = ">") -> AsyncGenerator[Message, None]:
    """Yield what is in `stream` from sequence `first` on, of these subjects; what is not there is left out."""

    def asked(first: int) -> asyncio.Future[list[Message]]:
        wanted: dict[str, Any] = {"seq": first, "batch": BATCH, "max_bytes": BATCH_BYTES, "next_by_subj": subject}
        return asyncio.ensure_future(_batch(nc, stream, wanted))

    coming = asked(first)
    try:
        while batch := await coming:
            coming = asked(batch[-1].sequence + 1)
            for message in batch:
                yield message
    finally:
        coming.cancel()
        with contextlib.suppress(asyncio.CancelledError, NatsError, OSError):
            await coming


def message(head: bytes, payload: bytes) -> Message:
    """Return what the server says in an answer's header and payload."""
    at = head.rfind(STREAM)
    if at >= 0 and (found := APPENDED.fullmatch(head, at)):
        subject, sequence = found[1].decode(errors="replace").strip(), int(found[2])
    else:
        subject, sequence = _header(head, SUBJECT), int(_header(head, SEQUENCE))
    source = _header(head, SOURCE) if SOURCE in head else ""
    return Message(sequence, subject, payload, source, _header(head, SIGNATURE) if SIGNATURE in head else "")


async def _batch(nc: Client, stream: str, wanted: dict[str, Any]) -> list[Message]:
    inbox = nc.new_inbox()
    answers = await nc.subscribe(inbox)
    over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    batch: list[Message] = []

    def take(head: bytes, payload: bytes) -> None:
        if not head.startswith(PLAIN):
            status, _, said = head.partition(b"\r\n")[0].removeprefix(VERSION).strip().partition(b" ")
            if not over.done():
                over.set_result("" if status in {NO_MESSAGE, END_OF_BATCH} else f"{status.decode()} {said.decode()}")
            return
        batch.append(message(head, payload))

    takers = _takers_of(nc)
    takers[answers._id] = take  # noqa: SLF001 - it has no other name
    try:
        await nc.publish(f"$JS.API.DIRECT.GET.{stream}", json.dumps(wanted).encode(), reply=inbox)
        had = -1
        while not over.done():
            if had == len(batch):
                raise UnreadableError(f"{stream} does not answer")
            had = len(batch)
            await asyncio.wait([over], timeout=WAIT_S)
        if said := over.result():
            raise UnreadableError(f"{stream}: {said}")
        return batch
    finally:
        del takers[answers._id]  # noqa: SLF001 - as above
        await answers.unsubscribe()


def _takers_of(nc: Client) -> dict[int, Take]:
    """Return who takes a connection's messages, by subscription, as they come from the server.

    The client's own way takes each message's header apart, and wakes a task for it: ten times the work.
    """
    if nc in _takers:
        return _takers[nc]
    takers = _takers[nc] = {}
    usual = nc._process_msg  # noqa: SLF001 - there is no public place before the header is taken apart

    async def process(sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        if take := takers.get(sid):
            take(bytes(headers or b""), bytes(data))
        else:
            await usual(sid, subject, reply, data, headers)

    nc._process_msg = process  # type: ignore[method-assign] # noqa: SLF001 - as above
    return takers


def _header(head: bytes, begin: bytes) -> str:
    """Return a header; of several of a name the last, which is the server's own. Empty: there is none."""
    at = head.rfind(begin) + len(begin)
    return head[at : head.index(b"\r\n", at)].strip().decode(errors="replace") if at >= len(begin) else ""
