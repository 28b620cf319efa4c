"""The history that the region plays."""

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import infra.region
from infra.region.script import ACTIONS, questionnaires, script, treaty_actions
from shared.contracts.vocabulary import MEMBERS

CSV = Path(infra.region.__file__).with_name("history") / "treaty-actions.csv"


def history():
    return [step for part in script().values() for step in part]


def test_the_treaty_script_is_the_file():
    action = {verb: name for name, verb in ACTIONS.items()}
    played = Counter(
        (s.country, s.data["instrument"], action[s.name.rpartition(".")[2]], s.due.date().isoformat())
        for s in treaty_actions()
    )
    with CSV.open() as rows:
        assert played == Counter(tuple(row.values()) for row in csv.DictReader(rows))


def test_parties_at_known_dates():
    def parties(instrument, day):
        return {
            s.country
            for s in treaty_actions()
            if s.data["instrument"] == instrument and not s.name.endswith("signed") and s.due.date() <= day
        }

    assert parties("UNTOC", date(2003, 5, 9)) == {"CAN", "MEX", "NIC"}
    assert parties("TIP", date(2004, 4, 1)) == {"BLZ", "CAN", "CRI", "SLV", "GTM", "MEX"}
    assert parties("SOM", date(2008, 12, 31)) == set(MEMBERS)


def test_every_step_says_what_json_can_say():
    """A day that TOML reads as a date stopped the region: a report has it as text."""
    for step in history():
        assert json.loads(json.dumps(step.data)) == step.data, step.name


def test_every_step_has_its_own_id_the_same_each_time_and_stands_in_order():
    steps = history()
    assert len({step.id for step in steps}) == len(steps)
    assert history() == steps
    for part in script().values():
        assert [step.due for step in part] == sorted(step.due for step in part)


def test_meetings_are_on_first_tuesdays_and_three_are_left_out():
    held = {s.due.date() for s in history() if s.name == "intel.meeting.held"}
    assert all(day.weekday() == 1 and day.day <= 7 for day in held)
    tuesdays = [
        day
        for n in range((date(2005, 6, 30) - date(2003, 6, 1)).days)
        if (day := date(2003, 6, 1) + timedelta(days=n)).weekday() == 1 and day.day <= 7
    ]
    assert [str(day) for day in tuesdays if day not in held] == ["2003-08-05", "2004-01-06", "2004-08-03"]


def test_every_country_takes_the_steps_asked_of_every_country():
    steps = [step for step in history() if step.due < datetime(2004, 1, 1, tzinfo=UTC)]
    for name in ("intel.contactpoint.designated", "intel.specimen.deposited", "intel.entryrequirement.declared"):
        assert {step.country for step in steps if step.name == name} == set(MEMBERS)
    declared = [step for step in steps if step.name == "training.workforce.declared"]
    assert len(declared) == 22
    assert all(step.data["technical_headcount"] <= step.data["headcount"] for step in declared)


def test_the_questionnaires_are_the_plans_own_table():
    """Cuadro 2, as printed: 27 answers to each of the seven questions."""
    told = Counter((s.data["aspect"], s.data["rating"]) for s in questionnaires())
    aspects = {aspect for aspect, _ in told}
    assert {sum(told[key] for key in told if key[0] == aspect) for aspect in aspects} == {27}
    printed = {"organización": "74.07", "logística": "55.56", "facilitadores": "92.59", "metodología": "81.48"}
    shares = {aspect: f"{100 * told[aspect, 'excelente'] / 27:.2f}" for aspect in aspects}
    assert shares == printed | {"presentaciones": "85.19", "resultados": "85.19", "material_de_apoyo": "74.07"}
    assert {key: n for key, n in told.items() if key[1] == "deficiente"} == {
        ("logística", "deficiente"): 1,
        ("material_de_apoyo", "deficiente"): 2,
    }
    assert len({s.id for s in questionnaires()}) == 189
