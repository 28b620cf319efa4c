"""The page of a quarter's report says what stands in the published reports, and nothing else."""

import re

import msgspec
import pytest

from services.indicators.publish import quarterly, reports
from services.indicators.publish.charts import HEIGHT, WIDTH, curve
from services.indicators.publish.quarterly import Shown, quarter_before
from services.indicators.publish.store import Published
from services.indicators.publish.words import words
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import PLAN, event, folded, instant


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def shown(one, **more):
    given = {"checksum": "0" * 64, "asked": None, "before": None, "year": None, "revised": None, "revisions": []}
    return Shown(one=one, **given | {"past": [one]} | more)


def of(quarter, fold, revision=1):
    return reports.report(PLAN, fold.state, quarter, revision)


def changed(one, name, value, met):
    """The report with another figure of a row."""
    told = [msgspec.structs.replace(row, value=value, met=met) if row.id == name else row for row in one.indicators]
    return msgspec.structs.replace(one, indicators=told)


def section(html, name):
    inside = html.partition(f'<section id="{name}"')[2].partition(">")[2]
    return text_of(re.split(r'<section [^>]*class="report-page"', inside)[0])


def test_the_first_report_says_that_there_is_none_to_compare_it_with():
    html = quarterly.page("en", PLAN, shown(of("2003-Q3", folded(event("intel.band.dismantled")))))
    assert "there is none to compare it with" in section(html, "moved")
    assert "In the quarter, 0 of 11 countries reported." in section(html, "summary")


def test_what_changed_is_told_against_the_quarter_before_and_the_year():
    one = of("2004-Q2", folded())
    with_targets = [row.id for row in one.indicators if row.target is not None]
    before, now = changed(one, with_targets[0], 0.5, False), changed(one, with_targets[0], 1.0, True)
    html = quarterly.page("en", PLAN, shown(now, before=before, year=before))
    told = section(html, "moved")
    assert with_targets[0] in told
    assert "✓ Target met" in told
    assert "1 target was reached and 0 were lost" in section(html, "summary")
    lost = quarterly.page("es", PLAN, shown(before, before=now))
    assert "se alcanzaron 0 metas y se perdió 1" in section(lost, "summary")


def test_a_target_that_can_no_longer_be_judged_is_told():
    one = of("2004-Q2", folded())
    name = next(row.id for row in one.indicators if row.target is not None)
    html = quarterly.page("en", PLAN, shown(changed(one, name, 1.0, None), before=changed(one, name, 1.0, True)))
    assert "0 were lost. 1 target that was met is no longer known." in section(html, "summary")


def test_the_rule_about_persons_is_told_whole():
    html = quarterly.page("es", PLAN, shown(of("2004-Q2", folded())))
    assert "Las menores de 11" in section(html, "annex")
    assert "{" not in text_of(html)


def test_targets_have_their_direction_and_what_is_not_there_has_no_unit():
    html = quarterly.page("en", PLAN, shown(of("2004-Q2", folded())))
    told = section(html, "area-IE")
    assert "at least 11" in told
    assert "at most 0" in told
    assert "— countries" not in told


def test_what_recurs_is_one_line_that_says_how_often_it_stands_how():
    html = quarterly.page("en", PLAN, shown(of("2004-Q2", folded())))
    told = section(html, "milestones")
    assert told.count("Monthly virtual meeting") == 1
    assert "25 due dates" in told
    assert "Missed: 13 · Open: 12" in told


def test_a_country_has_figures_in_at_most_as_many_rows_as_countries_report():
    rows = [
        event("indicators.evaluation.published", "MEX", "2004-01-10T00:00:00Z"),
        event("intel.band.dismantled", "MEX", "2004-01-10T00:00:00Z"),
        event("intel.database.activated", "MEX", "2004-01-10T00:00:00Z"),
    ]
    one = of("2004-Q1", folded(*rows))
    mine = [row for row in one.indicators if any(cell.country == "MEX" for cell in row.values)]
    asked = sum(row.coverage is not None for row in mine)
    assert asked < len(mine), "a row that no country is asked for has a figure of its own"
    of_all = sum(row.coverage is not None for row in one.indicators)
    html = quarterly.page("en", PLAN, shown(one))
    assert f"in {asked} of the {of_all} " in section(html, "country-MEX")


def test_a_revision_says_which_figures_it_changed():
    early = folded(event("legal.treaty.ratified", "MEX", "2004-03-04T00:00:00Z", instrument="TIP"))
    late = folded(
        event("legal.treaty.ratified", "MEX", "2004-03-04T00:00:00Z", instrument="TIP"),
        event("legal.treaty.ratified", "GTM", "2004-03-05T00:00:00Z", instrument="TIP"),
    )
    first, second = of("2004-Q1", early), of("2004-Q1", late, 2)
    held = [Published("2004-Q1", number, instant("2004-05-01"), b"") for number in (1, 2)]
    html = quarterly.page("en", PLAN, shown(second, revised=first, revisions=held))
    told = section(html, "annex")
    assert "revision 1 : May 1, 2004" in told
    assert "LE-2.1" in told
    assert "/api/reports/2004-Q1/changes?from=1&amp;to=2" in html


def test_of_what_recurs_only_the_last_missed_day_and_the_next_are_told():
    html = quarterly.page("en", PLAN, shown(of("2004-Q2", folded())))
    told = section(html, "next")
    assert told.count("Monthly virtual meeting") == 2
    assert "Jun 1, 2004" in told
    assert "Jul 6, 2004" in told


def test_a_country_has_its_own_figures_of_what_has_a_target_and_nobody_elses():
    fold = folded(
        event("training.workforce.declared", "HND", "2004-01-10T00:00:00Z"),
        event("intel.band.dismantled", "GTM", "2004-01-10T00:00:00Z"),
    )
    one = of("2004-Q1", fold)
    html = quarterly.page("en", PLAN, shown(one))
    for code in MEMBERS:
        told = section(html, f"country-{code}")
        own = {
            row.id for row in one.indicators if row.target is not None and any(c.country == code for c in row.values)
        }
        assert own == {row for row in PLAN.rows if f" {row} " in told}, code
        assert "PC-1c " not in told, "the Plan sets no number for it"


def test_the_list_names_every_revision_the_latest_quarter_first():
    held = [Published(name, number, instant("2004-05-01"), b"") for name in ("2003-Q4", "2004-Q1") for number in (1, 2)]
    html = quarterly.index("en", PLAN, held)
    assert html.index("Quarterly report: 1st quarter 2004") < html.index("Quarterly report: 4th quarter 2003")
    assert 'href="/reports/2003-Q4?revision=2&amp;lang=en"' in html
    assert "No report has been published yet." in quarterly.index("en", PLAN, [])


@pytest.mark.parametrize(
    ("quarter", "back", "found"),
    [("2004-Q1", 1, "2003-Q4"), ("2004-Q4", 1, "2004-Q3"), ("2004-Q2", 4, "2003-Q2"), ("2004-Q1", 5, "2002-Q4")],
)
def test_quarters_before(quarter, back, found):
    assert quarter_before(quarter, back) == found


def test_a_curve_lies_within_its_drawing_breaks_where_nothing_is_known_and_has_zero_on_its_axis():
    drawn = curve(words("en"), "countries", [("a", 3.0), ("b", None), ("c", 11.0), ("d", 7.0)], target=20.0)
    assert len(drawn["lines"]) == 2
    assert [one["said"] for one in drawn["dots"]] == ["a: 3", "c: 11", "d: 7"]
    assert [one["said"] for one in drawn["ticks"]] == ["0", "5", "10", "15", "20"]
    points = [(float(x), float(y)) for line in drawn["lines"] for x, y in (one.split(",") for one in line.split())]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert points[0][1] > points[2][1] > points[1][1] > drawn["target"], "more is higher"
    assert curve(words("en"), "", [("a", 1.0), ("b", None)]) is None
