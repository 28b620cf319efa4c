"""What MAILBOX reads: a stream made anew goes on there behind what it has delivered already.

The server tells a stream made anew from the one before (by its time of creation) and reads it from its start again;
so its source is taken away first and put back with the sequence to go on from, when the stream holds that again.

A message that was damaged before MAILBOX read it is a hole there, with later messages behind it: it is filled.
"""

import asyncio
import base64
import re
from typing import Any

import msgspec
from msgspec import Struct
from nats.aio.client import Client

from infra.nats.asking import ProvisionError, ask, config, ok
from shared.flow.streams import MAILBOX, MENDED, Config, stream_configs

FILLED_S = 10.0
"""So long a message may take into MAILBOX; it takes some milliseconds."""
POLL_S = 0.02
SOURCE = re.compile(rb"Nats-Stream-Source: ([^\r\n]*)")


class _Sequenced(Struct):
    """Where an event stands in its own stream, as it says itself."""

    sequence: int


_sequenced = msgspec.json.Decoder(_Sequenced)


def origin(header: str, payload: bytes) -> int:
    """Return the sequence that a message of MAILBOX has in its own stream; 0: nothing says it.

    `header` is its `Nats-Stream-Source`: "<stream> <sequence there> …". What MAILBOX was filled with (`fill`) names the
    passing stream there; the event itself says where it belongs.
    """
    stream, _, rest = header.partition(" ")
    if stream.startswith(MENDED):
        return _sequenced.decode(payload).sequence
    return int(found[1]) if (found := re.match(r"(\d+)", rest)) else 0


async def detach(nc: Client, stream: str) -> bool:
    """Have MAILBOX no longer read `stream`; return whether it did."""
    found = await config(nc, f"STREAM.INFO.{MAILBOX}")
    kept = [source for source in (found or {}).get("sources", []) if source["name"] != stream]
    if found is None or len(kept) == len(found.get("sources", [])):
        return False
    ok(f"stream {MAILBOX}", await ask(nc, f"STREAM.UPDATE.{MAILBOX}", {**found, "sources": kept}))
    return True


async def sources(nc: Client, wanted: Config, found: Config) -> list[dict[str, Any]]:
    """Return the wanted sources, each as it is or from where it goes on; without those not filled again yet."""
    present = {source["name"]: source for source in found.get("sources", [])}
    result = []
    for source in wanted["sources"]:
        name = source["name"]
        read = 0 if name in present else await delivered(nc, name)
        if name in present or not read:
            result.append(present.get(name, source))
        elif (await ask(nc, f"STREAM.INFO.{name}"))["state"]["last_seq"] >= read:
            result.append({**source, "opt_start_seq": read + 1})
    return result


async def delivered(nc: Client, stream: str) -> int:
    """Return the last sequence of `stream` that is in MAILBOX; 0: none."""
    (subject,) = stream_configs()[stream]["subjects"]
    last = await ask(nc, f"STREAM.MSG.GET.{MAILBOX}", {"last_by_subj": subject})
    message = last.get("message", {})
    head = SOURCE.search(base64.b64decode(message.get("hdrs", "")))
    return origin(head[1].decode(), base64.b64decode(message.get("data", ""))) if head else 0


async def fill(nc: Client, stream: str, sequence: int) -> None:
    """Bring the message at `sequence` of `stream` into MAILBOX, which lacks it; ProvisionError where it does not come.

    MAILBOX takes messages of streams only. So a stream of this one message is made, read, and taken away again.
    """
    held = await ask(nc, f"STREAM.MSG.GET.{stream}", {"seq": sequence})
    ok(f"{stream} {sequence}", held)
    subject, payload = held["message"]["subject"], base64.b64decode(held["message"]["data"])
    one = {"name": stream, "opt_start_seq": sequence, "filter_subject": subject}
    await _take_away(nc)  # what a run that was cut short left
    found = await config(nc, f"STREAM.INFO.{MAILBOX}") or {}
    begun = (await ask(nc, f"STREAM.INFO.{MAILBOX}"))["state"]["last_seq"] + 1
    try:
        passing = {"name": MENDED, "storage": "memory", "max_msgs": 1, "discard": "new", "sources": [one]}
        ok(f"stream {MENDED}", await ask(nc, f"STREAM.CREATE.{MENDED}", passing))
        read = {**found, "sources": [*found.get("sources", []), {"name": MENDED}]}
        ok(f"stream {MAILBOX}", await ask(nc, f"STREAM.UPDATE.{MAILBOX}", read))
        async with asyncio.timeout(FILLED_S):
            while not await _has(nc, subject, payload, begun):  # noqa: ASYNC110 - it is the server that is asked
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise ProvisionError(f"{MAILBOX} does not take {stream} {sequence}: run `crm restore` again") from None
    finally:
        await _take_away(nc)


async def _has(nc: Client, subject: str, payload: bytes, begun: int) -> bool:
    """Return whether MAILBOX has the message among what came from `begun` on."""
    while True:
        found = await ask(nc, f"STREAM.MSG.GET.{MAILBOX}", {"seq": begun, "next_by_subj": subject})
        if "message" not in found:
            return False
        if base64.b64decode(found["message"]["data"]) == payload:
            return True
        begun = found["message"]["seq"] + 1


async def _take_away(nc: Client) -> None:
    await detach(nc, MENDED)
    await ask(nc, f"STREAM.DELETE.{MENDED}")
