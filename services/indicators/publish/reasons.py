"""The page with what is behind a figure: how many reports, by country and month."""

from datetime import date
from typing import Any

from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Row
from services.indicators.publish.explaining import EventCount, Explained, about_persons
from services.indicators.publish.pages import render
from services.indicators.publish.words import Words, words


def page(lang: str, plan: Plan, row: Row, found: Explained, as_of: date | None) -> str:
    """Return the page."""
    said = words(lang, plan)
    return render(
        "behind.html",
        lang,
        plan,
        row={"id": row.id, "title": said.title(row.title)},
        as_of=as_of or "",
        day=said.day(found.as_of),
        made_of=[{"id": one, "name": said.called("", one) or one, "page": one in plan.rows} for one in found.made_of],
        guarded=about_persons(row),
        archived=bool(found.archived),
        complete=found.complete,
        counts=[_count(said, one) for one in found.counts],
    )


def _count(said: Words, one: EventCount) -> dict[str, Any]:
    numbers = {act: said.number(getattr(one, act)) for act in ("reported", "corrected", "retracted")}
    if one.suppressed:
        numbers["reported"] = "·"
    kind = one.type.removeprefix("crm.").rpartition(".")[0]
    told = {"type": kind, "name": said.event(kind)}
    return numbers | told | {"country": said.country(one.country), "month": said.months(one.month)}
