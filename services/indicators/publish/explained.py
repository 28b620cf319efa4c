"""What the pages show of the Plan around its rows: its hierarchy, a row's place in it, and how a row is computed."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from markupsafe import Markup, escape

from services.indicators.figures.examples import NONE, Example, Expected, Figure, Said
from services.indicators.figures.figures import Figures
from services.indicators.figures.milestones import occurrences
from services.indicators.figures.objectives import Degree, degrees
from services.indicators.folded.state import State
from services.indicators.planned.conditions import Unless
from services.indicators.planned.hierarchy import Column, Entry, Node, Text
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import ANY_REPORT, Row, Term
from services.indicators.publish import pages
from services.indicators.publish.words import SHARE, Words, words
from shared.contracts.vocabulary import MEMBERS, REGION

_DAY = re.compile(r"\d{4}-\d\d-\d\d(T.*)?")


def objectives(  # noqa: PLR0913 - what the page shows
    lang: str, plan: Plan, state: State, now: datetime, found: list[Figures], *, public: bool
) -> str:
    """Return the page with the whole Plan: areas, objectives, results, activities, and what measures each."""
    said, degree = words(lang, plan), degrees(plan, found)
    lines = {one.row.id: pages.summary(said, plan, one) for one in found}
    lines |= {one["id"]: one for one in pages.milestones(said, plan, occurrences(plan, state, public=public), now)}
    shown = _Shown(said, plan, degree, lines)
    areas = [
        {"id": area.id, "title": said.title(area.title), "degree": degree[area.id], "below": shown.below(area.id)}
        for area in plan.areas
    ]
    return pages.render("objectives.html", lang, plan, areas=areas, now_text=said.day(now))


class _Shown:
    """The nodes in one language."""

    def __init__(self, said: Words, plan: Plan, degree: Mapping[str, Degree], lines: Mapping[str, Any]) -> None:
        self._said, self._plan, self._degree, self._lines = said, plan, degree, lines

    def below(self, parent: str) -> list[dict[str, Any]]:
        return [self._node(node) for node in self._plan.hierarchy.below(parent)]

    def _node(self, node: Node) -> dict[str, Any]:
        own = {"responsible": node.responsible, "resources": node.resources}
        return {
            **_named(self._said, node),
            "degree": self._degree[node.id],
            "facts": [(name, text) for name, one in own.items() if (text := _title(self._said, one))],
            "unsaid": node.unsaid,
            "indicators": [self._entry(one) for one in node.indicators],
            "schedule": [self._entry(one) for one in node.schedule],
            "by": self._carriers(node.by),
            "below": self.below(node.id),
        }

    def _entry(self, entry: Entry) -> dict[str, Any]:
        return {"text": self._said.title(entry), "by": self._carriers(entry.by)}

    def _carriers(self, by: list[str]) -> list[dict[str, Any]]:
        """Return the rows and milestones in one line each; a row with its further figures that have a target."""
        rows = self._plan.rows
        further = [row for row in rows.values() if row.belongs in by and row.target is not None]
        named = [one for name in by for one in (name, *(row.id for row in further if row.belongs == name))]
        shown = dict.fromkeys(named)
        return [
            self._lines[one] | {"row": one in rows, "further": one in rows and rows[one].belongs in shown}
            for one in shown
        ]


def _named(said: Words, node: Node) -> dict[str, Any]:
    level = said.text[f"level_{node.level}"]
    return {"id": node.id, "level": level, "number": node.number, "text": said.title(node.text)}


def _title(said: Words, text: Text | None) -> str:
    return said.title(text) if text else ""


def row(lang: str, plan: Plan, identity: str, example: Example | None) -> dict[str, Any]:
    """Return what a row's page shows beside its figures: where it stands in the Plan, and how it is computed."""
    said, one = words(lang, plan), plan.rows[identity]
    place = plan.hierarchy.places.get(identity) or plan.hierarchy.places.get(one.belongs)
    return {
        "formula": formula(said, plan, one),
        "place": _place(said, plan, place) if place else None,
        "worked": _worked(said, one, example) if example else None,
    }


ROLES = ("numerator", "denominator", "value", "baseline", "region", "one", "since", "until", "in_force")
"""In the order in which they are told."""


def formula(said: Words, plan: Plan, row: Row) -> dict[str, Any]:
    """Return in words how a row is computed: of which events or rows, under which conditions."""
    held = [role for role in ROLES if any(term.role == role for term in row.term)]
    more = []
    if row.window_days:
        more.append(said.text["formula_window"].format(n=said.number(row.window_days)))
    if row.period == "year":
        more.append(said.text["formula_year"])
    if row.calendar:
        more.append(said.text["formula_calendar"].format(title=said.title(plan.milestones[row.calendar].title)))
    if row.each and isinstance(row.each, int):
        more.append(said.text["formula_each"].format(n=said.number(row.each)))
    if row.of:
        more.append(said.text["formula_of"].format(n=said.number(row.of)))
    return {
        "kind": said.text[f"kind_{_told_as(row)}"],
        "parts": [
            {
                "role": said.text[f"role_{role}"],
                "terms": _once(_term(said, term) for term in row.term if term.role == role),
            }
            for role in held
        ],
        "inputs": [
            {
                "id": name if name in plan.rows else "",
                "name": said.called("input", name) or name,
                "weight": said.text["formula_weight"].format(n=said.number(weight)),
            }
            for name, weight in row.inputs.items()
        ],
        "more": more,
    }


def _told_as(row: Row) -> str:
    """Return the kind whose words fit a row: one of durations may be told as the share that came in time."""
    shares = row.kind == "latency" and any(term.role == "denominator" for term in row.term)
    return "ratio" if shares else row.kind


def _once(terms: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what differs for a reader: terms that differ in what they add up only read the same."""
    found: list[dict[str, Any]] = []
    for one in terms:
        if one not in found:
            found.append(one)
    return found


def _term(said: Words, term: Term) -> dict[str, Any]:
    if term.event == ANY_REPORT:
        told = said.text["any_report_soon" if "delay" in term.where else "any_report"]
        return {"event": told, "name": "", "where": []}
    where = []
    for path, wanted in term.where.items():
        name = next(part for part in reversed(path.split(".")) if part not in {"*", "?"})
        values = wanted.unless if isinstance(wanted, Unless) else wanted
        told = _plain(said, name, values)
        where.append(
            (said.field(name), told if values is wanted else Markup("{} {}").format(said.text["but_not"], told))
        )
    return {"event": said.event(term.event), "name": term.event, "where": where}


def _place(said: Words, plan: Plan, node: Node) -> dict[str, Any]:
    tree = plan.hierarchy
    area = next(area for area in plan.areas if area.id == tree.path(node)[0].parent)
    columns: tuple[Column, ...] = ("responsible", "resources")
    dates = tree.said(node, "schedule")
    return {
        "area": {"id": area.id, "title": said.title(area.title)},
        "path": [_named(said, one) for one in tree.path(node)],
        "facts": [(name, said.title(found)) for name in columns if isinstance(found := tree.said(node, name), Text)],
        "dates": [said.title(entry) for entry in dates] if isinstance(dates, list) else [],
    }


def _worked(said: Words, one: Row, example: Example) -> dict[str, Any]:
    return {
        "text": said.title(example.text),
        "reports": [_report(said, report) for report in example.reports],
        "expected": [line for asked in example.about(one.id) for line in _expected(said, one, asked)],
    }


def _report(said: Words, report: Said) -> dict[str, Any]:
    amended = report.corrects or report.retracts
    return {
        "when": _when(said, report.on),
        "recorded": _when(said, report.recorded) if report.recorded else "",
        "who": _senders(said, report.senders),
        "amends": said.text["corrects" if report.corrects else "retracts"] if amended else "",
        "what": amended or report.event,
        "event": said.event(report.event),
        "name": report.id,
        "times": report.times if report.times > 1 else 0,
        "data": [(said.field(name), _plain(said, name, value)) for name, value in report.data.items()],
        "refused": said.called("refused", report.refused),
    }


def _senders(said: Words, senders: list[str]) -> str:
    if {*senders} == {*MEMBERS}:
        return said.text["all_countries"]
    return ", ".join(_who(said, country) for country in senders)


def _who(said: Words, code: str) -> str:
    return said.country(code) if code in (*MEMBERS, REGION) else code


def _when(said: Words, text: str) -> str:
    """Return a day, and the hour if it is given."""
    day = said.day(date.fromisoformat(text[:10]))
    return f"{day} {text[11:16]}" if len(text) > len("2003-01-01") else day


def _plain(said: Words, name: str, value: Any) -> Markup:
    """Return a field's value in words; what has none, an identifier, as code."""
    if isinstance(value, dict):
        parts = [(said.field(key), said.text["colon"], _plain(said, key, one)) for key, one in value.items()]
        return Markup(", ").join(Markup("{}{} {}").format(*part) for part in parts)
    if isinstance(value, list):
        return Markup(", ").join(_plain(said, name, one) for one in value)
    if told := _told(said, name, value):
        return escape(told)
    # What stands for the sender or the number differs from report to report.
    return Markup("<code>{}</code>").format(str(value).replace("{by}", "…").replace("{n}", "…"))


def _told(said: Words, name: str, value: Any) -> str:
    """Return one value in words; empty: there are none."""
    if isinstance(value, bool):
        return said.text["yes" if value else "no"]
    if isinstance(value, int | float):
        return str(value) if name == "year" else said.number(value)
    return _when(said, value) if _DAY.fullmatch(str(value)) else said.called(name, str(value))


def _expected(said: Words, one: Row, asked: Expected) -> Iterator[dict[str, Any]]:
    """Yield a line for each figure of a day."""
    day = said.day(date.fromisoformat(asked.on or asked.as_of))
    shown = {"day": day, "as_of": bool(asked.as_of)}
    labels = ", ".join(said.value(name, value) for name, value in asked.labels.items())
    for country, figure in asked.figures.items():
        yield shown | {"what": _who(said, country), "labels": labels, "figure": _figure(said, one, figure, country)}
    if asked.headline != "":
        yield shown | {"what": said.text["headline"], "labels": "", "figure": _figure(said, one, asked.headline)}
    if asked.met:
        verdict = {"yes": "met", "no": "not_met", "unknown": "not_known"}[asked.met]
        yield shown | {"what": said.text["standing"], "labels": "", "figure": said.text[verdict], "badge": verdict}
    if asked.coverage != "":
        covered = _figure(said, one, asked.coverage, unit=SHARE)
        yield shown | {"what": said.text["coverage"], "labels": "", "figure": covered}


def _figure(said: Words, one: Row, figure: Figure, country: str = REGION, *, unit: str = "") -> str:
    if figure == NONE:
        return said.text["no_data"]
    above, _, below = str(figure).partition("/")
    value = float(above) / float(below) if below else float(above)
    if unit:
        told = f"{said.number(value, unit)} {said.unit(unit, value)}".strip()
    elif country in MEMBERS:
        told = " ".join(said.of_country(one, value)).strip()
    else:
        told = f"{said.figure(one, value)} {said.unit(one.unit, value)}".strip()
    return f"{told} ({said.number(float(above))}/{said.number(float(below))})" if below else told
