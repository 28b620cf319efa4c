"""Start the victims service: `python -m services.victims`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.victims import judgements, keys, questions, receipts
from services.victims.forgetting import Forgetting
from shared.running import Running
from shared.service import Service, run


@asynccontextmanager
async def receiving(running: Running) -> AsyncIterator[None]:
    """Look for what the countries acknowledge in their mailboxes, and for whom to forget, for the duration."""
    running.tasks["receipt"] = lambda: receipts.sweep(running.log, running.client)
    running.tasks["forgetting"] = Forgetting(running.pool).run
    yield


SERVICE = Service(
    name=judgements.SERVICE,
    folder=Path(__file__).parent,
    judgements=judgements.JUDGEMENTS,
    questions=questions.QUESTIONS,
    settings=keys.VictimsSettings,
    faults=keys.faults,
    store=keys.store,
    extend=receiving,
)

if __name__ == "__main__":
    run(SERVICE)
