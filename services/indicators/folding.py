"""Fold some streams in a process of its own: `python -m services.indicators.folding <file> <service>=<sequence> ...`.

It folds them up to these sequences at least, tells on its standard output how many events it has folded, and leaves the
state in the file. It ends when its standard input does: then who asked for it is gone.
"""

import asyncio
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

TOLD_S = 0.5
POLL_S = 0.05
STANDS_S = 20.0
"""A process that folds nothing more for so long leaves what it has."""


async def _fold(streams: Mapping[str, int]) -> State:
    settings, fold = IndicatorsSettings(), Fold(current())
    running = [asyncio.create_task(_told(fold))]
    client = await bus.broker(settings, "indicators", bus.Closing()).connect()
    if settings.archive:
        for service in streams:
            await from_archive(fold, settings.archive, service)
    each = [Reader(client, service, fold, settings.archive) for service in streams]
    running += [asyncio.create_task(reader.run()) for reader in each]
    await _reached(fold.state, streams)
    for task in running:
        task.cancel()
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


def _leave(place: Path, state: State) -> None:
    place.write_bytes(state.dump())
    os._exit(0)  # nothing is left that would have to be closed in order


def main(words: Sequence[str]) -> None:
    """Fold the streams that the words name, and leave the state in the file that the first one names."""
    place, named = Path(words[0]), words[1:]
    streams = {service: int(sequence) for service, _, sequence in (word.partition("=") for word in named)}

    async def work() -> None:
        _end_with_parent()
        state = await _fold(streams)
        _leave(place, state)

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    uvloop.run(work())


if __name__ == "__main__":
    main(sys.argv[1:])
