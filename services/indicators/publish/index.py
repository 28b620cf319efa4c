"""The index: what there is to ask for, with units, kinds, labels and their values in the languages of the region."""

from collections.abc import Callable
from datetime import date
from typing import Literal

from msgspec import Struct

from services.indicators.planned.hierarchy import Text
from services.indicators.planned.persons import row_about_persons
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import Kind, Row
from services.indicators.planned.schedule import Milestone
from services.indicators.publish.coverage import label_values, labels_shown
from services.indicators.publish.words import LANGUAGES, SHARE, TIME, Words, words
from shared.contracts.vocabulary import MEMBERS, REGION

_OWN = {
    SHARE: Text(es="proporción, de 0 a 1", en="share, from 0 to 1", fr="proportion, de 0 à 1"),
    TIME: Text(es="segundos", en="seconds", fr="secondes"),
}


class Named(Struct, frozen=True):
    """A code, and what it is called."""

    code: str
    name: Text


class Label(Struct, frozen=True):
    """What a row's figures are told apart by."""

    name: str
    """In JSON a key of `labels`, in CSV the column `label_<name>`."""
    title: Text
    values: list[Named]
    """Those that are known beforehand; `unknown` where a report left it out, `other` for what is not on the list."""


class IndicatorLinks(Struct, frozen=True):
    """Where more is to be had of a row."""

    figures: str
    table: str
    page: str


class Indicator(Struct, frozen=True, kw_only=True):
    """A row of the Plan, without figures."""

    id: str
    """The Plan's number of it, or its own."""
    area: str
    """The work area that it belongs to."""
    title: Text
    words: str
    """The Plan's own words, in Spanish; ` … ` where some are left out."""
    unit: str
    """What its figures count; `units` has what it is called."""
    kind: Kind
    """How it is worked out."""
    dimensions: list[str]
    """`country`, then its labels: together they name a figure of the row."""
    labels: list[Label]
    """In the order of `dimensions`."""
    counted: Label | None
    """Of kind `distinct`: that of which it counts the different values; it tells no figures apart."""
    target: float | None
    """What the Plan asks for, in the row's unit; null: it sets no number."""
    direction: Literal["at_least", "at_most", "above", "below"]
    """How the figure stands to the target when it is met."""
    deadline: str
    """By when, in the Plan's words; empty: it says nothing."""
    responsible: str
    """Who answers for it, in the Plan's words."""
    belongs: str | None
    """The row of the Plan that this is a further figure of; null: it is one itself."""
    place: str | None
    """The objective, result or activity that it measures."""
    guarded: bool
    """It is about victims: small figures are not published, all others are multiples of 11."""
    links: IndicatorLinks


class MilestoneEntry(Struct, frozen=True, kw_only=True):
    """An entry of the Plan's schedule, without its standing."""

    id: str
    """The Plan's number of it."""
    title: Text
    words: str
    """The Plan's own words, in Spanish."""
    due: date | None
    """The last day; null: it recurs, is counted from something, or has no date."""
    recurring: bool
    """It is due again and again; `/api/milestones` has each of its days."""
    countries: list[str]
    """Who has to do it, each of them; empty: it is done for the region as a whole."""
    responsible: str
    """Who answers for it, in the Plan's words."""
    place: str | None
    """The objective, result or activity in whose schedule it stands."""


class Index(Struct, frozen=True, kw_only=True):
    """What there is to ask for."""

    plan: str
    """The plan's id."""
    title: Text
    start: date
    """The day on which the plan begins."""
    areas: list[Named]
    """The plan's work areas."""
    countries: list[Named]
    """The member countries by ISO 3166-1 alpha-3, and `REG`, the region."""
    units: list[Named]
    """Each unit that a row has."""
    indicators: list[Indicator]
    """In the Plan's order."""
    milestones: list[MilestoneEntry]
    """In the Plan's order."""


def index(plan: Plan) -> Index:
    """Return the index of a plan."""
    units = dict.fromkeys(row.unit for row in plan.rows.values())
    return Index(
        plan=plan.id,
        title=plan.title,
        start=plan.start,
        areas=[Named(area.id, area.title) for area in plan.areas],
        countries=[_named(plan, code, lambda said, code: said.country(code)) for code in (*MEMBERS, REGION)],
        units=[Named(unit, _unit(plan, unit)) for unit in units],
        indicators=[_indicator(plan, row) for row in plan.rows.values()],
        milestones=[_milestone(plan, one) for one in plan.milestones.values()],
    )


def _said(plan: Plan, say: Callable[[Words], str]) -> Text:
    return Text(**{lang: say(words(lang, plan)) for lang, _ in LANGUAGES})


def _named(plan: Plan, code: str, say: Callable[[Words, str], str]) -> Named:
    return Named(code, _said(plan, lambda said: say(said, code)))


def _unit(plan: Plan, unit: str) -> Text:
    """Return what a unit is called; of shares and times, which pages show in units of their own, what they are."""
    return _OWN.get(unit) or _said(plan, lambda said: said.units.get(unit, unit))


def _indicator(plan: Plan, row: Row) -> Indicator:
    named = {name: _label(plan, name, values) for name, values in label_values(row).items()}
    labels = [named[name] for name in labels_shown(row)]
    place = plan.hierarchy.places.get(row.id) or plan.hierarchy.places.get(row.belongs)
    figures = f"/api/indicators/{row.id}"
    return Indicator(
        id=row.id,
        area=row.id.partition("-")[0],
        title=row.title,
        words=row.words,
        unit=row.unit,
        kind=row.kind,
        dimensions=["country", *(label.name for label in labels)],
        labels=labels,
        counted=next(iter(named.values())) if row.kind == "distinct" else None,
        target=row.target,
        direction=row.direction,
        deadline=row.deadline,
        responsible=row.responsible,
        belongs=row.belongs or None,
        place=place.id if place else None,
        guarded=row_about_persons(row),
        links=IndicatorLinks(figures, f"{figures}?format=csv", f"/indicators/{row.id}"),
    )


def _label(plan: Plan, name: str, values: list[str]) -> Label:
    title = _said(plan, lambda said: said.labels.get(name, name))
    return Label(name, title, [_named(plan, one, lambda said, one: said.value(name, one)) for one in values])


def _milestone(plan: Plan, one: Milestone) -> MilestoneEntry:
    place = plan.hierarchy.places.get(one.id)
    return MilestoneEntry(
        id=one.id,
        title=one.title,
        words=one.words,
        due=one.due or (one.window.last if one.window else None),
        recurring=one.recurring is not None,
        countries=list(MEMBERS) if one.countries == "all" else [*one.countries],
        responsible=one.responsible,
        place=place.id if place else None,
    )
