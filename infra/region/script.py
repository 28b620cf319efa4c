"""The history that is played: the real treaty actions, the real Cuadro 2, the Plan's own steps, by their dates."""

import csv
import operator
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from infra.region.countries import Facts, facts
from infra.region.scene import Step, named_id
from shared.contracts.vocabulary import MEMBERS, Country

HISTORY = Path(__file__).with_name("history")
TREATY_HOUR, PLAN_HOUR = time(12, tzinfo=UTC), time(16, tzinfo=UTC)
"""The sources give days; the hours are ours."""
WORKSHOP = "crm-taller-2003"
WORKSHOP_OVER = datetime(2003, 5, 9, 20, tzinfo=UTC)
"""14.00 in Mexico City, when its agenda ends."""
ACTIONS = {"signature": "signed", "ratification": "ratified", "accession": "acceded"}


class Planned(Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[step]]` of a file of steps."""

    event: str
    dated: str = field(name="from")
    data: dict[str, Any]
    on: dict[Country, list[date]] = {}
    each: date | None = None
    apart_days: int = 0
    late_days: dict[Country, int] = {}
    """Of `each`: who takes it so much later."""
    never: list[Country] = []
    """Of `each`: who does not take it."""
    ahead_days: int = 0
    """So long before its date it is reported."""
    subject: str | None = None

    def dates(self) -> Iterator[tuple[Country, date]]:
        """Yield when it happens where."""
        for code, days in self.on.items():
            yield from ((code, day) for day in days)
        if self.each:
            for number, code in enumerate(MEMBERS):
                if code not in self.never:
                    yield code, self.each + timedelta(days=number * self.apart_days + self.late_days.get(code, 0))


class History(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of steps."""

    step: list[Planned]


def script() -> dict[str, list[Step]]:
    """Return what is played side by side, each in order: treaty actions, questionnaires, every country's own steps.

    The record of the treaties waits for nothing else. Each step has the same id in every run.
    """
    steps = sorted(plan_steps())
    own: dict[str, list[Step]] = {code: [step for step in steps if step.country == code] for code in MEMBERS}
    return {"treaties": sorted(treaty_actions()), "workshop": sorted(questionnaires()), **own}


def treaty_actions() -> Iterator[Step]:
    """Yield the treaty actions, each on its real date."""
    with (HISTORY / "treaty-actions.csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            code: Any = row["country"]
            yield Step(
                due=datetime.combine(date.fromisoformat(row["date"]), TREATY_HOUR),
                country=code,
                name=f"legal.treaty.{ACTIONS[row['action']]}",
                id=named_id("treaty", *row.values()),
                data={"instrument": row["instrument"], "country": code, "reported_by": "foreign_ministry"},
            )


def questionnaires() -> Iterator[Step]:
    """Yield the 27 answers to each question about the workshop of May 2003 (the Plan's Cuadro 2), told by its host."""
    with (HISTORY / "cuadro-2.csv").open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            judged = {"event_ref": WORKSHOP, "aspect": row["aspect"], "rating": row["rating"]}
            for number in range(int(row["answers"])):
                yield Step(
                    due=WORKSHOP_OVER,
                    country="MEX",
                    name="training.evaluation.submitted",
                    id=named_id("cuadro-2", *judged.values(), str(number)),
                    data={**judged, "reported_by": "foreign_ministry"},
                )


def plan_steps() -> Iterator[Step]:
    """Yield the Plan's own steps; who is silent then takes them on returning."""
    files = sorted((HISTORY / "steps").glob("*.toml"))
    history = [planned for file in files for planned in msgspec.convert(tomllib.loads(file.read_text()), History).step]
    for planned in history:
        for code, day in planned.dates():
            data = _filled(planned.data, facts()[code], day)
            yield Step(
                due=facts()[code].heard(datetime.combine(day - timedelta(days=planned.ahead_days), PLAN_HOUR)),
                country=code,
                name=planned.event,
                id=named_id("plan", code, day, planned.event, msgspec.json.encode(data, order="sorted").decode()),
                data=data,
                subject=_filled(planned.subject, facts()[code], day),
            )


def _filled(value: Any, place: Facts, day: date) -> Any:
    """Return the value with its placeholders filled in."""
    if isinstance(value, dict):
        return {name: _filled(inner, place, day) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, place, day) for inner in value]
    if isinstance(value, str) and value.startswith("="):
        return operator.attrgetter(value[1:])(place)
    if isinstance(value, str):
        return value.format(country=place.code, date=day, month=f"{day:%Y-%m}")
    return value
