"""Figures for any time: known by a day is what a fold of all recorded by then says; a period is what came in it."""

from datetime import date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.figures.figures import figures
from services.indicators.figures.kinds import Span
from tests.services.indicators.making import PLAN, amend, folded, heard
from tests.services.indicators.test_every_kind import KINDS, rows_of, told, with_correction

SAMPLES = 15
days = st.integers(0, 440).map(lambda n: date(2003, 12, 1) + timedelta(days=n))


def at(payload, **envelope):
    changed = msgspec.json.decode(payload)
    return msgspec.json.encode(changed | envelope)


def said(payload):
    return msgspec.json.decode(payload)


def recorded(payload):
    return datetime.fromisoformat(said(payload)["recordedtime"])


def later(payload, of, days_later):
    """The same, recorded some days after another."""
    return at(payload, recordedtime=f"{(recorded(of) + timedelta(days=days_later)).isoformat()}")


@st.composite
def logs(draw, kind, most=8):
    """Events that feed rows of a kind, mostly recorded late, some amended later still; in the order of recording."""
    log = [one for day in ("2004-01-05", "2004-07-05") for one in heard(on=f"{day}T12:00:00Z")]
    for _ in range(draw(st.integers(0, most))):
        payload, change = draw(told(kind))
        first = later(payload, payload, draw(st.sampled_from([0, 0, 1, 40, 200])))
        fate = draw(st.sampled_from(["kept", "corrected", "retracted"]))
        log.append(first)
        if fate != "kept":
            amended = amend(fate, first)
            amended = with_correction(amended, change) if fate == "corrected" else amended
            log.append(later(amended, first, draw(st.integers(0, 90))))
    return sorted(log, key=recorded)  # as logs are: of two events, the one recorded later stands later


def alike(one, other):
    """All that is said of a figure, but for the day."""
    return [
        (found.cells, found.headline, found.verdict, found.coverage, found.histograms, found.silent)
        for found in (one, other)
    ]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=SAMPLES, deadline=None)
@given(st.data())
def test_what_was_known_is_what_was_recorded_by_then(kind, data):
    log, known = data.draw(logs(kind)), data.draw(days)
    until = data.draw(st.none() | days)
    since = data.draw(st.none() | days) if until else None
    span = Span.now(date(2005, 3, 1)) if until is None else Span.as_of(until)
    span = Span.of(since, until) if since and until and since <= until else span
    then = folded(*[one for one in log if recorded(one).date() <= known])
    whole = folded(*log)
    for one in rows_of(kind):
        for exact in (True, False):
            mine = figures(PLAN, one, whole.state, span.known_on(known), exact=exact)
            theirs = figures(PLAN, one, then.state, span, exact=exact)
            a, b = alike(mine, theirs)
            assert a == b, one.id
