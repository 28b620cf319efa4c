"""Each field's edge values, made from the schemas, through a running system: recorded or refused, and all stands.

Here a sample that has every type in it (`SEED=` draws another); all of them: `make test-edges`.
"""

import os
import random

import pytest

from tests.fuzz.edges import every_question, every_report, originals
from tests.fuzz.live import ROUND, Live

pytestmark = pytest.mark.long

SEED, EVERY = int(os.environ.get("SEED", "10")), int(os.environ.get("EVERY", "400"))
"""One value in so many is sent, of every type; 1: all."""


async def test_every_edge_value_is_recorded_or_refused_and_every_reader_is_at_its_end(system):
    chance = random.Random(SEED)
    reports = list(every_report(EVERY, chance))
    chance.shuffle(reports)
    questions = list(every_question())
    live = Live(system)
    await live.start()
    try:
        await live.send(originals())
        print(f"{dict(live.outcomes)} originals, refusals by code: {dict(live.codes)}")
        for start in range(0, len(reports), ROUND):
            await live.send(reports[start : start + ROUND])
        await live.ask(chance.sample(questions, len(questions) // min(EVERY, 20)))
        print(f"{len(reports)} values of reports, SEED={SEED}; what became of all messages: {dict(live.outcomes)}")
        print(f"refusals by code: {dict(live.codes)}")
        print(f"the slowest verdict came {live.slowest_s:.1f} s after its round was sent; memory, MB: {live.memory()}")
        assert not live.lost, f"{len(live.lost)} lost, the first: " + "\n".join(live.lost[:20])
        await live.settled()
    finally:
        await live.stop()
