"""Where events stand in the logs tells how many lie between them, also about single persons: nobody else learns it."""

import json
import urllib.error
import urllib.request

import pytest

from services.indicators.publish.recalling import Recalled
from tests.services.indicators.making import event, folded
from tests.services.indicators.serving import Again, served, viewed

ROW, MEETING = "IE-2.1", "intel.meeting.held"
TOKEN = {"Authorization": "Bearer secret"}


class Part(Again):
    """Reads three events at a time."""

    async def read(self, wanted, after, until, take, limit_s):
        del wanted, limit_s
        begun = after.get("intel", 0)
        for sequence, payload in [*enumerate(self.flow, 1)][begun : begun + 3]:
            take("intel", sequence, payload)
        reached = min(begun + 3, len(self.flow))
        return Recalled({"intel": reached} if reached < len(self.flow) else dict(until), reached == len(self.flow))


def asked(base, query="", **headers):
    request = urllib.request.Request(f"{base}/api/behind/{ROW}{query}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def told(answer):
    return sum(one["reported"] for one in answer["counts"])


@pytest.fixture(scope="module")
def base():
    meetings = [event(MEETING, "MEX", date=f"2003-06-{day:02}") for day in range(1, 5)]
    person = event("victims.service.provided")
    flow = [meetings[0], person, meetings[1], person, person, meetings[2], meetings[3], person]
    fold = folded(*flow)
    with served(viewed(fold, recall=Part(*flow))) as address:
        yield address


def test_nobody_asks_for_what_lies_behind_a_position(base):
    """By halving, a stranger found the position of each event that is about nobody, and so how many lie between."""
    for position in range(9):
        assert asked(base, f"?after=intel:{position}")[0] == 400
    assert asked(base, "?after=intel:3", **TOKEN)[0] == 200


def test_who_is_not_told_positions_goes_on_all_the_same_by_words_that_say_nothing(base):
    found, query, given = 0, "", []
    for _ in range(9):
        status, answer = asked(base, query)
        assert status == 200
        found += told(answer)
        if "next" not in answer:
            break
        given.append(answer["next"])
        query = f"?after={answer['next']}"
    assert (found, len(given)) == (4, 2)
    assert len({len(one) for one in given}) == 1
    assert not {":", ","} & {*"".join(given)}
    first = given[0]
    changed = first[:50] + ("A" if first[50] != "A" else "B") + first[51:]
    assert asked(base, f"?after={changed}")[0] == 400
    assert asked(base, f"?after={first}", **TOKEN)[0] == 400
