"""Any time, country and label, asked for by HTTP: what it is, what contradicts itself, and what nobody may know."""

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from infra.cli import app
from services.indicators.figures.figures import EXACT
from services.indicators.figures.kinds import Span
from services.indicators.figures.series import PERIODS_MAX, Period, periods
from services.indicators.publish.access import country_token
from tests.services.indicators.making import amend, event, folded, instant
from tests.services.indicators.serving import get, served, viewed

FLAGGED = "intel.document.flagged"
SERVED = "victims.service.provided"


def flags(number, country, day, known=""):
    return [event(FLAGGED, country, f"{day}T10:00:00Z", recorded=f"{known or day}T10:00:00Z")] * number


def told():
    """Three flags in May, five in August of which Guatemala's two became known in December; one taken back then."""
    mistaken = flags(1, "GTM", "2003-05-20")
    taken_back = [amend("retracted", mistaken[0])]  # recorded on 2004-09-09
    return folded(
        *flags(2, "GTM", "2003-05-20"),
        *mistaken,
        *flags(3, "HND", "2003-08-10"),
        *flags(2, "GTM", "2003-08-20", "2003-12-01"),
        *taken_back,
        *[event(SERVED, "GTM", "2003-08-10T10:00:00Z", sex="female")] * 15,
        *[event(SERVED, "HND", "2003-08-10T10:00:00Z", sex="female")] * 2,
        *[event(SERVED, "HND", "2003-11-10T10:00:00Z", sex="female")] * 14,
    )


@pytest.fixture(scope="module")
def base():
    with served(viewed(told(), now=lambda: instant("2004-12-31"))) as address:
        yield address


def asked(base, target, token=""):
    status, body, _ = get(base + target, **({"Authorization": f"Bearer {token}"} if token else {}))
    return status, json.loads(body)


def value(base, query, row="IE-3.1ii"):
    """The region's one figure, as the list has it."""
    status, found = asked(base, f"/api/indicators?{query}")
    assert status == 200, found
    return next(one for one in found if one["id"] == row)["value"]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 7),
        ("as_of=2003-06-30", 2),
        ("since=2003-07-01&until=2003-09-30", 5),
        ("since=2003-07-01", 5),
        ("since=2003-06-01&until=2003-07-31", None),
        ("known_on=2003-12-31", 8),
        ("known_on=2003-11-30", 6),
        ("as_of=2003-08-31&known_on=2003-11-30", 6),
        ("since=2003-08-01&until=2003-08-31&known_on=2003-11-30", 3),
        ("since=2003-08-01&until=2003-08-31&known_on=2003-12-01", 5),
    ],
)
def test_the_same_row_as_of_a_day_of_a_period_and_as_it_was_known(base, query, number):
    assert value(base, query) == number


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("as_of=2003-06-30&since=2003-01-01", "as_of_or_period"),
        ("until=2003-06-30", "until_alone"),
        ("since=2003-06-30&until=2003-06-29", "period_backwards"),
        ("as_of=2003-06-30&known_on=2003-06-29", "known_before"),
        ("since=2003-05-01&until=2003-06-30&known_on=2003-06-29", "known_before"),
        ("since=2005-01-01", "day_ahead"),
        ("known_on=2005-01-01", "day_ahead"),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_reason(base, query, reason):
    for target in ("/api/indicators", "/api/indicators/LE-2.1", "/api/countries/GTM"):
        status, found = asked(base, f"{target}?{query}")
        assert (status, found["reason"]) == (400, reason)


def test_a_series_has_each_periods_own_figure_for_a_country_and_its_labels(base):
    series = "/api/indicators/IE-3.1ii/series?by=quarter&since=2003-04-01&until=2003-12-31"
    _, whole = asked(base, series)
    assert [one["since"] for one in whole["periods"]] == ["2003-04-01", "2003-07-01", "2003-10-01"]
    (line,) = whole["lines"]
    assert [one and one["value"] for one in line["values"]] == [2, 5, None]
    _, curve = asked(base, f"{series}&figure=end&known_on=2003-12-31")
    assert [one["value"] for one in curve["lines"][0]["values"]] == [3, 8, 8]
    _, mine = asked(base, f"{series}&country=GTM&labels=fraud_type:{line_label(base)}")
    assert [[one and one["value"] for one in line["values"]] for line in mine["lines"]] == [[2, 2, None]]


def line_label(base):
    _, found = asked(base, "/api/indicators/IE-3.1ii?country=GTM")
    (cell,) = found["values"]
    assert cell["value"] == 4
    return cell["labels"]["fraud_type"]


def test_several_series_in_one_call_and_nothing_without_bounds(base):
    status, found = asked(base, "/api/series?indicator=IE-3.1ii,VA-4.1&by=year&until=2003-12-31&since=2003-01-01")
    assert (status, [one["id"] for one in found]) == (200, ["IE-3.1ii", "VA-4.1"])
    for query, reason in (
        ("indicator=IE-3.1ii,NO-1&by=year", "no_indicator"),
        ("indicator=IE-3.1ii&by=month&since=1990-01-01&figure=end&labels=no:x", "labels_of"),
        (f"indicator={','.join(['IE-3.1ii'] * 13)}&by=year", "text"),
        ("indicator=IE-3.1ii&by=week", "one_of"),
        ("indicator=IE-3.1ii,IE-3.1i,LE-2.1&by=month&since=1990-01-01", "too_many_periods"),
    ):
        status, refused = asked(base, f"/api/series?{query}")
        assert (status, refused["reason"]) == (400, reason)


def test_the_public_gets_no_period_of_victims_by_which_a_day_could_be_told(base):
    _, quarter = asked(base, "/api/indicators/VA-4.1?since=2003-07-01&until=2003-09-30")
    assert "refused" not in quarter
    told = {(one["country"], one["value"], one["suppressed"]) for one in quarter["values"]}
    assert told == set()
    whole = next(
        one for one in asked(base, "/api/indicators?since=2003-07-01&until=2003-09-30")[1] if one["id"] == "VA-4.1"
    )
    assert (whole["value"], whole["suppressed_cells"]) == (22, 0)
    for query, why in (
        ("since=2003-07-01&until=2003-08-31", "victims_period"),
        ("since=2003-07-02&until=2003-09-30", "victims_period"),
        ("since=2004-10-01&until=2004-12-30", "victims_period"),
        ("as_of=2003-09-29&known_on=2003-12-31", "victims_known_on"),
    ):
        _, refused = asked(base, f"/api/indicators/VA-4.1?{query}")
        assert (refused["refused"], refused["values"], refused["coverage"]) == (why, [], None)
        _, exact = asked(base, f"/api/indicators/VA-4.1?{query}", "secret")
        assert "refused" not in exact
    _, months = asked(base, "/api/indicators/VA-4.1/series?by=month&since=2003-07-01&until=2003-09-30")
    assert (months["lines"], {one["refused"] for one in months["periods"]}) == ([], {"victims_period"})
    _, months = asked(base, "/api/indicators/VA-4.1/series?by=month&since=2003-07-01&until=2003-09-30", "secret")
    assert [one and one["value"] for one in months["lines"][0]["values"]] == [None, 17, None]


def test_a_row_for_which_a_period_makes_no_sense_says_so(base):
    _, found = asked(base, "/api/indicators/XC-1?since=2003-07-01&until=2003-09-30")
    assert (found["refused"], found["values"]) == ("no_period", [])
    _, whole = asked(base, "/api/indicators/XC-1?as_of=2003-09-30")
    assert "refused" not in whole
    _, curve = asked(base, "/api/indicators/XC-1/series?by=quarter&figure=end&since=2003-09-30&until=2003-09-30")
    same = next(one["value"] for one in whole["values"] if not one["labels"])
    assert [one["value"] for one in curve["lines"][0]["values"]] == [same]


async def test_to_say_so_no_other_row_is_worked_out(monkeypatch):
    seen = viewed(told())
    worked = []
    monkeypatch.setattr("services.indicators.publish.view.plain", lambda _plan, row, *_, **__: worked.append(row.id))
    span = Span.of(date(2003, 7, 1), date(2003, 9, 30))
    found = [await seen._of(row.id, span, EXACT) for row in seen.plan.rows.values() if row.kind == "score"]
    assert {one.refused for one in found} == {"no_period"}
    assert worked == []


def test_a_country_in_one_call(base):
    status, found = asked(base, "/api/countries/GTM?since=2003-07-01&until=2003-09-30&known_on=2003-11-30")
    assert (status, found["country"], found["since"], found["as_of"]) == (200, "GTM", "2003-07-01", "2003-09-30")
    assert found["last_reported"] == "2003-05-20"  # of help for victims the public hears nothing
    assert found["silent"]  # nothing in the 30 days before the end of September
    rows = {one["id"]: one for one in found["rows"]}
    assert {cell["country"] for one in found["rows"] for cell in one["values"]} == {"GTM"}
    assert "IE-3.1ii" not in rows
    assert rows["VA-4.1"]["refused"] == "victims_known_on"
    assert rows["XC-1"]["refused"] == "no_period"
    now = {one["id"]: one for one in asked(base, "/api/countries/GTM")[1]["rows"]}
    assert [cell["value"] for cell in now["IE-3.1ii"]["values"]] == [4]
    assert now["IE-3.1ii"]["region"]["value"] == 7
    assert asked(base, "/api/countries/FRA")[0] == 404


def test_a_country_sees_its_own_part_exact_and_live_and_no_others(base):
    own = country_token("secret", "HND")
    _, one = asked(base, "/api/indicators/VA-4.1", own)
    assert sum(cell["value"] for cell in one["own"]) == 16
    assert {cell["country"] for cell in one["own"]} == {"HND"}
    assert {name: value for name, value in one.items() if name != "own"} == asked(base, "/api/indicators/VA-4.1")[1]
    rows = {row["id"]: row for row in asked(base, "/api/countries/HND", own)[1]["rows"]}
    assert [cell["value"] for cell in rows["VA-4.1"]["values"]] == [16]
    assert "VA-4.1" not in {row["id"] for row in asked(base, "/api/countries/GTM", own)[1]["rows"]}
    assert "own" not in asked(base, "/api/indicators/VA-4.1", country_token("other", "HND"))[1]


def test_periods_are_the_calendars_and_cut_at_both_ends():
    assert periods("quarter", date(2003, 5, 9), date(2003, 12, 1)) == [
        Period(date(2003, 5, 9), date(2003, 6, 30)),
        Period(date(2003, 7, 1), date(2003, 9, 30)),
        Period(date(2003, 10, 1), date(2003, 12, 1)),
    ]
    assert [one.since.month for one in periods("month", date(2003, 11, 1), date(2004, 2, 29))] == [11, 12, 1, 2]
    assert len(periods("year", date(1990, 1, 1), date(2003, 12, 31))) == 14
    assert len(periods("month", date(1990, 1, 1), date(2200, 12, 31))) > PERIODS_MAX


@pytest.fixture
def crm(base, monkeypatch):
    monkeypatch.setattr("infra.cli.running.running", lambda _state: {"http": base})
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words):
        return CliRunner().invoke(app, ["indicators", *words])

    return run


def test_the_command_line_asks_the_same(crm):
    period = crm("IE-3.1ii", "--since", "2003-08-01", "--until", "2003-08-31", "--known-on", "2003-11-30")
    assert "2003-08-01 to 2003-08-31, as known on 2003-11-30" in period.output
    table = crm("IE-3.1ii", "--by", "quarter", "--since", "2003-04-01", "--until", "2003-09-30").output.splitlines()
    assert [line.split() for line in table if "2003-0" in line and " 5 " in line]
    assert json.loads(crm("IE-3.1ii", "--country", "GTM", "--json").output)["values"][0]["value"] == 4
    assert "victims_period" in crm("VA-4.1", "--since", "2003-08-01").output
    wrong = crm("--until", "2003-08-01")
    assert (wrong.exit_code, "since" in wrong.output) == (2, True)
