"""Start the indicators service: `python -m services.indicators`."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import structlog

from services.indicators import judgements
from services.indicators.folded.apart import Apart
from services.indicators.folded.feed import Feed
from services.indicators.planned.plan import FOLDER, PlanError
from services.indicators.publish import store
from services.indicators.publish.addresses import logs
from services.indicators.publish.announce import announce, purged, rebuilt
from services.indicators.publish.app import app
from services.indicators.publish.auditing import Audit
from services.indicators.publish.recalling import Recall
from services.indicators.publish.view import View
from services.indicators.servers import Servers
from services.indicators.settings import IndicatorsSettings, current, worked
from shared.run import telemetry, web
from shared.run.settings import EXIT_MISCONFIGURED, configured
from shared.running import Running
from shared.service import Service, run


@asynccontextmanager
async def folding(running: Running) -> AsyncIterator[None]:
    """Fold the streams, announce milestones and serve the board for the duration."""
    settings = running.settings
    assert isinstance(settings, IndicatorsSettings)
    plan = current()
    feed = Feed(running.client, running.pool, plan, Apart(plan, {}, settings.archive), running.clock)
    await feed.start()
    running.checks.append(feed.faults)
    audit = Audit(running.log)
    view = View(
        plan=plan,
        examples=worked(),
        state=lambda: feed.state,
        streams=lambda: feed.streams,
        now=running.clock.now,
        ready=lambda: feed.caught_up,
        settled=lambda: feed.caught_up,
        faults=feed.faults,
        recall=Recall(running.client),
        ask=logs.asking(running.client),
        played=running.clock.played,
        token=settings.token,
        report=store.answering(partial(store.load_report, running.pool)),
        reports=store.answering(partial(store.load_revisions, running.pool)),
        seats=store.answering(partial(store.load_seats, running.pool)),
        folded=store.answering(partial(store.load_folded, running.pool)),
        rebuild=partial(rebuilt, running.log, feed),
        purged=partial(purged, running.log),
        audit=audit,
        noted=audit.beside,
    )
    servers = Servers(running.client, running.pool, settings.nats_monitor_url, settings.upkeep)
    running.tasks |= {"figures": view.keep, "watchers": view.live.turns, "servers": servers.run}
    running.tasks["announcements"] = lambda: announce(
        running.log, feed, plan, view.kept[False], running.steady, logs.signed(running.client)
    )
    try:
        hosts = [name.strip() for name in settings.http_hosts.split(",")]
        where, secured = (settings.http_host, settings.http_port), running.certificates
        async with web.served(app(view), *where, hosts, certificates=secured, anybody=True):
            yield
    finally:
        await feed.stop()


SERVICE = Service(
    name=judgements.SERVICE,
    folder=Path(__file__).parent,
    judgements=judgements.JUDGEMENTS,
    settings=IndicatorsSettings,
    data={"CRM_PLAN_FOLDER": FOLDER},
    extend=folding,
)


def main() -> None:
    """Run the service; a plan that cannot be used is told with all its faults, and starts nothing (exit code 78)."""
    own = configured(IndicatorsSettings)
    try:
        current()
        worked()
    except PlanError as error:
        telemetry.configure(judgements.SERVICE, own.log_level)
        faults = [msgspec.to_builtins(fault) for fault in error.faults]
        structlog.get_logger().critical("the plan cannot be used; stopping", faults=faults)
        sys.exit(EXIT_MISCONFIGURED)
    run(SERVICE)


if __name__ == "__main__":
    main()
