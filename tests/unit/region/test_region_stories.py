"""What the region tells: each report acceptable, each story coherent, all of it the same again."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from infra.region.countries import facts
from infra.region.ledger import Ledger, load, save
from infra.region.scene import Scene
from infra.region.script import script
from infra.region.stories import ANSWERS, STORIES, UNTOLD, intel
from infra.region.traffic import Traffic
from shared import contracts
from shared.contracts import GENERIC, Event, Refused
from shared.contracts.vocabulary import MEMBERS

START = datetime(2003, 5, 9, tzinfo=UTC)
TIMES = 25
PATIENT = timedelta(days=120)


def scenes(now=START, patience=PATIENT):
    for country in facts().values():
        for number in range(TIMES):
            yield Scene(country, now, patience, f"1/{country.code}/{number}")


def history():
    return [step for part in script().values() for step in part]


def traffic(seed=1, ledger=None):
    return Traffic(ledger or Ledger(START), seed, PATIENT)


@pytest.mark.parametrize("story", [s for s in STORIES if s.name != "careless"], ids=lambda s: s.name)
def test_every_report_of_a_story_is_accepted(story, received):
    for now in (START, datetime(2005, 6, 1, tzinfo=UTC)):
        for scene in scenes(now):
            steps = list(story.tell(scene))
            assert steps[0].due == now
            assert len({step.id for step in steps}) == len(steps)
            for step in steps:
                received(step)


def test_the_history_is_accepted_when_its_time_has_come(received):
    for step in history():
        received(step, now=step.due)


def test_corrections_say_what_could_have_been_said_at_first(received):
    (story,) = [s for s in STORIES if s.name == "second_thought"]
    for scene in scenes():
        first, then = story.tell(scene)
        assert then.data["supersedes"] == first.id
        if then.name.endswith("corrected"):
            assert then.data["data"] != first.data
            received(msgspec.structs.replace(first, data=then.data["data"]))


def test_what_is_sent_carelessly_is_refused(received):
    (story,) = [s for s in STORIES if s.name == "careless"]
    codes = set()
    for scene in scenes():
        (step,) = story.tell(scene)
        assert step.careless
        with pytest.raises(Refused) as verdict:
            received(step)
        codes |= {problem.code for problem in verdict.value.problems}
    assert {"unknown_value", "missing_field", "unknown_field", "unknown_type", "not_owner"} <= codes


def test_a_wave_is_one_fake_three_times_at_one_post_within_30_days():
    for scene in scenes():
        confirmed = [step for step in intel.wave(scene) if step.name == "intel.document.confirmed"]
        assert len(confirmed) == 3
        patterns = {tuple(step.data[k] for k in ("issuing", "doc_code", "fraud_type", "bcp")) for step in confirmed}
        assert len(patterns) == 1
        times = [step.due for step in confirmed]
        assert max(times) - min(times) <= timedelta(days=30)


def test_a_story_ends_within_the_patience_of_those_who_watch():
    patience = timedelta(minutes=2)
    for story in STORIES:
        for scene in scenes(patience=patience):
            assert all(step.due <= scene.now + 4 * patience + timedelta(hours=1) for step in story.tell(scene))


def heard(name, **data):
    agreed = contracts.registry()[f"crm.{name}.v1"]
    return Event(
        specversion="1.0",
        id=f"e-{len(data)}-{data}"[:64],
        source="urn:crm:service:victims",
        type=agreed.type,
        time=START,
        country="MEX",
        data=msgspec.convert({**agreed.good, **data}, agreed.data),
        recordedtime=START,
    )


def prompted(name):
    """What a country hears, to which it has an answer."""
    wire, _, kind = name.partition("/")
    due = {"due": (START + timedelta(hours=8)).isoformat()}
    alert = {"kind": kind, "entity": "x-1", "country": "USA"} if kind else {}
    return heard(wire, **(due if wire != "training.certification.staled" else {}), **alert)


def hear_often(told, country, name, now):
    """A country hears of so much that it would hardly leave all of it unanswered."""
    for number in range(TIMES):
        told.hear(country, msgspec.structs.replace(prompted(name), id=f"heard-{number}"), now)


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_accepted(name, received):
    answered = 0
    for scene in scenes():
        for step in ANSWERS[name](scene, prompted(name)) if scene.country != "USA" else ():
            received(step)
            answered += 1
    assert answered > 0
    told = traffic()
    hear_often(told, "MEX", name, START)
    assert told.ledger.pending


def test_a_victim_is_taken_home_only_when_the_other_country_accepted_and_not_before():
    told = traffic()
    now = START
    while len(told.ledger.waiting) < 2:
        now += timedelta(hours=1)
        told.take(now, 1)
    (yes, steps), (no, others) = list(told.ledger.waiting.items())[:2]
    accepted = steps[0].due + timedelta(days=9)
    for referral, kind in ((yes, "referral_accepted"), (no, "referral_rejected")):
        told.hear("MEX", heard("victims.alert.issued", kind=kind, entity=referral), accepted)
    gone_on = {step.id: step.due for step in told.ledger.pending}
    assert [gone_on[step.id] - step.due for step in steps] == [timedelta(days=9)] * len(steps)
    assert not {step.id for step in others} & set(gone_on)
    assert not {yes, no} & set(told.ledger.waiting)


def play(told, days, a_day=20):
    return [step for day in range(days) for step in told.take(told.ledger.began + timedelta(days=day), a_day)]


def test_the_same_seed_tells_the_same_and_another_something_else():
    first = play(traffic(), 30)
    assert play(traffic(), 30) == first
    assert play(traffic(seed=2), 30) != first


def test_a_second_run_goes_on_where_the_first_stopped(tmp_path):
    whole = play(traffic(), 60)
    told = traffic()
    part = play(told, 25)
    save(told.ledger, tmp_path / "region.json")
    ledger = load(tmp_path / "region.json", START + timedelta(days=99))
    assert ledger.began == START
    again = traffic(ledger=ledger)
    rest = [step for day in range(25, 60) for step in again.take(START + timedelta(days=day), 20)]
    plain = [msgspec.json.encode(step) for step in part + rest]
    assert plain == [msgspec.json.encode(step) for step in whole]


def answers():
    """What countries say when they are asked, or told."""
    return [step for name, answer in ANSWERS.items() for scene in scenes() for step in answer(scene, prompted(name))]


def test_the_stories_have_every_type_that_countries_report():
    told = [step for story in STORIES for scene in scenes() for step in story.tell(scene)]
    names = {step.name for step in [*told, *answers(), *history()] if not step.careless}
    reported = {one.name for one in contracts.registry().values() if one.reported and not one.generic}
    assert reported - names == set(UNTOLD)
    assert set(UNTOLD) <= reported
    assert {name.rpartition(".")[2] for name in names} >= set(GENERIC)


@pytest.mark.long
def test_two_years_bring_nearly_every_type_and_the_plans_shares(received):
    told = traffic()
    steps = play(told, 761)
    for step in steps:
        if not step.careless:
            received(step)
    assert len({step.id for step in steps}) == len(steps)
    reported = {one.name for one in contracts.registry().values() if one.reported and not one.generic}
    names = {step.name for step in [*steps, *history(), *answers()]}
    ways_home = {name for name in reported if name.startswith("victims.repatriation.")}
    assert reported - names - ways_home == set(UNTOLD)
    share = Counter(step.name for step in steps if step.careless).total() / len(steps)
    assert 0.002 < share < 0.02
    _check_enrolment(steps)
    assert {step.country for step in steps} == set(MEMBERS)
    assert len(told.ledger.pending) < 2000


def test_a_country_goes_silent_once_and_returns():
    silent = facts()["BLZ"].silent
    heard_of = [step.due.date() for step in [*play(traffic(), 761), *history()] if step.country == "BLZ"]
    assert not [day for day in heard_of if silent.since <= day < silent.until]
    assert min(heard_of) < silent.since < silent.until < max(heard_of)
    told = traffic()
    hear_often(told, "BLZ", "victims.referral.offered", datetime(2004, 5, 1, tzinfo=UTC))
    assert not told.ledger.pending
    hear_often(told, "BLZ", "victims.referral.offered", datetime(2004, 9, 1, tzinfo=UTC))
    assert told.ledger.pending


def _check_enrolment(steps):
    for institution, target in (("migration", 0.5), ("other", 0.3)):
        enrolled = sum(
            step.name == "training.official.enrolled" and step.data.get("institution_type") == institution
            for step in steps
        )
        headcount = sum(country.staff(institution).headcount for country in facts().values())
        assert target < enrolled / headcount < target + 0.15


def test_history_and_traffic_never_share_an_id():
    assert not {step.id for step in history()} & {step.id for step in play(traffic(), 60)}


def test_steps_are_never_ahead_of_the_clock():
    told = traffic()
    now = START
    for _ in range(200):
        now += timedelta(hours=5)
        steps = told.take(now, 5)
        assert all(step.due <= now for step in steps)
        assert all(step.due > now - timedelta(days=1) for step in steps[:1])
