"""`make fuzz`: mutated reports, questions and HTTP requests through a running system, and what must hold of it after.

NUMBER (1,000,000) of them in all, at most for SECONDS (3,600); SEED draws others. Every service is ready at the end,
every durable empty, the fold at its stream's end, memory flat, no process ended, and nothing that was sent is in a log
or an answer.
"""

import asyncio
import os
import random
import time
from pathlib import Path

from tests.fuzz.edges import originals
from tests.fuzz.live import Live
from tests.fuzz.mutate import CANARY, Mutator
from tests.fuzz.requests import Caller

SEED, NUMBER, SECONDS = (
    int(os.environ.get(name) or default) for name, default in (("SEED", 1), ("NUMBER", 1_000_000), ("SECONDS", 3600))
)
REPORTS, QUESTIONS, REQUESTS = 3000, 1500, 500
"""How many of each make up a round."""
CALLED_TOGETHER = 50
WARM = 0.25
"""So much of the run passes before memory is compared: caches fill, pools open, the contracts' schemas are made."""
GROWTH, GROWTH_MB = 1.25, 40
"""Memory that a process may hold more at the end than when it was warm: what it counts, it keeps."""
NATS, NATS_MB, BLOCK_MB, COLLECTED = "nats", 80, 8, 2
"""nats-server keeps of each stream the block (8 MB at most) that is being written, and Go lets a heap double before it
collects: beside its own 80 MB that is its bound. Short runs only begin to fill the blocks, so they are held to it."""
FULL = 300_000
"""After so many messages the blocks are full: from then on nats-server must be as flat as the services."""


async def test_a_million_mutated_messages_leave_all_as_it_should_be(system):
    live, mutator = Live(system), Mutator(SEED)
    await live.start()
    caller = Caller(tuple(live.ports.values()), random.Random(SEED))
    memory, sent = [], 0
    try:
        await live.send(originals())
        began = time.monotonic()
        while not sent or (sent < NUMBER and time.monotonic() - began < SECONDS):
            await asyncio.gather(
                live.send([mutator.report() for _ in range(REPORTS)]),
                _asked(live, [mutator.question() for _ in range(QUESTIONS)]),
                caller.call(REQUESTS, CALLED_TOGETHER),
            )
            sent += REPORTS + QUESTIONS + REQUESTS
            _no_echo("a rejection", [told for told in live.told if CANARY.lower().encode() in told.lower()])
            live.told.clear()
            memory.append(live.memory())
            print(f"{sent} in {time.monotonic() - began:.0f} s; lost {len(live.lost)}; {memory[-1]}", flush=True)
        print(
            f"what became of them, SEED={SEED}: {dict(live.outcomes | caller.outcomes)}; refusals: {dict(live.codes)}"
        )
        assert not live.lost, f"{len(live.lost)} lost, the first: " + "\n".join(live.lost[:20])
        assert not caller.wrong, f"{len(caller.wrong)} answers are wrong, the first: " + "\n".join(caller.wrong[:20])
        await live.settled()
        _no_echo("the board's metrics", [CANARY] if CANARY in live.get("board", "/metrics")[1] else [])
        for file in (*Path(system.folder).glob("*.log"), system.region.nats.log):
            _no_echo(file.name, [line for line in file.read_text().splitlines() if CANARY.lower() in line.lower()])
        _flat(memory, full=sent >= FULL)
        streams = live.streams()
        assert memory[-1][NATS] <= NATS_MB + COLLECTED * BLOCK_MB * streams, f"of {streams} streams: {memory[-1]}"
    finally:
        await live.stop()


async def _asked(live, questions):
    for answer in await live.ask(questions):
        if b'"error"' in answer[:10]:
            _no_echo("an answer", [answer] if CANARY.lower().encode() in answer.lower() else [])


def _no_echo(where, found):
    assert not found, f"{where} holds what was sent: {found[:3]}"


def _flat(memory, *, full):
    warm, end = memory[int(len(memory) * WARM)], memory[-1]
    names = [name for name in end if full or name != NATS]
    grown = {name: (warm[name], end[name]) for name in names if end[name] > GROWTH * warm[name] + GROWTH_MB}
    assert not grown, f"memory in MB, when warm and at the end: {grown}"
