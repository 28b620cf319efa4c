import re
from datetime import date

import pytest

from services.indicators.figures.series import Period
from services.indicators.publish import charts
from services.indicators.publish.course import shown_periods, whole
from services.indicators.publish.words import words
from tests.services.indicators.making import PLAN, event, folded, instant
from tests.services.indicators.serving import get, served, viewed
from tests.services.indicators.test_desk import shown

FLAGS = (
    ("HND", "2004-02-01", 3),
    ("HND", "2004-05-01", 1),
    ("GTM", "2004-02-01", 1),
    ("GTM", "2004-05-01", 2),
    ("CRI", "2004-02-01", 1),
)


def flagged():
    days = [(who, f"{day[:-1]}{n + 1}T10:00:00Z") for who, day, times in FLAGS for n in range(times)]
    cared = [
        event("victims.service.provided", one, "2004-02-01T10:00:00Z") for one in ("GTM", "HND") for _ in range(12)
    ]
    confirmed = [event("intel.document.confirmed", "HND", f"2004-05-0{n}T10:00:00Z") for n in (1, 2, 3)]
    return folded(*[event("intel.document.flagged", who, at) for who, at in days], *confirmed, *cared)


@pytest.fixture(scope="module")
def base():
    with served(viewed(flagged(), now=lambda: instant("2004-07-15"), ready=lambda: True, faults=list)) as address:
        yield address


def page(base, path):
    status, body, _ = get(base + path)
    assert status == 200
    return body


def test_a_page_says_what_fell_since_the_quarter_before_and_in_which_country(base):
    text = shown(page(base, "/indicators/IE-3.1ii?lang=en"))
    assert "It fell: from 5 documents in Q1 2004 to 3 documents in Q2 2004." in text
    assert "Since then" not in text  # of the third quarter nothing is known yet
    assert re.search(r"Honduras( [a-z]+)* 3 1 \N{MINUS SIGN}2", text)
    assert re.search(r"Guatemala( [a-z]+)* 1 2 \+1", text)
    assert re.search(r"Costa Rica( [a-z]+)* 1 — \N{MINUS SIGN}1", text), "whoever told nothing more is why, too"


def test_a_countrys_part_is_of_what_the_one_figure_counts(base):
    """What is confirmed was flagged before: the one figure of the row counts what is flagged, and so do its parts."""
    text = shown(page(base, "/indicators/IE-3.1ii?lang=en")).partition("By country and by category, over time")[2]
    assert "Honduras 4 documents" in text
    assert "confirmed as false 3 documents" in text


def test_of_persons_a_number_that_is_not_told_is_no_change():
    """The public cannot tell none from few: so a country whose number is left out neither rose nor fell."""
    given = [("HND", "2004-02-01", 24), ("GTM", "2004-02-01", 24), ("GTM", "2004-05-01", 48)]
    matched = [
        event("intel.phonenumber.matched", who, f"{day}T10:00:00Z") for who, day, times in given for _ in range(times)
    ]
    view = viewed(folded(*matched), now=lambda: instant("2004-07-15"), ready=lambda: True, faults=list)
    with served(view) as address:
        text = shown(page(address, "/indicators/IE-1.2.3.matches?lang=en"))
    assert re.search(r"Honduras( [a-z]+)* 22 — —", text)


def test_a_country_is_counted_where_it_has_all_that_is_asked_and_not_some_of_it():
    every = ("UNTOC", "TIP", "SOM")
    acts = [
        event("legal.treaty.ratified", who, f"2004-{month}-01T10:00:00Z", instrument=one)
        for who, month, those in (("MEX", "02", every), ("GTM", "05", every), ("HND", "05", ("TIP",)))
        for one in those
    ]
    view = viewed(folded(*acts), now=lambda: instant("2004-07-15"), ready=lambda: True, faults=list)
    with served(view) as address:
        text = shown(page(address, "/indicators/LE-2.1?lang=en"))
    assert re.search(r"Mexico( [a-z]+)* yes yes =", text)
    assert re.search(r"Guatemala( [a-z]+)* — yes \+1", text)
    assert re.search(r"Honduras( [a-z]+)* — no =", text)


def test_periods_are_chosen_and_their_own_figures_differ_from_those_at_their_ends(base):
    dots = re.compile(r"<title>([^<]*)</title>")
    ends = dots.findall(page(base, "/indicators/IE-3.1ii?lang=en&by=month"))
    own = dots.findall(page(base, "/indicators/IE-3.1ii?lang=en&by=month&figure=period"))
    assert "May 2004: 8" in ends
    assert "Jun 2004: 8" in ends
    assert "May 2004: 3" in own
    assert "Jun 2004: 8" not in own


def test_small_curves_add_a_countrys_labels_up(base):
    text = shown(page(base, "/indicators/IE-3.1ii?lang=en")).partition("By country and by category, over time")[2]
    assert "Country scale up to 4" in text
    assert "Guatemala 3 documents Q3 2004 Honduras 4 documents Q3 2004" in text


def test_a_period_that_is_not_over_is_drawn_as_such():
    """Half a quarter beside whole ones looks like a fall."""
    said, page_of, picture_of = "The last period is counted up to Jun 15, 2004.", "", "/curve.svg"
    with served(viewed(flagged(), now=lambda: instant("2004-06-15"), ready=lambda: True, faults=list)) as base:

        def asked(of, more):
            return page(base, f"/indicators/IE-3.1ii{of}?lang=en&by=quarter&figure={more}")

        running = re.findall(r'class="running"[^>]*><title>([^<]*)', asked(page_of, "period"))
        assert running == ["Q2 2004: 3"]
        assert said in shown(asked(page_of, "period"))
        assert said in asked(picture_of, "period")
        for over in ("period&as_of=2004-03-31", "end"):
            assert "running" not in asked(page_of, over)
            assert "counted up to" not in asked(page_of, over)
        for over in ("period&until=2004-03-31", "end"):
            assert "counted up to" not in asked(picture_of, over)


def test_a_figure_made_of_all_others_has_its_curve_as_a_picture_of_its_own(base):
    body = page(base, "/indicators/XC-4?lang=en&by=month")
    picture = re.search(r'<img class="curve" src="([^"]*)"', body)[1].replace("&amp;", "&")
    assert get(base + picture)[0] == 200
    assert "by=month" in picture


def test_of_persons_no_month_is_told_and_the_page_says_why(base):
    text = shown(page(base, "/indicators/VA-4.1?lang=en&by=month&figure=period"))
    assert "only whole quarters and years that are over are published" in text
    body = page(base, "/indicators/VA-4.1?lang=en")
    assert "<title>Q1 2004: 22</title>" in body  # of 24, the nearest multiple of 11
    assert 'id="small"' not in body


def test_a_share_of_what_came_in_time_is_not_told_as_a_mean_time(base):
    said = "The numerator divided by the denominator."
    assert said in shown(page(base, "/indicators/VA-5.1b?lang=en"))
    told = shown(page(base, "/indicators/IE-2.1b.age?lang=en"))
    assert said not in told
    assert "the mean time between the two" in told


def test_a_row_says_in_words_what_it_counts(base):
    text = shown(page(base, "/indicators/IE-2.1b.on_time?lang=en"))
    assert "The numerator divided by the denominator." in text
    assert "Numerator" in text
    assert "commitment" in text.partition("What is counted")[2]


@pytest.mark.parametrize("day", ["2199-01-01", "1999-01-01"])
def test_a_day_outside_the_plan_still_has_its_page(base, day):
    assert "IE-3.1ii" in page(base, f"/indicators/IE-3.1ii?as_of={day}")


def test_what_is_taken_away_is_as_the_page_shows_it(base):
    body = page(base, "/indicators/IE-3.1ii?lang=en&as_of=2004-03-31")
    for link in re.findall(r'href="(/(?:api/)?indicators/IE-3.1ii[^"]*)"', body):
        assert "/behind" in link or get(base + link.replace("&amp;", "&"))[0] == 200, link
    assert "/indicators/IE-3.1ii?lang=en&amp;as_of=2004-03-31" in body  # the permanent link


def test_a_trends_curve_has_its_baseline():
    said = words("en")
    drawn = charts.curve(said, "ratio", [("a", 0.5), ("b", 2.0)], 1.5, 1.0)
    assert drawn["target"] < drawn["baseline"]  # higher up
    assert charts.curve(said, "ratio", [("a", 0.5), ("b", 2.0)])["baseline"] is None


@pytest.mark.parametrize(
    ("by", "since", "until", "holds"),
    [
        ("quarter", "2004-04-01", "2004-06-30", True),
        ("quarter", "2004-07-01", "2004-07-15", False),
        ("quarter", "2004-04-01", "2004-05-31", False),
        ("month", "2004-02-01", "2004-02-29", True),
        ("year", "2003-05-09", "2003-12-31", True),
        ("year", "2004-01-01", "2004-11-30", False),
    ],
)
def test_a_period_is_whole_when_its_calendar_period_is_over(by, since, until, holds):
    assert whole(by, Period(date.fromisoformat(since), date.fromisoformat(until))) is holds


def test_a_page_shows_the_latest_periods_of_a_long_time():
    each = shown_periods("month", date(1990, 1, 1), date(2026, 7, 15))
    assert (len(each), each[-1].until) == (40, date(2026, 7, 15))
    assert shown_periods("month", date(2004, 1, 1), date(2003, 1, 1)) == []


def test_the_state_of_the_system_is_one_sentence_and_tells_no_number_of_events(base):
    assert "Everything works" in shown(page(base, "/status?lang=en"))
    fold = flagged()
    fold.state.sequences["victims"] = 987_654
    ill = viewed(fold, now=lambda: instant("2004-07-15"), streams=lambda: {"victims": 987_660})
    with served(ill) as other:
        text = shown(page(other, "/status?lang=en"))
    assert "Something is not as it should be" in text
    assert "the fold of INTEL stands" in text
    assert "care for victims Feb 1, 2004 behind" in text or "care for victims — behind" in text
    assert "987" not in text


def test_the_wall_has_the_first_screen_and_follows(base):
    body = page(base, "/wall?lang=fr")
    parts = ("answer", "changed", "countries", "areas", "overdue", "next", "quiet")
    assert all(f'id="part-{one}"' in body for one in parts)
    assert 'data-events="/events?lang=fr&amp;since=' in body


def test_a_times_axis_is_in_few_words():
    """In whole days or hours: two units and their numbers have no room beside a curve."""
    said = words("es")
    days, hours = ["0", "2 días", "4 días", "6 días"], ["0", "1 hora", "2 horas", "3 horas"]
    for longest, wanted in ((410_000, days), (9_000, hours)):
        drawn = charts.curve(said, "seconds", [("a", 1.0), ("b", longest)])
        assert [one["said"] for one in drawn["ticks"]] == wanted


def test_a_time_is_told_as_one_beside_how_many_it_is_the_mean_of():
    """And a plan's dates stand under one another, not in one sentence."""
    fold = folded(event("intel.band.dismantled", "MEX", "2003-06-11T00:00:00Z", latency_s=864_000, offences=["tip"]))
    with served(viewed(fold)) as address:
        html = get(f"{address}/indicators/PC-1c.delay?lang=en")[1]
        assert re.search(r">10.days</td><td class=.number.>10 days</td><td class=.number.>1</td>", html)
        assert "864,000" not in html
        assert "representative\nJuly 2003" in get(f"{address}/indicators/LE-1.1?lang=en")[1]


def test_what_is_rare_is_not_told_as_none():
    said, row = words("es", PLAN), PLAN.rows["IE-3.1ii.rate"]
    assert said.figure(row, 21 / 329_224) == "0.006%"
