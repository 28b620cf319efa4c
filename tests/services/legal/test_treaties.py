"""Acts towards a treaty must make sense by their own dates, in whatever order they arrive."""

from datetime import date
from itertools import permutations

import pytest

from services.legal.obligations import OBLIGATIONS
from services.legal.rules.treaties import inconsistency
from services.legal.store import Act


def acts(*told):
    return [Act(f"e{number}", act, date.fromisoformat(day)) for number, (act, day) in enumerate(told)]


@pytest.mark.parametrize(
    "told",
    [
        [("signed", "2000-12-13"), ("ratified", "2003-03-04")],
        [("acceded", "2003-09-26")],
        [("ratified", "2003-03-04")],
        [("signed", "2000-12-13"), ("ratified", "2000-12-13"), ("reserved", "2000-12-13")],
        [("ratified", "2003-01-01"), ("withdrawn", "2004-01-01"), ("acceded", "2005-01-01")],
        [("signed", "2000-12-13"), ("reserved", "2001-01-01")],
    ],
)
def test_a_history_that_makes_sense_does_so_in_any_order(told):
    assert {inconsistency(one) for one in permutations(acts(*told))} == {None}


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ([("ratified", "2003-01-01"), ("ratified", "2004-01-01")], "already_party"),
        ([("acceded", "2003-01-01"), ("ratified", "2003-01-01")], "already_party"),
        ([("ratified", "2003-01-01"), ("signed", "2003-01-02")], "already_party"),
        ([("signed", "2000-12-13"), ("signed", "2001-01-01")], "already_signed"),
        ([("signed", "2000-12-13"), ("withdrawn", "2001-01-01")], "not_party"),
        ([("ratified", "2003-01-01"), ("withdrawn", "2002-01-01")], "not_party"),
        ([("reserved", "2003-01-01")], "not_party"),
        ([("signed", "2003-01-02"), ("reserved", "2003-01-01")], "not_party"),
    ],
)
def test_a_history_that_makes_none_is_found_in_any_order(told, code):
    assert {inconsistency(one) for one in permutations(acts(*told))} == {code}


def test_the_obligations_are_articles_of_the_three_treaties():
    assert set(OBLIGATIONS) == {"UNTOC", "TIP", "SOM"}
    assert {"5", "6", "8"} <= set(OBLIGATIONS["TIP"])
    last = {"UNTOC": 41, "TIP": 20, "SOM": 25}
    for instrument, articles in OBLIGATIONS.items():
        assert all(1 <= int(article) <= last[instrument] for article in articles)
