"""What the pages show: figures, milestones and activity put into words of one language."""

import tomllib
from collections.abc import Iterator
from copy import copy
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import msgspec
from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from services.indicators.figures.cells import Cell
from services.indicators.figures.figures import Figures, Parts
from services.indicators.figures.milestones import Occurrence, Standing, occurrences
from services.indicators.folded.state import State
from services.indicators.planned.hierarchy import Text
from services.indicators.planned.plan import Plan
from services.indicators.publish.reports import MilestoneReport, Report, RowReport
from shared.contracts import SERVICES, registry
from shared.contracts.vocabulary import MEMBERS, REGION

LANGUAGES = (("es", "Español"), ("en", "English"), ("fr", "Français"))
# CLDR names territories by ISO 3166-1 alpha-2.
ALPHA_2 = dict(zip(MEMBERS, ("BZ", "CA", "CR", "DO", "SV", "GT", "HN", "MX", "NI", "PA", "US"), strict=True))
SHARE, TIME = "ratio", "seconds"
"""The units whose figures are shown with a unit of their own: as a percentage, and in days, hours or minutes."""
STEPS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
_HERE = Path(__file__).parents[1]
_templates = jinja2.Environment(loader=jinja2.FileSystemLoader(_HERE / "templates"), autoescape=True)


class Words:
    """One language: texts, units, numbers, dates, countries."""

    def __init__(self, lang: str) -> None:
        said = tomllib.loads((_HERE / "locale" / f"{lang}.toml").read_text(encoding="utf-8"))
        self.lang = lang
        self.text: dict[str, str] = said["text"]
        self.units: dict[str, str] = said["unit"]
        self.units_of_one: dict[str, str] = said["unit_one"]
        self.labels: dict[str, str] = said["label"]
        self.values: dict[str, str] = said["value"]
        self._locale = Locale(lang)

    def title(self, text: Text) -> str:
        """Return a title of the plan."""
        return str(getattr(text, self.lang))

    def number(self, value: float | None, unit: str = "", percent: str = "") -> str:
        """Return a figure; a share as a percentage, a time in the largest unit of which it has two."""
        if value is None:
            return "—"
        if unit == SHARE:
            return str(format_percent(value, percent or self.text["percent"], locale=self.lang))
        if unit == TIME:
            name, length = next(((name, s) for name, s in STEPS if value >= 2 * s), ("second", 1))
            return str(format_unit(value / length, f"duration-{name}", format="#,##0.#", locale=self.lang))
        return str(format_decimal(round(value, 3), locale=self.lang))

    def unit(self, unit: str, value: float | None) -> str:
        """Return what stands behind a figure of this unit, where it does not say so itself."""
        if unit in (SHARE, TIME):
            return ""
        one = value is not None and self._locale.plural_form(value) == "one"
        return (self.units_of_one if one else self.units).get(unit) or self.units.get(unit, unit)

    def day(self, when: date | datetime | None) -> str:
        """Return a date in full, empty for none."""
        return str(format_date(when, "medium", locale=self.lang)) if when else ""

    def place(self, value: str) -> str:
        """Return the country's name where the value is a member's code, else the value."""
        return self.country(value) if value in ALPHA_2 else value

    def country(self, code: str) -> str:
        """Return a country's name; the region's for REG."""
        return self.text["region"] if code == REGION else str(self._locale.territories[ALPHA_2[code]])  # type: ignore[index]

    def unknown(self, reason: str, missing: list[str]) -> str:
        """Say why a verdict is not known, and for which countries; empty: it is known."""
        if not reason:
            return ""
        names = ", ".join(map(self.country, missing))
        return self.text[f"unknown_{reason}"] + (f": {names}" if names else "")

    def parts(self, parts: Parts | None) -> str:
        """Say of how many rows a figure is made, and of how many of them nothing is known."""
        return self.text["parts"].format(**msgspec.structs.asdict(parts)) if parts else ""


@cache
def _words(lang: str) -> Words:
    return Words(lang)


def words(lang: str, plan: Plan | None = None) -> Words:
    """Return the words of one of `LANGUAGES`, with those that a plan brings for its units and labels."""
    said = _words(lang)
    if plan and (plan.units or plan.labels):
        said = copy(said)
        said.units = said.units | {name: said.title(text) for name, text in plan.units.items()}
        said.labels = said.labels | {name: said.title(text) for name, text in plan.labels.items()}
    return said


def render(template: str, lang: str, plan: Plan, **content: Any) -> str:
    """Return a page."""
    said = words(lang, plan)
    frame = {"lang": lang, "languages": LANGUAGES, "text": said.text, "title": said.title(plan.title)}
    return _templates.get_template(template).render(**frame, members=len(MEMBERS), **content)


def scoreboard(  # noqa: PLR0913 - what the page shows
    lang: str, plan: Plan, state: State, now: datetime, found: list[Figures], *, played: bool = False
) -> str:
    """Return the page with every row, the milestones and who has been heard of."""
    said = words(lang, plan)
    areas = []
    for area in plan.areas:
        rows = [summary(said, one) for one in found if one.row.id.partition("-")[0] == area.id]
        areas.append(({"id": area.id, "title": said.title(area.title)}, rows))
    return render(
        "scoreboard.html",
        lang,
        plan,
        now=now,
        lead=said.title(plan.lead) if plan.lead else said.text["lead"],
        played=(said.title(plan.played) if plan.played else said.text["played"]) if played else "",
        uncounted=_uncounted(said, state),
        now_text=f"{format_datetime(now, 'long', locale=lang)}",
        areas=areas,
        milestones=list(milestones(said, plan, occurrences(plan, state), now)),
        services=SERVICES,
        activity=list(_activity(said, state)),
    )


def _uncounted(said: Words, state: State) -> str:
    """Say how many events no figure has; empty: none."""
    return (
        said.text["uncounted_one" if state.uncounted == 1 else "uncounted"].format(n=said.number(state.uncounted))
        if state.uncounted
        else ""
    )


def summary(said: Words, one: Figures) -> dict[str, Any]:
    """Return a row in one line."""
    row, headline = one.row, one.headline
    hidden = headline is not None and headline.suppressed
    target = said.number(row.target, row.unit, said.text["percent"].replace("0.0", "0.#"))
    return {
        "id": row.id,
        "further": bool(row.belongs),
        "title": said.title(row.title),
        "words": row.words,
        "responsible": row.responsible,
        "deadline": row.deadline,
        "value": "·" if hidden else said.number(headline.value if headline else None, row.unit),
        "unit": said.unit(row.unit, headline.value if headline and not hidden else None),
        "target": "—" if row.target is None else said.text[row.direction].format(n=target),
        "standing": _standing(one, hidden=hidden),
        "reporting": _reporting(one.coverage),
        "unknown": said.unknown(one.unknown, one.missing),
        "parts": said.parts(one.parts),
        "suppressed": one.suppressed,
        "guarded": row.privacy == "victims",
    }


def _standing(one: Figures, *, hidden: bool) -> str:
    if hidden:
        return "not_published"
    if one.headline is None or one.headline.value is None:
        return "no_data"
    if one.met is None:
        return "no_target" if one.row.target is None else "not_known"
    return "met" if one.met else "not_met"


def _reporting(coverage: float | None) -> str:
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
            "missing": _missing(said, shown),
            "times": f"{met} {said.text['occurrences'].format(n=len(times))}" if recurring else "",
            "days": [
                {"due": said.day(one.due), "standing": standing} for one, standing in zip(times, standings, strict=True)
            ],
        }


def _missing(said: Words, one: Occurrence | MilestoneReport) -> str:
    """Say how many are done, and who is missing, by name."""
    names = [said.country(name) if name in MEMBERS else said.values.get(name, name) for name in one.missing]
    return said.text["done_of"].format(done=one.done, needed=one.needed, names=", ".join(names)) if names else ""


def _activity(said: Words, state: State) -> Iterator[tuple[str, list[str]]]:
    for country in MEMBERS:
        yield said.country(country), [said.day(state.heard.get((country, service))) for service in SERVICES]


def indicator(lang: str, plan: Plan, state: State, one: Figures, as_of: date | None, **more: Any) -> str:
    """Return the page of one row; `more`: its place in the Plan, and how it is computed."""
    said = words(lang, plan)
    # Not every label of the row is one of its cells: the values of some are what is counted.
    names = [*dict.fromkeys(name for cell in one.cells for name in cell.labels)]
    return render(
        "indicator.html",
        lang,
        plan,
        row=summary(said, one),
        uncounted=_uncounted(said, state),
        as_of=as_of or "",
        belongs=one.row.belongs,
        compared=_compared(said, one),
        silent=[said.country(code) for code in one.silent],
        day=said.day(one.day),
        labels=[said.labels.get(name, name) for name in names],
        cells=[_cell(said, one, cell, names) for cell in sorted(one.cells, key=lambda cell: cell.country != REGION)],
        fractions=any(cell.denominator is not None for cell in one.cells),
        histograms=[
            {"country": said.country(held.country), "buckets": held.buckets, "sum_s": held.sum_s}
            for held in one.histograms
        ],
        **more,
    )


def _compared(said: Words, one: Figures) -> str:
    """Say which periods a trend compares."""
    periods = one.comparison
    if periods is None:
        return ""
    return said.text["compared"].format(
        **{name: said.day(getattr(periods, name)) for name in periods.__struct_fields__}
    )


def _cell(said: Words, one: Figures, cell: Cell, names: list[str]) -> dict[str, Any]:
    return {
        "country": said.country(cell.country),
        "region": cell.country == REGION,
        "labels": [
            said.values.get(value) or said.place(value) for value in (cell.labels.get(name, "") for name in names)
        ],
        "value": said.text["not_published"] if cell.suppressed else said.number(cell.value, one.row.unit),
        "numerator": said.number(cell.numerator),
        "denominator": said.number(cell.denominator),
    }


def report(lang: str, plan: Plan, one: Report, checksum: str) -> str:
    """Return the page of a quarter's report."""
    said = words(lang, plan)
    rows = [
        {
            "id": row.id,
            "title": said.title(row.title),
            "value": said.text["not_published"] if row.suppressed else said.number(row.value, row.unit),
            "unit": said.unit(row.unit, None if row.suppressed else row.value),
            "target": said.number(row.target, row.unit),
            "met": _said(row),
            "unknown": said.unknown(row.unknown, row.missing),
            "reporting": _reporting(row.coverage),
            "partial": bool(row.partial),
        }
        for row in one.indicators
    ]
    milestones = [
        {
            "id": held.id,
            "title": said.title(held.title),
            "due": said.day(held.due),
            "standing": held.state,
            "missing": _missing(said, held),
        }
        for held in one.milestones
    ]
    return render(
        "report.html",
        lang,
        plan,
        quarter=one.quarter,
        revision=one.revision,
        day=said.day(one.as_of),
        reporting=round(one.coverage * len(MEMBERS)),
        suppressed=one.suppressed,
        events=one.events,
        checksum=checksum,
        rows=rows,
        due=milestones,
    )


def _said(row: RowReport) -> str:
    if row.met is None and row.target is not None:
        return "no_data" if row.unknown == "no_data" else "not_known"
    return {True: "met", False: "not_met", None: "no_target"}[row.met]


def contracts(lang: str, plan: Plan) -> str:
    """Return the page that lists every event type."""
    services = [
        (service, sorted((one for one in registry().values() if one.service == service), key=lambda one: one.name))
        for service in SERVICES
    ]
    return render("contracts.html", lang, plan, services=services)
