"""What the kinds make of their sums, beyond adding up: baselines, silence, constants, lists, scales, rows of rows."""

from datetime import date

import pytest

from services.indicators.figures import silence, thresholds
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import PLAN, event, folded, heard, instant, row, values


def operations(*days, country="GTM"):
    return [event("intel.operation.executed", country, f"{day}T10:00:00Z", joint=True) for day in days]


def test_a_trend_names_what_it_compares():
    found = row(folded(*operations("2004-02-01", "2004-10-01")), "PC-1a", "2004-12-31")
    periods = found.comparison
    assert (periods.since, periods.until) == (date(2004, 7, 3), date(2004, 12, 31))
    assert (periods.baseline_since, periods.baseline_until) == (date(2004, 1, 3), date(2004, 7, 2))
    assert found.headline.value == 1


def test_a_baseline_that_was_settled_takes_the_place_of_the_window_before_by_days():
    settled = event("indicators.baseline.set", "MEX", indicator="PC-1a", since="2004-01-01", until="2004-12-30")
    fold = folded(settled, *operations("2004-02-01", "2004-03-01", "2005-02-01"))
    found = row(fold, "PC-1a", "2005-03-31")
    assert (found.comparison.baseline_since, found.comparison.baseline_until) == (date(2004, 1, 1), date(2004, 12, 30))
    assert (found.headline.numerator, found.headline.denominator) == (1, 2)
    assert found.headline.value == pytest.approx((1 / 182) / (2 / 365))
    assert row(fold, "PC-1c.trend", "2005-03-31").comparison.baseline_until == date(2004, 9, 30)


def test_a_country_that_fell_silent_makes_only_the_trends_that_it_is_in_partial():
    told = operations("2004-02-01", "2004-10-01"), operations("2004-02-01", "2004-12-30", country="HND")
    bands = [event("intel.band.dismantled", "HND", f"2004-{month}-01T10:00:00Z") for month in ("03", "11")]
    fold = folded(*told[0], *told[1], *bands)
    trend = row(fold, "PC-1a", "2004-12-31")
    assert (trend.silent, trend.partial) == (["GTM"], True)
    assert row(fold, "PC-1c.trend", "2004-12-31").partial is False
    assert row(fold, "PC-1a", "2004-10-20").silent == ["HND"]  # as of that day
    assert row(fold, "PC-1c").partial is None  # no trend


def test_silence_and_its_end_are_told_once_each():
    fold = folded(event("intel.band.dismantled", "GTM", "2004-03-01T00:00:00Z"))
    assert silence.turns(PLAN, fold.state, instant("2004-03-30"), {}) == []
    (turn,) = silence.turns(PLAN, fold.state, instant("2004-03-31"), {})
    assert (turn.verb, turn.country, turn.at) == ("silent", "GTM", instant("2004-03-31"))
    assert silence.turns(PLAN, fold.state, instant("2004-04-30"), {"GTM": "silent"}) == []
    again = folded(event("legal.law.amended", "GTM", "2004-05-01T00:00:00Z"))
    (turn,) = silence.turns(PLAN, again.state, instant("2004-05-02"), {"GTM": "silent"})
    assert (turn.verb, turn.at) == ("resumed", instant("2004-05-01"))


def test_a_silence_that_was_over_before_anybody_looked_is_told_all_the_same():
    """From 1 March to 5 April nothing for 34 whole days; from 5 April to 5 May 29: that is none."""
    days = ("2004-03-01", "2004-04-05", "2004-05-05", "2004-05-06")
    fold = folded(*[event("intel.band.dismantled", "GTM", f"{day}T15:00:00Z") for day in days])
    past = silence.Past(set())
    ((begun, ended),) = past.untold(PLAN, fold.state, instant("2004-05-07"))
    assert (begun.verb, begun.country, begun.at.date()) == ("silent", "GTM", date(2004, 3, 31))
    assert (ended.verb, ended.at) == ("resumed", instant("2004-04-05"))
    assert list(past.untold(PLAN, fold.state, instant("2004-06-07"))) == []
    assert list(silence.Past({("GTM", date(2004, 3, 1))}).untold(PLAN, fold.state, instant("2004-05-07"))) == []
    # What is recorded on the day itself may not all have come.
    assert list(silence.Past(set()).untold(PLAN, fold.state, instant("2004-04-05"))) == []


def staffed(enrolled, today="2004-03-15"):
    return row(
        folded(
            event("training.workforce.declared", headcount=1000),
            *[event("training.official.enrolled")] * enrolled,
            *heard("GTM", headcount=0),
        ),
        "IP-2.1",
        today=today,
    )


def test_a_target_is_told_when_it_is_reached_and_when_it_is_lost():
    assert thresholds.crossings([staffed(499)], {}) == []
    (reached,) = thresholds.crossings([staffed(500)], {})
    assert (reached.old, reached.new) == (0.0, 0.5)
    assert thresholds.crossings([staffed(600)], {"IP-2.1": 0.5}) == []
    (lost,) = thresholds.crossings([staffed(499)], {"IP-2.1": 0.5})
    assert (lost.old, lost.new) == (0.5, 0.499)
    assert thresholds.crossings([row(folded(), "IP-2.1")], {"IP-2.1": 0.5}) == []  # no data tells nothing
    silent = staffed(600, today="2004-04-15")
    assert (silent.unknown, thresholds.crossings([silent], {})) == ("silent", [])  # nor what is not known


def test_constants_stand_for_denominators():
    loaded = [event("intel.dataset.submitted", "GTM", dataset=name) for name in ("routes", "routes", "modalities")]
    found = row(folded(*loaded), "IE-1.2")
    assert values(found)["GTM",] == 0.5
    assert (found.headline.numerator, found.headline.denominator) == (2, 4 * len(MEMBERS))
    told = event("legal.transposition.changed", "REG")
    assert values(row(folded(told), "LE-1.R1"))["GTM", "TIP"] == pytest.approx(1 / 9)


def test_what_the_region_has_of_a_list_counts_once():
    courses = [
        event("training.course.delivered", "GTM", topics=["human_rights", "english", "ethics"]),
        event("training.course.delivered", "HND", topics=["english"]),
    ]
    found = row(folded(*courses), "IP-2.1.1.topics")
    assert (found.headline.numerator, found.headline.denominator) == (2, 13)  # ethics is a value, not a topic
    assert values(row(folded(*courses), "IP-2.1.1.topics"))["HND",] == pytest.approx(1 / 13)


def test_words_count_by_their_scale_and_no_answer_counts_not_at_all():
    ratings = [event("intel.operation.evaluated", rating=rating) for rating in ("excelente", "regular", "no_contesto")]
    found = row(folded(*ratings), "PC-1b")
    assert (found.headline.value, found.headline.denominator) == (3, 2)
    stages = [
        event("intel.actionplan.advanced", time=f"2004-0{month}-01T00:00:00Z", stage=stage)
        for month, stage in ((3, "supervision"), (2, "evaluation"))
    ]
    assert row(folded(*stages), "PC-1.1.4").headline.value == 3


def test_shares_are_means_in_their_decimals():
    answers = [event("training.survey.answered", score=score, phase="after") for score in (0.7, 0.8501)]
    assert row(folded(*answers), "IP-c").headline.value == pytest.approx(0.77505)


def test_days_since_the_last_one():
    fold = folded(event("legal.report.submitted", "GTM", "2004-03-01T00:00:00Z"))
    assert row(fold, "LE-1.1.age", "2004-03-11").headline.value == 10
    assert row(fold, "LE-1.1.age", "2004-02-01").headline is None


def test_the_plans_score_is_weighted_by_the_points_of_its_areas():
    assert sum(PLAN.rows["XC-4"].inputs.values()) == 413
    fold = folded(
        event("training.workforce.declared", headcount=2),
        event("training.official.enrolled"),  # IP-2.1 is met
        event("legal.law.amended"),
        event("legal.representative.designated"),  # LE-1.1.1: 1 of 11
    )
    found = row(fold, "XC-4")
    parts = {cell.labels["input"]: cell.value for cell in found.cells if cell.labels}
    targets = [one for one in PLAN.rows if one.startswith("LE-") and PLAN.rows[one].target is not None]
    assert parts["LE"] < 1
    assert targets
    weights = PLAN.rows["XC-4"].inputs
    expected = sum(weights[name] * value for name, value in parts.items()) / sum(weights[name] for name in parts)
    assert found.headline.value == pytest.approx(expected)


def test_a_row_of_one_row_is_that_row():
    fold = folded(event("legal.law.amended"), event("legal.law.enacted"))
    assert row(fold, "LE-2.R3").headline.value == row(fold, "LE-1.R3").headline.value == 2


@pytest.mark.parametrize(
    ("identity", "name", "said", "without", "expected"),
    [
        ("VA-5.2", "victims.occupation.assessed", {"occupied": True}, ("assessed", "in_work"), (1, 1)),
        ("VA-5.2", "victims.occupation.assessed", {"occupied": False}, ("assessed", "in_work"), (0, 1)),
        ("VA-2.1c.reach", "victims.campaign.measured", {"reach": 700}, ("reached",), (700, None)),
        ("VA-3.1b", "victims.victim.updated", {}, ("filled", "to_fill"), (20, 22)),
        ("IE-1.2a", "intel.entryrequirement.declared", {}, ("in_force",), (1, None)),
        ("IE-3.1.1.topics", "training.course.delivered", {}, ("at_border",), (1, None)),
        ("VA-2.1.indirect", "victims.victim.deceased", {}, ("indirect",), (1, None)),
        ("IE-3.1i", "legal.person.detained", {}, ("counts", "change"), (1, None)),
        ("IE-2.1b.on_time", "intel.commitment.fulfilled", {"late": False}, ("counts", "kept"), (1, 1)),
        ("IE-3.2.1.examined", "intel.location.verified", {}, ("counts", "change"), (1, 1)),
        ("LE-1.E", "legal.law.amended", {}, ("counts", "change"), (1, None)),
        ("VA-1.1", "legal.procedure.issued", {}, ("counts",), (1, None)),
        ("PC-1.1.1", "intel.information.received", {}, ("counts",), (1, None)),
        ("IE-1.2.3.numbers", "intel.phonebook.seized", {}, ("entries",), (212, None)),
        ("VA-5.2.months", "victims.occupation.assessed", {}, ("assessed_then", "in_work_then"), (1, 1)),
        ("VA-2.1.count", "victims.victim.identified", {"change": {"by": 1}}, ("victim_once",), (1, None)),
        ("VA-3.1.count", "victims.victim.registered", {}, ("once",), (1, None)),
        ("VA-2.1b", "victims.complaint.filed", {}, ("once",), (1, None)),
        ("LE-1.1", "legal.report.submitted", {}, ("once",), (1, None)),
    ],
)
def test_what_was_recorded_before_it_was_counted_exactly_counts_as_it_did(identity, name, said, without, expected):
    found = row(folded(event(name, **said, **dict.fromkeys(without, ...))), identity).headline
    assert (found.numerator if found.denominator else found.value, found.denominator) == expected


def inspected(count, since, until, time):
    return event("intel.controlstat.reported", time=time, count=count, since=since, until=until)


def test_a_rate_counts_only_in_the_periods_that_are_over_and_were_reported():
    flags = [event("intel.document.flagged", time=f"2004-{day}T10:00:00Z") for day in ("01-01", "02-10", "03-31")]
    told = inspected(100, "2004-01-01", "2004-01-31", "2004-02-02T00:00:00Z")
    march = inspected(300, "2004-03-01", "2004-03-31", "2004-03-20T00:00:00Z")  # before the period is over
    fold = folded(march, *flags, told)
    for day, expected in (("2004-01-30", None), ("2004-03-30", (1, 100)), ("2004-03-31", (2, 400))):
        found = row(fold, "IE-3.1ii.rate", day).headline
        assert (found and (found.numerator, found.denominator)) == expected, day
    assert row(fold, "IE-3.1ii.rate", today="2004-03-30").headline.denominator == 100


def test_a_difference_needs_both_sides():
    before, after = ({"phase": phase, "topic": "ethics"} for phase in ("before", "after"))
    asked = [event("training.survey.answered", score=0.5, **before)]
    assert row(folded(*asked), "IP-c.change").headline is None
    asked += [event("training.survey.answered", score=score, **after) for score in (0.75, 0.85)]
    asked += [event("training.survey.answered", "HND", score=0.1, **after)]  # asked after only
    found = row(folded(*asked), "IP-c.change")
    assert found.headline.value == pytest.approx(0.3)
    assert {cell.country for cell in found.cells} == {"GTM", "REG"}


def test_one_victims_rating_is_not_published():
    rated = [event("victims.evaluation.submitted", case_id="ca-1")]
    assert row(folded(*rated), "VA-5.1").headline.value == 3
    shown = row(folded(*rated), "VA-5.1", exact=False)
    assert shown.headline.suppressed
    assert all(cell.suppressed for cell in shown.cells)
    assert row(folded(*rated * 22), "VA-5.1", exact=False).headline.value == 3


def test_a_suspect_of_two_crimes_stands_in_both_cells_and_once_in_the_one_figure():
    days = ["2004-01-05T10:00:00Z", "2004-01-06T10:00:00Z", "2004-07-05T10:00:00Z"]
    crimes = [["tip", "som"], ["doc_fraud", "som"], ["som", "tip"]]
    found = [
        event("intel.trafficker.detected", "GTM", day, offences=one) for day, one in zip(days, crimes, strict=True)
    ]
    shown = row(folded(*found), "LE-1.R2", "2004-12-31")
    assert (shown.headline.numerator, shown.headline.denominator) == (1, 2)
    assert values(shown)["GTM", "som"] == 0.5
    assert values(shown)["GTM", "tip"] == 1
