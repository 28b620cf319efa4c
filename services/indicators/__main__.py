"""Start the indicators service: `python -m services.indicators`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.indicators import board, rules
from services.indicators.announce import announce
from services.indicators.feed import Feed
from services.indicators.plan import FOLDER, load
from shared.ops import http
from shared.service import Running, Service, run
from shared.settings import Settings


class IndicatorsSettings(Settings):
    """What only indicators needs to know."""

    http_host: str = "127.0.0.1"
    http_port: int = 8080
    operator_token: str = ""
    """Whoever shows it sees exact figures; empty: nobody does."""
    plan_folder: Path = FOLDER


@asynccontextmanager
async def folding(running: Running) -> AsyncIterator[None]:
    """Fold the streams, announce milestones and serve the board for the duration."""
    settings = running.settings
    assert isinstance(settings, IndicatorsSettings)
    plan = load(settings.plan_folder)
    feed = Feed(running.client, running.pool, plan)
    await feed.start()
    running.tasks.append(lambda: announce(running.log, feed, plan))
    view = board.View(
        plan=plan,
        state=lambda: feed.state,
        streams=lambda: feed.streams,
        now=running.clock.now,
        ready=lambda: feed.caught_up,
        played=running.clock.speed != 1,
        token=settings.operator_token,
    )
    try:
        async with http(board.app(view), settings.http_host, settings.http_port):
            yield
    finally:
        await feed.stop()


SERVICE = Service(
    name=rules.SERVICE,
    folder=Path(__file__).parent,
    rules=rules.RULES,
    settings=IndicatorsSettings,
    extend=folding,
)

if __name__ == "__main__":
    run(SERVICE)
