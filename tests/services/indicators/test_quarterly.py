"""The page of a quarter's report says what stands in the published reports, and nothing else."""

import asyncio
import calendar
import re

import msgspec
import pytest

from services.indicators.publish import quarterly, reports, store
from services.indicators.publish.charts import HEIGHT, WIDTH, curve
from services.indicators.publish.quarterly import quarter_before
from services.indicators.publish.report_parts import Shown
from services.indicators.publish.store import Published
from services.indicators.publish.words import words
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import PLAN, event, folded, instant
from tests.services.indicators.serving import get, served, viewed

MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
DAY = re.compile(r"(\w{3}) (\d+), (\d{4})")


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
    assert "<li>1 target that was met is no longer known.</li>" in html
    assert "0 were lost.</li>" in html


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
    assert "missed: 13 · open: 12" in told


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


def test_what_is_expected_of_a_country_stands_in_order_and_says_in_words_what_was_missed():
    told = section(quarterly.page("en", PLAN, shown(of("2004-Q2", folded()))), "country-BLZ")
    expected = told.partition("What is expected of the country")[2].partition("Its figures")[0]
    assert "Jun 30, 2003 · Missed Technical Group created" in expected
    assert "Apr 30, 2005 Legislative changes" in expected, "what is not yet due is not missed"
    days = [instant(f"{one[3]}-{MONTHS[one[1]]:02}-{int(one[2]):02}") for one in DAY.finditer(expected)]
    assert len(days) > 4
    assert days == sorted(days)
    assert expected.rindex("No date") > expected.rindex("2005"), "what has no day comes last"


@pytest.mark.parametrize(
    ("lang", "one", "several"),
    [
        ("es", "10 de 11; falta: Honduras", "faltan: Belice, Canadá"),
        ("fr", "; manque : Honduras", "; manquent : Belize"),
    ],
)
def test_one_missing_country_is_one(lang, one, several):
    done = [event("victims.campaign.launched", code, "2003-06-01T00:00:00Z") for code in MEMBERS if code != "HND"]
    told = section(quarterly.page(lang, PLAN, shown(of("2004-Q2", folded(*done)))), "milestones").replace("\xa0", " ")
    assert one in told
    assert several in told


def test_the_list_names_every_revision_the_latest_quarter_first():
    held = [Published(name, number, instant("2004-05-01"), b"") for name in ("2003-Q4", "2004-Q1") for number in (1, 2)]
    html = quarterly.index("en", PLAN, held)
    assert html.index("Quarterly report: 1st quarter 2004") < html.index("Quarterly report: 4th quarter 2003")
    assert 'href="/reports/2003-Q4?revision=2&amp;lang=en"' in html
    assert "No report has been published yet." in quarterly.index("en", PLAN, [])


def test_a_page_that_is_kept_follows_what_is_published_and_who_reads(monkeypatch):
    """It is made once for each language, and again when another report is there."""
    fold, made, page = folded(), [], quarterly.page
    held = [Published("2004-Q1", 1, instant("2004-05-01"), b"")]
    monkeypatch.setattr(quarterly, "page", lambda *asked: made.append(asked[0]) or page(*asked))

    async def report(quarter, revision):
        wanted = revision or max((one.revision for one in held if one.quarter == quarter), default=0)
        return reports.content(of(quarter, fold, wanted)) if wanted else None

    async def published():
        return [*held]

    with served(viewed(fold, report=report, reports=published)) as address:
        first = get(f"{address}/reports/2004-Q1?lang=en")[1]
        assert get(f"{address}/reports/2004-Q1?lang=en")[1] == first
        assert "Resumen" in get(f"{address}/reports/2004-Q1?lang=es")[1]
        assert made == ["en", "es"]
        held.append(Published("2004-Q1", 2, instant("2004-06-01"), b""))
        assert "Jun 1, 2004" in get(f"{address}/reports/2004-Q1?lang=en")[1]
        old = get(f"{address}/reports/2004-Q1?lang=en&revision=1")[1]
        assert "revision=1" in old
        assert "Jun 1, 2004" in old
        assert len(made) == 4


def test_the_plans_evaluation_is_the_report_of_mid_2005_told_from_the_first_one_on():
    """The Plan, part II: an evaluation at the end of the two years, mid-2005, of how far its objectives are met."""
    first = event("intel.band.dismantled", "MEX", "2003-06-10T00:00:00Z")
    last = [event("intel.band.dismantled", code, "2005-05-10T00:00:00Z") for code in ("GTM", "HND", "SLV")]
    early, late = folded(first), folded(first, *last)
    told = {"2003-Q2": early, "2005-Q1": early, "2005-Q2": late, "2005-Q3": late}

    async def report(quarter, _revision):
        return reports.content(of(quarter, told[quarter])) if quarter in told else None

    async def published():
        return [Published(name, 1, instant("2005-11-01"), b"") for name in sorted(told)]

    with served(viewed(late, report=report, reports=published)) as address:
        status, page, *_ = get(f"{address}/reports/evaluation?lang=en")
        assert (status, get(f"{address}/reports/evaluation.json")[1]) == (
            200,
            get(f"{address}/reports/2005-Q2.json")[1],
        )
        assert "Comprehensive evaluation of the Plan" in page
        assert "Figures as of Jun 30, 2005" in text_of(page)
        moved = section(page, "moved")
        assert "XC-6 Countries reporting in the quarter (countries) 1 3 Not met" in moved, "in the first report one"
        assert "First report" in moved
        assert "Quarter before" not in moved
        objectives = section(page, "objectives")
        for node in PLAN.hierarchy.nodes.values():
            assert (node.text.en in objectives) == (node.level == "objective")
        assert "/reports/evaluation?lang=en" in get(f"{address}/reports?lang=en")[1]
        del told["2005-Q2"]
        assert get(f"{address}/reports/evaluation?lang=en")[0] == 404
        assert "/reports/evaluation" not in get(f"{address}/reports?lang=en")[1]


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


async def hangs(*_):
    await asyncio.Event().wait()


async def lost(*_):
    raise ConnectionResetError


@pytest.mark.parametrize("away", [hangs, lost])
def test_while_the_database_is_away_pages_say_so_and_the_state_of_the_system_is_told(monkeypatch, away):
    monkeypatch.setattr(store, "PATIENCE_S", 0.2)
    asked = store.answering(away)
    with served(viewed(folded(), report=asked, reports=asked, seats=asked)) as address:
        for path in ("/reports", "/reports/2004-Q1", "/desk", "/desk/agenda"):
            status, html, headers = get(f"{address}{path}?lang=es", Accept="text/html")
            assert (status, path) == (503, path)
            assert "lo publicado no se puede leer ahora" in html.lower()
            assert headers["Retry-After"].isdecimal()
        status, html, _ = get(f"{address}/status?lang=en", Accept="text/html")
        assert status == 200
        assert "the database does not answer" in html
        assert "No report has been published yet" not in html
        assert get(f"{address}/?lang=en")[0] == 200, "the figures do not need it"


def test_the_last_report_is_that_of_the_last_quarter_whatever_was_revised_since():
    held = [
        Published("2004-Q1", 1, instant("2004-04-11"), b""),
        Published("2004-Q2", 1, instant("2004-07-11"), b""),
        Published("2004-Q1", 2, instant("2004-07-12"), b""),
    ]

    async def published():
        return held

    with served(viewed(folded(), reports=published)) as address:
        html = text_of(get(f"{address}/status?lang=en")[1])
    assert "The last quarterly report came on Jul 11, 2004 : Quarterly report : 2nd quarter 2004" in re.sub(
        r" ?: ?", " : ", html
    )
