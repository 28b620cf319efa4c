"""A stream read from end to end without a consumer: nothing is made on the server, nothing is acknowledged."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from nats.aio.client import Client
from nats.errors import Error as NatsError

from shared.contracts.signing import HEADER

BATCH = 1000
WAIT_S = 5.0
NO_MESSAGE, END_OF_BATCH = b"404", b"204"
VERSION = b"NATS/1.0"
SEQUENCE, SUBJECT, SOURCE, SIGNATURE = (
    f"\r\n{name}:".encode() for name in ("Nats-Sequence", "Nats-Subject", "Nats-Stream-Source", HEADER)
)
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


async def messages(nc: Client, stream: str, first: int = 1, subject: str = ">") -> AsyncIterator[Message]:
    """Yield what is in `stream` from sequence `first` on, of these subjects; what is not there is left out."""
    while True:
        batch = await _batch(nc, stream, {"seq": first, "batch": BATCH, "next_by_subj": subject})
        for message in batch:
            yield message
        if not batch:
            return
        first = batch[-1].sequence + 1


async def _batch(nc: Client, stream: str, wanted: dict[str, Any]) -> list[Message]:
    inbox = nc.new_inbox()
    answers = await nc.subscribe(inbox)
    over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    batch: list[Message] = []

    def take(head: bytes, payload: bytes) -> None:
        status, _, said = head.partition(b"\r\n")[0].removeprefix(VERSION).strip().partition(b" ")
        if status:
            if not over.done():
                over.set_result("" if status in {NO_MESSAGE, END_OF_BATCH} else f"{status.decode()} {said.decode()}")
            return
        sequence, subject = int(_header(head, SEQUENCE)), _header(head, SUBJECT)
        batch.append(Message(sequence, subject, payload, _header(head, SOURCE), _header(head, SIGNATURE)))

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
