"""The page that says whether anything is broken."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.indicators.folded.state import State
from services.indicators.planned.plan import Plan
from services.indicators.publish import pages
from services.indicators.publish.overview import silent
from services.indicators.publish.store import Published
from services.indicators.publish.words import words
from shared.contracts import SERVICES


def status(  # noqa: PLR0913 - what the page shows
    lang: str,
    plan: Plan,
    state: State,
    now: datetime,
    *,
    ready: bool,
    faults: Sequence[str],
    streams: Mapping[str, int],
    reports: Sequence[Published] | None,
) -> str:
    """Return the page; `reports` None: they cannot be read.

    How many events a stream has is not told: the number moves with each report about a person.
    """
    said = words(lang, plan)
    uncounted = pages.uncounted(said, state)
    # A revision of an earlier quarter's may have come since: it is not the last report.
    last = max(reports or (), key=lambda one: (one.quarter, one.revision), default=None)
    heard = {
        name: max((at for (_, service), at in state.heard_openly.items() if service == name), default=None)
        for name in SERVICES
    }
    read = {name: ready or state.sequences.get(name, 0) >= streams.get(name, 0) for name in SERVICES}
    return pages.render(
        "status.html",
        lang,
        plan,
        now_text=said.moment(now),
        well=ready and not faults and not uncounted,
        ready=ready,
        faults=faults,
        uncounted=uncounted,
        services=[
            {"name": said.value("service", name), "last": said.day(heard[name]), "read": read[name]}
            for name in SERVICES
        ],
        report={"quarter": last.quarter, "name": said.quarter(last.quarter), "day": said.day(last.published)}
        if last
        else None,
        none=reports is not None and not reports,
        silent=list(silent(said, plan, state, now, public=True)),
    )
