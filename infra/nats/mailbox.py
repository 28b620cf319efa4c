"""What MAILBOX reads: a stream made anew goes on there behind what it has delivered already.

The server tells a stream made anew from the one before (by its time of creation) and reads it from its start again;
so its source is taken away first and put back with the sequence to go on from, when the stream holds that again.
"""

import base64
import re
from typing import Any

from nats.aio.client import Client

from infra.nats.asking import ask, config, ok
from shared.flow.streams import MAILBOX, Config, stream_configs

SOURCE = re.compile(rb"Nats-Stream-Source: \S+ (\d+)")


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
    head = base64.b64decode(last.get("message", {}).get("hdrs", ""))
    sequence = SOURCE.search(head)
    return int(sequence[1]) if sequence else 0
