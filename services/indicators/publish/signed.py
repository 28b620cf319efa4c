"""The checkpoints that a report rests on: of each log one that holds all rows that were folded."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from shared.record import note
from shared.record.note import NoteError

LOOKS, POLL_S = 5, 0.5
"""How often it is looked for: a log is signed every second of activity."""

Signed: TypeAlias = Callable[[str], Awaitable[str]]
"""Gives the newest checkpoint of a service's log; empty: nothing is signed, or the service is away."""


async def covering(signed: Signed, events: Mapping[str, int]) -> dict[str, str]:
    """Return of each log a checkpoint of at least so many rows, as far as one is signed within some seconds."""
    found: dict[str, str] = {}
    waiting = {service for service, last in events.items() if last}
    for look in range(LOOKS):
        await asyncio.sleep(POLL_S if look else 0)
        for service in sorted(waiting):
            text = await signed(service)
            size = _size(text)
            if size >= events[service]:
                found[service] = text
            if not text or size >= events[service]:
                waiting.discard(service)
        if not waiting:
            break
    return dict(sorted(found.items()))


def _size(text: str) -> int:
    try:
        return note.checkpoint(note.parted(text)[0]).size
    except NoteError:
        return 0
