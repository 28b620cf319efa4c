"""Milestones reached and missed become events of their own, once each, whichever replica finds out."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import structlog

from services.indicators.feed import Feed
from services.indicators.milestones import Announcement, announcements
from services.indicators.plan import Plan
from services.indicators.rules import SERVICE
from services.indicators.store import load_announced
from shared import database
from shared.contracts import Event, of
from shared.contracts.indicators import MilestoneMissed, MilestoneReached
from shared.log import Draft, Log
from shared.rules import derived_id, source

log = structlog.get_logger()

POLL_S = 0.5
SETTLED_S = 2.0
"""Real seconds that reports get to arrive before a date counts as missed; it matters when plan time runs fast."""


async def announce(own: Log, feed: Feed, plan: Plan) -> None:
    """Record what the fold shows to be reached or missed, for ever."""
    announced: set[tuple[str, str]] | None = None
    while True:
        await asyncio.sleep(POLL_S)
        if not feed.caught_up:
            continue
        now = own.clock.now()
        try:
            if announced is None:
                announced = await load_announced(own.pool)
            settled = now - timedelta(seconds=SETTLED_S * own.clock.speed)
            found = announcements(plan, feed.state, settled, announced)
            await own.record([Draft(_event(one, now)) for one in found])
        except database.LOST as error:
            log.warning("announcements wait", error=type(error).__name__)
        else:
            announced |= {(one.verb, one.key) for one in found}


def _event(one: Announcement, now: datetime) -> Event[Any]:
    """Return the event of an announcement; its id is that of the milestone's date, so that it is recorded once."""
    data: MilestoneReached | MilestoneMissed
    if one.verb == "reached":
        assert one.reached is not None
        data = MilestoneReached(milestone=one.key, reached=one.reached, late_s=one.late_s, due=one.due)
    else:
        assert one.due is not None
        data = MilestoneMissed(milestone=one.key, due=one.due)
    event_id = derived_id("milestone", one.verb, one.key)
    return Event(
        specversion="1.0",
        id=event_id,
        source=source(SERVICE),
        type=of(type(data), SERVICE).type,
        time=one.reached or one.due or now,
        country="REG",
        data=data,
        recordedtime=now,
        subject=one.key,
        datacontenttype="application/json",
        correlationid=event_id,
    )
