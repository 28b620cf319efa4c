"""What the pages show: figures, milestones and activity put into words of one language."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from services.indicators.figures.cells import Cell
from services.indicators.figures.figures import Figures
from services.indicators.figures.milestones import Occurrence, Standing, occurrences
from services.indicators.figures.suppression import rounded
from services.indicators.folded.state import State
from services.indicators.planned.checks import COMPOSED
from services.indicators.planned.persons import row_about_persons
from services.indicators.planned.plan import Plan
from services.indicators.publish.coverage import in_order
from services.indicators.publish.overview import Overview, Seen
from services.indicators.publish.reports import MilestoneReport
from services.indicators.publish.words import LANGUAGES, SHARE, TIME, Measured, Words, words
from shared.contracts import SERVICES, registry
from shared.contracts.vocabulary import MEMBERS, REGION

VERSION = "0.1.0"
NUMBERED = {"count", "current"}
"""The kinds of rows whose reserved figure is told as a range of numbers; of the others only that it is reserved."""
CELLS_OPEN = 40
"""A table of more cells than these is shown where it is asked for."""
_HERE = Path(__file__).parents[1]
_templates = jinja2.Environment(loader=jinja2.FileSystemLoader(_HERE / "templates"), autoescape=True)


def render(template: str, lang: str, plan: Plan, **content: Any) -> str:
    """Return a page."""
    said = words(lang, plan)
    frame = {"lang": lang, "languages": LANGUAGES, "text": said.text, "title": said.title(plan.title)}
    frame |= {"rule": _rule(said, plan)}
    return _templates.get_template(template).render(**frame, members=len(MEMBERS), version=VERSION, **content)


def picture(template: str, **content: Any) -> str:
    """Return a picture that has no words."""
    return _templates.get_template(template).render(**content)


def _rule(said: Words, plan: Plan) -> dict[str, str]:
    """Return what is said of the rule about persons."""
    rule, few = plan.disclosure, unpublished(said, plan, "count")
    closed = said.text[f"closed_{rule.period}"]
    why = said.text["hidden_why"].format(closed=closed, k=rule.k, base=rule.base, few=few)
    return {"why": why, "unlisted": said.text["not_listed"].format(few=few)}


def unpublished(said: Words, plan: Plan, kind: str) -> str:
    """Return what stands in place of a figure about persons: of a number of persons, between what it may be."""
    if kind not in NUMBERED:
        return said.text["not_published"]
    return said.text["few"].format(most=plan.disclosure.k - 1)


def scoreboard(  # noqa: PLR0913 - what the page shows
    lang: str,
    plan: Plan,
    state: State,
    now: datetime,
    *,
    rows: Mapping[str, str],
    seen: Seen,
    events: str,
    played: bool = False,
    sorted_by: str | None = None,
    **more: Any,
) -> str:
    """Return the page with the first screen, rows, the milestones and who has been heard of.

    `events`: where it hears of changes; `more`: what was asked for.
    """
    said = words(lang, plan)
    areas = []
    for area in plan.areas:
        mine = [Markup(text) for name, text in rows.items() if name.partition("-")[0] == area.id]  # noqa: S704 - our own
        areas.append(({"id": area.id, "title": said.title(area.title)}, mine))
    if sorted_by:
        areas = [({"id": "", "title": said.text["rows"]}, [Markup(text) for text in rows.values()])]  # noqa: S704 - our own
    return render(
        "scoreboard.html",
        lang,
        plan,
        lead=said.title(plan.lead) if plan.lead else said.text["lead"],
        played=(said.title(plan.played) if plan.played else said.text["played"]) if played else "",
        areas=areas,
        events=events,
        parts={name: Markup(text) for name, text in parts(lang, plan, state, now, seen)},  # noqa: S704 - our own
        **more,
    )


def wall(  # noqa: PLR0913 - what the page shows
    lang: str, plan: Plan, state: State, now: datetime, *, seen: Seen, events: str
) -> str:
    """Return the first screen for a wall."""
    shown = {name: Markup(text) for name, text in parts(lang, plan, state, now, seen)}  # noqa: S704 - our own
    return render("wall.html", lang, plan, parts=shown, events=events)


def row(lang: str, plan: Plan, one: Figures) -> str:
    """Return a row of the scoreboard."""
    return render("row.html", lang, plan, row=summary(words(lang, plan), plan, one))


def parts(lang: str, plan: Plan, state: State, now: datetime, seen: Seen) -> Iterator[tuple[str, str]]:
    """Yield what else changes on the scoreboard: the id of an element, and the element."""
    said = words(lang, plan)
    yield "uncounted", render("uncounted.html", lang, plan, uncounted=uncounted(said, state))
    yield "clock", render("clock.html", lang, plan, now=now, now_text=said.moment(now))
    for name, shown in Overview(said, plan, state, now, seen).parts():
        yield name, render(f"{name}.html", lang, plan, **shown)
    due = list(milestones(said, plan, occurrences(plan, state, public=seen.public), now))
    yield "part-milestones", render("milestones.html", lang, plan, milestones=due)
    services, activity = (
        [said.value("service", service) for service in SERVICES],
        list(_activity(said, state.heard_openly if seen.public else state.heard)),
    )
    yield "part-activity", render("activity.html", lang, plan, services=services, activity=activity)


def uncounted(said: Words, state: State) -> str:
    """Say how many events no figure has, as numbers about persons are told; empty: none, or few."""
    (number,) = rounded((state.uncounted,))
    return said.counted("uncounted", number) if number else ""


def summary(said: Words, plan: Plan, one: Figures) -> dict[str, Any]:
    """Return a row in one line."""
    row, headline = one.row, one.headline
    hidden = headline is not None and headline.suppressed
    target = said.figure(row, row.target, short=True)
    return {
        "id": row.id,
        "further": bool(row.belongs),
        "title": said.title(row.title),
        "words": said.own(row.words),
        "responsible": said.own(row.responsible),
        "deadline": said.own(row.deadline),
        "value": unpublished(said, plan, row.kind)
        if hidden
        else said.figure(row, headline.value if headline else None),
        "unit": ""
        if (hidden and row.kind not in NUMBERED) or headline is None or headline.value is None
        else said.unit(row.unit, headline.value if headline else None),
        "spark": row.kind not in COMPOSED,
        "target": "—" if row.target is None else said.text[row.direction].format(n=target),
        "standing": standing(one),
        "reporting": reporting(one.coverage),
        "unknown": why(said, standing(one), one.unknown, one.missing, headline.value if headline else None),
        "parts": said.parts(one.parts),
        "suppressed": said.counted("hidden", one.suppressed) if one.suppressed else "",
        "guarded": row_about_persons(row),
    }


def standing(one: Figures) -> str:
    """Say in one of the words of `text` how a row stands against its target."""
    if one.headline is not None and one.headline.suppressed:
        return "not_published"
    if one.headline is None or one.headline.value is None:
        return "no_data"
    if one.met is None:
        return "no_target" if one.row.target is None else "not_known"
    return "met" if one.met else "not_met"


def why(said: Words, standing: str, reason: str, missing: list[str], value: float | None) -> str:
    """Say beside a verdict why it is not known; nothing where it says so itself."""
    return "" if standing == reason == "no_data" and not missing else said.unknown(reason, missing, value)


def reporting(coverage: float | None) -> str:
    """Return how many countries of all stand behind a figure; a dash where countries do not report it."""
    return "—" if coverage is None else f"{round(coverage * len(MEMBERS))} / {len(MEMBERS)}"


def milestones(said: Words, plan: Plan, due: list[Occurrence], now: datetime) -> Iterator[dict[str, Any]]:
    """Yield each milestone in one line."""
    for milestone in plan.milestones.values():
        times = [one for one in due if one.milestone is milestone]
        # A recurring milestone stands as its latest due date does; before the first one, as that.
        past = [one for one in times if one.due and one.due < now]
        shown = past[-1] if past else times[0]
        standings: list[Standing] = [one.standing(now) for one in times]
        met = sum(standing in ("reached", "late") for standing in standings)
        recurring = milestone.recurring is not None
        yield {
            "id": milestone.id,
            "title": said.title(milestone.title),
            "due": said.day(shown.due),
            "reached": said.day(shown.reached),
            "standing": shown.standing(now),
            "missing": missing(said, shown),
            "times": f"{met} {said.text['occurrences'].format(n=len(times))}" if recurring else "",
            "days": [
                {"due": said.day(one.due), "standing": standing} for one, standing in zip(times, standings, strict=True)
            ],
        }


def missing(said: Words, one: Occurrence | MilestoneReport) -> str:
    """Say how many are done, and who is missing, by name."""
    names = [said.value("", name) for name in one.missing]
    told = said.counted("done_of", len(names))
    return told.format(done=one.done, needed=one.needed, names=", ".join(names)) if names else ""


def _activity(said: Words, heard: Mapping[tuple[str, str], datetime]) -> Iterator[tuple[str, list[str]]]:
    for country in said.by_name(MEMBERS):
        yield said.country(country), [said.day(heard.get((country, service))) for service in SERVICES]


def indicator(lang: str, plan: Plan, state: State, one: Figures, as_of: date | None, **more: Any) -> str:
    """Return the page of one row; `more`: its place in the Plan, and how it is computed."""
    said = words(lang, plan)
    # Not every label of the row is one of its cells: the values of some are what is counted.
    names = [*dict.fromkeys(name for cell in one.cells for name in cell.labels)]
    return render(
        "indicator.html",
        lang,
        plan,
        row=summary(said, plan, one),
        uncounted=uncounted(said, state),
        as_of=as_of or "",
        as_of_past=as_of is not None and as_of <= one.day,
        permalink=f"/indicators/{one.row.id}?lang={lang}&as_of={one.day}",
        cells_open=len(one.cells) <= CELLS_OPEN,
        counted=said.counted("cells_counted", len(one.cells)),
        belongs=one.row.belongs,
        compared=_compared(said, one),
        silent=said.countries(one.silent),
        day=said.day(one.day),
        labels=[said.labels.get(name, name) for name in names],
        cells=[_cell(said, plan, one, cell, names) for cell in _ordered(one)],
        fractions=any(cell.denominator is not None for cell in one.cells),
        histograms=[
            {
                "country": said.country(held.country),
                "buckets": [(_up_to(said, le), said.number(n)) for le, n in held.buckets],
                "sum": said.duration(held.sum_s),
            }
            for held in one.histograms
        ],
        **more,
    )


def _ordered(one: Figures) -> list[Cell]:
    """Return a row's cells by country, the region first, and then by the order of their labels' values."""
    told: dict[str, set[str]] = {}
    for cell in one.cells:
        for label, value in cell.labels.items():
            told.setdefault(label, set()).add(value)
    places = {
        label: {value: n for n, value in enumerate(in_order(one.row, label, values))} for label, values in told.items()
    }
    countries = [REGION, *dict.fromkeys(cell.country for cell in one.cells)]

    def place(cell: Cell) -> tuple[int, list[int]]:
        return countries.index(cell.country), [places[label][value] for label, value in cell.labels.items()]

    return sorted(one.cells, key=place)


def labelled(said: Words, row: Measured, cell: Cell) -> dict[str, str]:
    """Return a country's figure in one line: what it is of, and how much."""
    value, unit = (said.text["not_published"], "") if cell.suppressed else said.of_country(row, cell.value)
    return {
        "labels": ", ".join(said.value(name, value) for name, value in cell.labels.items()),
        "value": value,
        "unit": unit,
    }


def on_time(lang: str, plan: Plan, shares: Mapping[str, float]) -> str:
    """Say for each service what share of its reports came on time; empty: none is known."""
    said = words(lang, plan)
    return ", ".join(f"{said.value('service', name)} {said.number(share, SHARE)}" for name, share in shares.items())


def _up_to(said: Words, le: str) -> str:
    return said.text["longer"] if le == "+Inf" else f"{said.text['up_to']} {said.duration(float(le))}"


def _compared(said: Words, one: Figures) -> str:
    """Say which periods a trend compares."""
    periods = one.comparison
    if periods is None:
        return ""
    return said.text["compared"].format(
        **{name: said.day(getattr(periods, name)) for name in periods.__struct_fields__}
    )


def _cell(said: Words, plan: Plan, one: Figures, cell: Cell, names: list[str]) -> dict[str, Any]:
    return {
        "country": said.country(cell.country),
        "region": cell.country == REGION,
        "labels": [said.value(name, cell.labels.get(name, "")) for name in names],
        "value": unpublished(said, plan, one.row.kind) if cell.suppressed else _value(said, one, cell),
        "numerator": said.number(cell.numerator, TIME if one.row.unit == TIME else ""),
        "denominator": said.number(cell.denominator),
    }


def _value(said: Words, one: Figures, cell: Cell) -> str:
    return said.figure(one.row, cell.value) if cell.country == REGION else said.of_country(one.row, cell.value)[0]


def error(lang: str, plan: Plan, status: int, message: str, parameter: str = "") -> str:
    """Return the page that says why there is no other; `parameter`: which one of the address is at fault."""
    title = words(lang).text["not_there" if status == HTTPStatus.NOT_FOUND else "not_answered"]
    begins = parameter if parameter and message.startswith(parameter) else ""  # a name in the address: as it is there
    rest = message.removeprefix(begins) if begins else f"{message[:1].upper()}{message[1:]}"
    return render("error.html", lang, plan, title_said=title, begins=begins, message=f"{rest}.")


def contracts(lang: str, plan: Plan) -> str:
    """Return the page that lists every event type."""
    said = words(lang, plan)
    services = [
        (
            service,
            said.value("service", service),
            sorted((one for one in registry().values() if one.service == service), key=lambda one: one.name),
        )
        for service in SERVICES
    ]
    return render("contracts.html", lang, plan, services=services, event=said.event)
