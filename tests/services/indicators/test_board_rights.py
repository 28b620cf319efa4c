"""Who may do what on the board, as docs/security.md says it: everybody tries every action, by what comes of it."""

import json
import urllib.error
import urllib.request

import pytest

from services.indicators.publish import view as viewing
from services.indicators.publish.access import country_token
from shared.contracts.vocabulary import MEMBERS
from tests.services.indicators.making import event
from tests.services.indicators.serving import Again, example_fold, served, viewed

TOKENS = {
    "nobody": "",
    "a wrong token": "Bearer secreT",
    "the token without its scheme": "secret",
    "another country's signature": f"Bearer HND.{country_token('secret', 'MEX').partition('.')[2]}",
    **{name: f"Bearer {country_token('secret', name)}" for name in MEMBERS},
    "operator": "Bearer secret",
}
EVERYBODY = frozenset(TOKENS)
MAY = {
    "read the board": EVERYBODY,
    "read published figures": EVERYBODY,
    "see figures that are not published": {"operator"},
    "scrape figures that are not published": {"operator"},
    "see Mexico's own report behind a figure": {"operator", "MEX"},
    "see what a report of Mexico's moved": {"operator", "MEX"},
    "have all folded anew": {"operator"},
    "have it recorded that an intake was emptied": {"operator"},
}


class Board:
    def __init__(self, **more):
        self.done = []
        fold = example_fold()

        async def rebuild():
            self.done.append("rebuild")
            return {}

        async def purged(_told):
            self.done.append("purged")

        again = Again(event("intel.meeting.held", "MEX"))
        self.view = viewed(fold, recall=again, rebuild=rebuild, purged=purged, **more)

    def asks(self, base, path, token, method="GET"):
        request = urllib.request.Request(
            f"{base}{path}", method=method, headers={"Authorization": token} if token else {}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def does(self, base, token):
        """What comes of it for who sends this token."""
        rows = {name: self.asks(base, "/api/indicators", one) for name, one in (("public", ""), ("it", token))}
        lines = {
            name: self.asks(base, "/metrics", one)[1].splitlines() for name, one in (("public", ""), ("it", token))
        }
        self.done.clear()
        self.asks(base, "/rebuild", token, "POST")
        self.asks(base, "/purged?country=GTM&why=flood&messages=1&waiting=0", token, "POST")
        return {
            name
            for name, done in {
                "read the board": self.asks(base, "/", token)[0] == 200,
                "read published figures": rows["it"][0] == 200,
                "see figures that are not published": json.loads(rows["it"][1]) != json.loads(rows["public"][1]),
                "scrape figures that are not published": bool({*lines["it"]} - {*lines["public"]}),
                "see Mexico's own report behind a figure": "an-id" in self._ids(base, token),
                "see what a report of Mexico's moved": self.asks(base, "/api/events/intel/1", token)[0] == 200,
                "have all folded anew": "rebuild" in self.done,
                "have it recorded that an intake was emptied": "purged" in self.done,
            }.items()
            if done
        }

    def _ids(self, base, token):
        _, body = self.asks(base, "/api/behind/IE-2.1", token)
        return {"an-id"} if json.loads(body).get("events") else set()


@pytest.fixture(scope="module")
def board():
    made = Board()
    with served(made.view) as base:
        yield made, base


@pytest.mark.parametrize("who", TOKENS)
def test_each_does_what_it_may_and_nothing_else(board, who):
    made, base = board
    assert made.does(base, TOKENS[who]) == {name for name, allowed in MAY.items() if who in allowed}


def test_a_board_without_an_operators_token_takes_none():
    made = Board(token="")
    with served(made.view) as base:
        for token in TOKENS.values():
            assert made.does(base, token) == {"read the board", "read published figures"}


def test_an_address_that_is_opened_on_purpose_is_found(monkeypatch):
    """The control."""
    monkeypatch.setattr(viewing.View, "operator", lambda _self, _request: None)
    made = Board()
    with served(made.view) as base:
        assert made.does(base, "") - {name for name, allowed in MAY.items() if "nobody" in allowed} == {
            "have all folded anew",
            "have it recorded that an intake was emptied",
        }
