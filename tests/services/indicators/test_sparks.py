"""The small curve beside each row of the scoreboard: two years by quarter, of what is published, without words."""

import re
from itertools import pairwise

import pytest

from services.indicators.planned.checks import COMPOSED
from tests.services.indicators.making import PLAN, event, folded, instant
from tests.services.indicators.serving import get, served, viewed


@pytest.fixture(scope="module")
def base():
    days = ["2003-07-01", "2003-08-01", "2003-11-01", "2004-02-01", "2004-05-01", "2004-05-02", "2004-05-03"]
    flagged = [event("intel.document.flagged", "MEX", f"{day}T10:00:00Z") for day in days]
    few = [event("victims.victim.identified", "MEX", f"{day}T10:00:00Z") for day in days]
    with served(viewed(folded(*flagged, *few), now=lambda: instant("2004-06-30"))) as address:
        yield address


def picture(base, row):
    status, text, headers = get(f"{base}/indicators/{row}/spark.svg")
    assert status == 200
    assert headers.get_content_type() == "image/svg+xml"
    assert "max-age" in headers["cache-control"]
    return text


def test_a_curve_rises_with_what_is_counted_and_has_no_words(base):
    """By hand: at the ends of the quarters from the second of 2003 on 0, 2, 3, 4, 7 documents were known."""
    drawn = picture(base, "IE-3.1ii")
    points = [tuple(map(float, one.split(","))) for one in re.search('points="([^"]+)"', drawn)[1].split()]
    rises = [before[1] - after[1] for before, after in pairwise(points)]
    unit = rises[-1] / 3
    assert [round(one / unit) for one in rises[-3:]] == [1, 1, 3]
    assert not re.sub("<[^>]*>", "", drawn).strip()


@pytest.mark.parametrize("row", ["VA-4.1", "XC-4"])
def test_of_what_is_reserved_or_made_of_others_nothing_is_drawn(base, row):
    assert "polyline" not in picture(base, row)


def test_every_row_of_the_scoreboard_has_its_own_but_those_made_of_others(base):
    board = get(f"{base}/?lang=es")[1]
    rows = set(re.findall(r'id="row-([^"]+)"', board))
    drawn = re.findall(r'src="/indicators/([^"]+)/spark.svg"[^>]*loading="lazy"', board)
    assert len(drawn) == len({*drawn})
    assert rows - {*drawn} == {row for row in rows if PLAN.rows[row].kind in COMPOSED}
    assert {"IE-3.1ii", "VA-4.1", "LE-2.1"} <= {*drawn}


def test_what_is_no_row_has_none(base):
    assert get(f"{base}/indicators/NOPE/spark.svg")[0] == 404
