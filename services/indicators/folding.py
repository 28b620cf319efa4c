"""Fold some streams in a process of its own: `python -m services.indicators.folding <file> <service>=<sequence> ...`.

It folds them up to these sequences at least, tells on its standard output how many events it has folded, and leaves the
state in the file. It ends when its standard input does: then who asked for it is gone.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog
import uvloop

from services.indicators.folded.fold import Fold
from services.indicators.folded.reading import Reader, from_archive
from services.indicators.folded.state import State
from services.indicators.settings import IndicatorsSettings, current
from shared.flow import bus
from shared.service import ended

TOLD_S = 0.5
POLL_S = 0.05
STANDS_S = 20.0
"""A process that folds nothing more for so long leaves what it has."""
CANCEL_S = 5.0


async def _fold(streams: Mapping[str, int]) -> State:
    settings, fold = IndicatorsSettings(), Fold(current())
    telling = asyncio.create_task(_told(fold))
    broker = bus.broker(settings, "indicators", closing := bus.Closing())
    client = await broker.connect()
    readers: list[asyncio.Task[None]] = []
    try:
        if settings.archive:
            for service in streams:
                await from_archive(fold, settings.archive, service)
        each = [Reader(client, service, fold, settings.archive) for service in streams]
        readers = [asyncio.create_task(reader.run()) for reader in each]
        await _reached(fold.state, streams)
    finally:
        await ended([*readers, telling], CANCEL_S)
        closing.expected = True
        with contextlib.suppress(*bus.LOST):
            await broker.stop()
    return fold.state


async def _reached(state: State, streams: Mapping[str, int]) -> None:
    at, moved = -1, time.monotonic()
    while any(state.sequences.get(service, 0) < sequence for service, sequence in streams.items()):
        if (now_at := sum(state.sequences.values())) != at:
            at, moved = now_at, time.monotonic()
        elif time.monotonic() - moved > STANDS_S:
            return
        await asyncio.sleep(POLL_S)


async def _told(fold: Fold) -> None:
    while True:
        sys.stdout.write(f"folded {sum(fold.state.sequences.values())}\n")
        sys.stdout.flush()
        await asyncio.sleep(TOLD_S)


def _end_with_parent() -> None:
    """End at once when the process that asked for this is gone."""
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), lambda: os.read(sys.stdin.fileno(), 1) or os._exit(1))


def main(words: Sequence[str]) -> None:
    """Fold the streams that the words name, and leave the state in the file that the first one names."""
    file, *named = words
    streams = {service: int(sequence) for service, _, sequence in (word.partition("=") for word in named)}

    async def work() -> State:
        _end_with_parent()
        return await _fold(streams)

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    Path(file).write_bytes(uvloop.run(work()).dump())


if __name__ == "__main__":
    main(sys.argv[1:])
