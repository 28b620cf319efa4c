"""How long an answer takes tells what it is made of: of persons, nothing that a single report moves is read for it."""

import json
import urllib.request
from datetime import date

from services.indicators.folded.fold import Fold
from tests.services.indicators.making import PLAN, event, instant
from tests.services.indicators.serving import Again, served, viewed

ROW, REPORT = "VA-4.1", "victims.service.provided"
OPERATOR = {"Authorization": "Bearer secret"}


class Counting(Again):
    """Counts what is read again."""

    def __init__(self, *flow):
        super().__init__(*flow)
        self.reads = 0

    async def read(self, *asked):
        self.reads += 1
        return await super().read(*asked)


def behind(base, **headers):
    request = urllib.request.Request(f"{base}/api/behind/{ROW}", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_what_is_behind_a_figure_about_persons_is_read_once_a_quarter_for_the_public():
    """Each report read takes some 30 µs: whoever asked thousands of times told one from none by the mean."""
    at = {"time": "2003-08-01T10:00:00Z", "recorded": "2003-08-01T12:00:00Z"}
    reports = [event(REPORT, country, **at) for country in ("GTM", "HND", "MEX") for _ in range(44)]
    fold, now = Fold(PLAN), [instant("2003-11-30")]
    recall = Counting(*reports)
    for sequence, one in enumerate(reports, 1):
        fold.take("victims", sequence, one)
    view = viewed(fold, recall=recall, now=lambda: now[0], ready=lambda: True)
    with served(view) as base:
        first = behind(base)
        assert {one["month"] for one in first["counts"]} == {"2003-09"}
        for sequence in range(len(reports) + 1, len(reports) + 8):
            fold.take("victims", sequence, event(REPORT, time="2003-11-29T10:00:00Z"))
            assert behind(base) == first
        assert recall.reads == 1
        behind(base, **OPERATOR)
        behind(base, **OPERATOR)
        assert recall.reads == 3
        now[0] = instant("2004-01-02")
        assert behind(base)["as_of"] == date(2004, 1, 2).isoformat()
        assert recall.reads == 4, "a quarter more is over"
