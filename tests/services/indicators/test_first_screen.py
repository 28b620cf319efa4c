"""What people see first, from outside: where the Plan stands, what changed, what is due, the rows they choose."""

import html
import re
import tomllib
import urllib.request
from pathlib import Path

import pytest

from services.indicators.planned.persons import row_about_persons
from services.indicators.publish import pages
from services.indicators.publish.choosing import STANDINGS
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import PLAN, event, folded, instant
from tests.services.indicators.serving import get, served, viewed

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
LANGUAGES = ("es", "en", "fr")
HEARD = ("06-20", "07-20")
"""Whoever reports on these days is silent neither at the quarter's end nor at that of July."""


@pytest.fixture(scope="module")
def base():
    """At the end of July 2004: one ratification before the quarter's end, two meetings, one of them after it."""
    fold = folded(
        event("legal.treaty.ratified", "MEX", "2003-03-04T00:00:00Z", instrument="TIP"),
        event("legal.treaty.acceded", "BLZ", "2004-07-10T00:00:00Z", instrument="TIP"),
        event("intel.meeting.held", "MEX", "2004-06-01T00:00:00Z", date="2004-06-01"),
        event("intel.meeting.held", "MEX", "2004-07-06T00:00:00Z", date="2004-07-06"),
        event("intel.manual.adopted", "GTM", "2004-07-20T00:00:00Z"),
        *[event("victims.victim.identified", "HND", "2004-07-21T00:00:00Z")] * 3,
    )
    with served(viewed(fold, now=lambda: instant("2004-07-31"))) as address:
        yield address


def seen(base, path, **headers):
    status, body, got = get(base + path, **headers)
    assert status == 200, path
    return html.unescape(body), got


def part(page, name):
    return re.search(rf'<section id="part-{name}".*?</section>', page, re.DOTALL)[0]


def plain(text):
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def rows(page):
    return re.findall(r'<tr id="row-([^"]+)"', page)


def test_the_score_says_how_it_is_made_with_all_its_weights(base):
    page, _ = seen(base, "/?lang=en")
    made = re.search(r'<table class="made">.*?</table>', page, re.DOTALL)[0]
    weights = [
        int(one.split()[-3])
        for one in map(plain, re.findall(r"<tbody>.*?</tbody>", made, re.DOTALL)[0].split("</tr>"))
        if one
    ]
    assert weights == [84, 78, 60, 59, 53, 42, 37]  # Cuadro 1 of the Plan
    assert "Made of 7 parts" in plain(part(page, "answer"))
    for area in PLAN.areas:
        assert f"area={area.id}#rows" in part(page, "areas")


def test_what_changed_is_since_the_end_of_the_last_quarter(base):
    changed = plain(part(seen(base, "/?lang=en")[0], "changed"))
    assert "Since Jun 30, 2004" in changed
    assert "Milestone reached Monthly virtual meeting Jul 6, 2004" in changed
    assert "Jun 1, 2004" not in changed
    # Of the first Tuesdays from June 2003 on, one of 13 was held by the end of June 2004, two of 14 by now.
    assert "Better IE-2.1.held Monthly meetings held of those due : 7.7% → 14.3%" in changed


def test_what_is_overdue_stands_with_whom_and_what_comes_next(base):
    page, _ = seen(base, "/?lang=en")
    overdue = plain(part(page, "overdue"))
    assert "395 days overdue" in overdue or "and " in overdue
    assert "All countries" in overdue
    following = plain(part(page, "next"))
    assert following.startswith("Next due dates in 3 days Monthly virtual meeting Aug 3, 2004")
    quiet = plain(part(page, "quiet"))
    assert "Canada never reported" in quiet
    assert "Belize for" not in quiet  # it reported three weeks ago; silent is who has not for 30 days


def test_what_silence_leaves_in_doubt_is_not_said_to_be_lost():
    """Every country reported in June 2004, and none since: who is silent for 30 days leaves a verdict open."""
    told = [event("intel.contactpoint.designated", country, "2004-06-20T00:00:00Z") for country in MEMBERS]
    with served(viewed(folded(*told), now=lambda: instant("2004-08-15"))) as address:
        changed = plain(part(seen(address, "/?lang=en")[0], "changed"))
    assert "? No longer known IE-1.2.2.vacant" in changed
    assert "No longer met IE-1.2.2.vacant" not in changed


def test_every_country_has_a_door_that_opens_in_three_languages(base):
    for lang in LANGUAGES:
        doors = part(seen(base, f"/?lang={lang}")[0], "countries")
        for code in MEMBERS:
            assert f'href="/countries/{code}?lang={lang}"' in doors
            page, _ = seen(base, f"/countries/{code}?lang={lang}")
            assert f'<html lang="{lang}">' in page


def test_a_countrys_page_has_its_own_figures_and_only_guarded_ones(base):
    page, _ = seen(base, "/countries/MEX?lang=en")
    assert "Last report: Jul 6, 2004" in page
    figures = page.partition('id="figures"')[2]
    assert "Trafficking Protocol" in figures or "Palermo" in figures or "LE-2.1" in figures
    victims = [row for row in PLAN.rows.values() if row_about_persons(row)]
    shown = [seen(base, f"/countries/{code}?lang=en")[0].partition('id="figures"')[2] for code in MEMBERS]
    told = {
        row.id: re.findall(rf"indicators/{re.escape(row.id)}\?.*?</tr>", page, re.DOTALL)
        for row in victims
        for page in shown
    }
    lines = [plain(line) for found in told.values() for line in found]
    assert lines == []  # they are few


def test_an_operators_token_shows_no_more_on_a_countrys_page(base):
    exact = seen(base, "/countries/HND?lang=en", Authorization="Bearer secret")[0]
    assert exact == seen(base, "/countries/HND?lang=en")[0]


def test_rows_are_chosen_by_area_verdict_country_and_words(base):
    everything = rows(seen(base, "/?lang=en")[0])
    assert [*everything] == [name for area in PLAN.areas for name in PLAN.rows if name.startswith(f"{area.id}-")]
    assert rows(seen(base, "/?lang=en&area=LE")[0]) == [name for name in PLAN.rows if name.startswith("LE-")]
    assert "LE-2.1" in rows(seen(base, "/?lang=en&show=not_met")[0])
    assert "LE-2.1" not in rows(seen(base, "/?lang=en&show=met")[0])
    assert "LE-2.1" in rows(seen(base, "/?lang=en&country=BLZ&area=LE")[0])
    assert "LE-2.1" not in rows(seen(base, "/?lang=en&country=CAN&area=LE")[0])
    assert "LE-2.1" in rows(seen(base, "/?lang=es&q=PAISES+tratados")[0])  # small letters, accents do not matter
    assert rows(seen(base, "/?lang=en&q=le-2.1&area=IE")[0]) == []
    shown = [rows(seen(base, f"/?lang=en&show={one}")[0]) for one in STANDINGS]
    assert sorted(name for one in shown for name in one) == sorted(PLAN.rows)


def test_rows_are_sorted_as_asked(base):
    page, _ = seen(base, "/?lang=en&sort=standing")
    verdicts = re.findall(r'<tr id="row-.*?badge (\w+)"', page, re.DOTALL)
    assert sorted(verdicts, key=STANDINGS.index) == verdicts
    assert len(verdicts) == len(PLAN.rows)


@pytest.mark.parametrize(
    "asked", ["show=nothing", "country=XXX", "sort=x", f"q={'a' * 61}", "area=%3Cb%3E", "colour=red"]
)
def test_what_is_no_choice_is_refused(base, asked):
    status, body, _ = get(f"{base}/?{asked}")
    assert status == 400
    assert "<b>" not in body


def test_what_was_searched_is_shown_and_is_no_markup(base):
    body = get(f"{base}/?lang=en&q=%22%3E%3Cscript%3E")[1]
    assert "<script>" not in body
    assert "&lt;script&gt;" in body


@pytest.mark.parametrize(
    "path", ["/countries/XXX", "/countries/gtm", "/nothing", "/indicators/XX-9", "/reports/2009-Q1"]
)
def test_who_reads_pages_is_told_on_a_page_that_there_is_none(base, path):
    for lang, way in (
        ("es", "Volver al tablero"),
        ("en", "Back to the scoreboard"),
        ("fr", "Retour au tableau de bord"),
    ):
        status, body, got = get(f"{base}{path}?lang={lang}", **BROWSER)
        assert status == 404
        assert got["content-type"].startswith("text/html")
        assert f'<html lang="{lang}">' in body
        assert way in body
        assert f'href="/?lang={lang}"' in body


@pytest.mark.parametrize("path", ["/api/indicators/XX-9", "/contracts/schemas/none.json"])
def test_tools_are_told_in_json_though_a_browser_asks(base, path):
    status, _, got = get(base + path, **BROWSER)
    assert (status, got["content-type"]) == (404, "application/problem+json")


def test_the_language_asked_for_is_remembered(base):
    _, got = seen(base, "/objectives?lang=fr")
    assert got["set-cookie"].startswith("lang=fr;")
    cookie = {"Cookie": "lang=fr", "Accept-Language": "en"}
    assert '<html lang="fr">' in seen(base, "/", **cookie)[0]
    assert '<html lang="es">' in seen(base, "/?lang=es", **cookie)[0]
    assert '<html lang="en">' in seen(base, "/", **cookie | {"Cookie": "lang=xx"})[0]


def test_a_change_of_language_keeps_what_was_asked_for(base):
    assert 'href="?lang=fr&area=LE&show=not_met"' in seen(base, "/?lang=en&area=LE&show=not_met")[0]
    assert 'href="?lang=fr&as_of=2004-06-30"' in seen(base, "/indicators/LE-2.1?lang=en&as_of=2004-06-30")[0]
    chosen = "as_of=2004-06-30&by=month&figure=period"
    assert f'href="?lang=fr&{chosen}"' in seen(base, f"/indicators/LE-2.1?lang=en&{chosen}")[0]


def test_every_page_has_a_title_an_icon_and_a_foot_that_name_things(base):
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert project["version"] == pages.VERSION
    for path in ("/", "/objectives", "/contracts", "/countries/GTM", "/indicators/LE-2.1"):
        page, _ = seen(base, f"{path}?lang=en")
        assert "· Regional Conference on Migration</title>" in page
        assert f"version {pages.VERSION}" in page.partition("<footer>")[2]
    assert "<title>Guatemala ·" in seen(base, "/countries/GTM?lang=en")[0]
    assert "<title>LE-2.1 Countries party to the treaties ·" in seen(base, "/indicators/LE-2.1?lang=en")[0]
    status, icon, got = get(f"{base}/static/favicon.svg")
    assert (status, got["content-type"]) == (200, "image/svg+xml")
    assert icon.startswith("<svg")


def test_the_first_page_is_small(base):
    asked = urllib.request.Request(f"{base}/?lang=es", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert len(answer.read()) < 60_000


def test_what_changed_within_a_week_is_told_apart_from_the_quarter(base):
    quiet, quarter = plain(part(seen(base, "/?lang=en")[0], "changed")).split("Since Jun 30, 2004")
    assert quiet == "What changed Since Jul 24, 2004 Nothing has changed. "
    assert "Monthly virtual meeting Jul 6, 2004" in quarter
    fold = folded(event("intel.meeting.held", "MEX", "2004-07-06T00:00:00Z", date="2004-07-06"))
    for today, sinces in (("2004-07-10", ["Jul 3, 2004", "Jun 30, 2004"]), ("2004-07-06", ["Jun 30, 2004"])):
        with served(viewed(fold, now=lambda today=today: instant(f"{today}T12:00:00"))) as address:
            news = part(seen(address, "/?lang=en")[0], "changed")
        told = plain(news)
        assert re.findall(r"Since (\w+ \d+, \d+)", told) == sinces, (
            "a week that is no later than the quarter says nothing"
        )
        assert told.count("Monthly virtual meeting Jul 6, 2004") == 1, "the same is told once"


def test_milestones_have_a_line_for_each_country(base):
    """Mexico held a meeting of the region, which is no country's own; Guatemala's manual is not asked for either."""
    page = seen(base, "/?lang=en")[0].partition('id="part-obliged"')[2].partition("</details>")[0]
    lines = {
        code: re.findall(r"<title>([^<]*)</title>", line)
        for code, line in re.findall(r'<a href="/countries/([A-Z]{3})\?(.*?)</li>', page, re.DOTALL)
    }
    assert {*lines} == {*MEMBERS}
    asked = [one for one in PLAN.milestones.values() if one.countries and one.due]
    assert all(len(line) >= len(asked) for line in lines.values())
    assert "Technical Group created: Jun 30, 2003, Missed" in lines["BLZ"]
    assert "Tools implemented: Nov 30, 2005, Open" in lines["BLZ"]
    assert not any("Monthly virtual meeting" in told for line in lines.values() for told in line)


def test_a_countrys_line_says_what_it_has_done_though_others_have_not():
    fold = folded(event("legal.representative.designated", "BLZ", "2003-06-01T00:00:00Z"))
    with served(viewed(fold, now=lambda: instant("2004-07-31"))) as address:
        page = seen(address, "/?lang=en")[0].partition('id="part-obliged"')[2].partition("</details>")[0]
    told = re.findall(r"<title>Technical Group created: Jun 30, 2003, (\w+)</title>", page)
    assert told == ["Reached", *["Missed"] * 10], "Belize is first"


def test_what_is_read_at_the_start_is_no_change_since_the_last_quarter():
    """A page asked for while events are still read is compared with the same reading, not with an empty one."""
    heard = [event("legal.coordination.held", one, f"2004-{day}T00:00:00Z") for one in MEMBERS for day in HEARD]
    empty, whole = folded(), folded(event("intel.database.activated", "MEX", "2004-02-01T00:00:00Z"), *heard)
    held = {"fold": empty, "settled": False}
    view = viewed(
        empty,
        state=lambda: held["fold"].state,
        settled=lambda: held["settled"],
        now=lambda: instant("2004-07-31"),
    )
    with served(view) as address:
        get(f"{address}/?lang=en")
        held |= {"fold": whole, "settled": True}
        body = seen(address, "/?lang=en")[0]
    news = body.partition('id="part-changed"')[2].partition("</section>")[0]
    assert "<strong>1</strong> <small>database" in body
    assert "IE-1.2.active" not in news
