"""A country's page: what it reported and how timely, its public figures, what waits for it, and what is due next."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.indicators.figures.figures import Figures
from services.indicators.figures.milestones import Occurrence, occurrences
from services.indicators.figures.timeliness import delays
from services.indicators.folded.state import State
from services.indicators.planned.plan import Plan
from services.indicators.publish import pages
from services.indicators.publish.commitments import Commitment
from services.indicators.publish.overview import dated, silent
from services.indicators.publish.waiting import Offer, Refusal, Told, Waits
from services.indicators.publish.words import Words, words
from shared.contracts import SERVICES

OURS = "indicators"
"""Only bodies report to it: a country that never did is not late."""
CELLS_MAX = 6
"""Of a row with more figures of the country than these, the page says how many and where they are."""


def country(  # noqa: PLR0913 - what the page shows
    lang: str,
    plan: Plan,
    state: State,
    now: datetime,
    *,
    found: Mapping[str, Figures],
    code: str,
    closed: date | None,
    owed: Sequence[Commitment] = (),
    own: bool = False,
    waits: Waits | None = None,
) -> str:
    """Return the page of a member country, of the figures that are published.

    `owed`: all commitments; `own`: the country itself asks, and reads what its own are called; `waits`: what else waits
    for it, which only it is told.
    """
    said = words(lang, plan)
    asked = [one for one in found.values() if one.coverage is not None]
    told = sum(any(cell.country == code for cell in one.cells) for one in asked)
    heard = [at for (who, _), at in state.heard_openly.items() if who == code]
    mine = [one for one in occurrences(plan, state, public=True) if code in one.milestone.parts and not one.withheld]
    waiting = [one for one in mine if code in one.missing]
    late = [one for one in waiting if one.due and one.due < now]
    return pages.render(
        "country.html",
        lang,
        plan,
        name=said.country(code),
        now_text=said.moment(now),
        last=said.day(max(heard, default=None)),
        silent=next((one for one in silent(said, plan, state, now, public=True) if one["code"] == code), None),
        told=said.number(told),
        asked=said.number(len(asked)),
        overdue=[dated(said, one, now) for one in sorted(late, key=lambda one: one.due or now)],
        upcoming=[_ahead(said, one, now) for one in sorted(waiting, key=_when) if one not in late],
        own=own,
        unread=own and waits is None,
        offers=[_offer(said, one, now) for one in waits.offers] if waits else [],
        refused=[_refusal(said, one) for one in waits.refused] if waits else [],
        notices=[_notice(said, plan, one, now) for one in waits.notices] if waits else [],
        owed=[_owed(said, one, now, own=own) for one in owed if one.country == code and not one.kept],
        done=[
            {"title": said.title(one.milestone.title), "day": said.day(one.due)} for one in mine if one not in waiting
        ],
        services=list(_services(said, plan, state, code, closed)),
        areas=list(_areas(said, plan, found, code)),
        lacks=[{"id": one.row.id, "title": said.title(one.row.title)} for one in found.values() if code in one.missing],
    )


def _when(one: Occurrence) -> tuple[bool, float]:
    """Return by what due dates are sorted: those without a day last."""
    return one.due is None, one.due.timestamp() if one.due else 0.0


def _ahead(said: Words, one: Occurrence, now: datetime) -> dict[str, Any]:
    title = said.title(one.milestone.title)
    return dated(said, one, now) if one.due else {"title": title, "days": said.text["open_due"], "day": ""}


def _owed(said: Words, one: Commitment, now: datetime, *, own: bool) -> dict[str, Any]:
    late = one.how(now) == "overdue"
    days = abs((one.due.date() - now.date()).days)
    return {
        "days": said.counted("days_late" if late else "days_left", days),
        "late": late,
        "due": said.day(one.due),
        "agreed": said.day(one.agreed),
        "id": one.id if own else "",
    }


def _offer(said: Words, one: Offer, now: datetime) -> dict[str, Any]:
    late = one.due < now
    hours = round(abs((one.due - now).total_seconds()) / 3600)
    return {
        "id": one.referral,
        "sender": said.country(one.sender),
        "late": late,
        "due": said.moment(one.due),
        "when": said.text["late_by" if late else "time_left"].format(time=said.duration(3600.0 * max(1, hours))),
    }


def _refusal(said: Words, one: Refusal) -> dict[str, Any]:
    name = one.type.removeprefix("crm.").rpartition(".v")[0]
    why = [(where, code, said.refusals.get(code, ""), told) for where, code, told in one.problems]
    return {"id": one.report, "name": name, "title": said.event(name), "at": said.moment(one.at), "why": why}


TARGET = "target_crossed"
CROSSED = {"reached": "news_won", "lost": "news_lost"}
"""Why a target's notice was given -> its words."""


def _notice(said: Words, plan: Plan, one: Told, now: datetime) -> dict[str, Any]:
    late = one.due is not None and one.due < now
    days = abs((one.due.date() - now.date()).days) if one.due else 0
    row = plan.rows.get(one.entity) if one.kind == TARGET else None
    crossed = CROSSED.get(one.reason, "") if one.kind == TARGET else ""
    return {
        "row": said.title(row.title) if row else "",
        "title": said.text.get(crossed, "") or said.called("notice", one.kind) or said.text["own_notice"],
        "at": said.day(one.at),
        "due": said.text["due_was" if late else "due_on"].format(day=said.day(one.due)) if one.due else "",
        "left": said.counted("days_left", days) if one.due and not late else "",
        "entity": one.entity,
        "country": said.country(one.country) if one.country else "",
    }


def _services(said: Words, plan: Plan, state: State, code: str, closed: date | None) -> Iterator[dict[str, str]]:
    """Yield for each service when it last heard of the country, and within what time half of the reports came."""
    held = {one.service: one.buckets for one in delays(state, plan.disclosure, closed) if one.country == code}
    for service in (one for one in SERVICES if (code, one) in state.heard_openly or one != OURS):
        yield {
            "name": said.value("service", service),
            "last": said.day(state.heard_openly.get((code, service))),
            "timely": _timely(said, held.get(service, [])),
        }


def _timely(said: Words, buckets: list[tuple[str, int]]) -> str:
    whole = buckets[-1][1] if buckets else 0
    if not whole:
        return "—"
    bound = next(bound for bound, n in buckets if 2 * n >= whole)
    return said.text["longer"] if bound == "+Inf" else said.text["half_within"].format(time=said.duration(float(bound)))


def _areas(said: Words, plan: Plan, found: Mapping[str, Figures], code: str) -> Iterator[dict[str, Any]]:
    for area in plan.areas:
        mine = (one for name, one in found.items() if name.partition("-")[0] == area.id)
        rows = [row for one in mine if (row := _row(said, one, code))]
        if rows:
            yield {"id": area.id, "title": said.title(area.title), "rows": rows}


def _row(said: Words, one: Figures, code: str) -> dict[str, Any] | None:
    cells = [cell for cell in one.cells if cell.country == code]
    few = len(cells) <= CELLS_MAX
    return (
        {
            "id": one.row.id,
            "title": said.title(one.row.title),
            "cells": [pages.labelled(said, one.row, cell) for cell in cells] if few else [],
            "many": "" if few else said.counted("country_many", len(cells)),
        }
        if cells
        else None
    )
