"""Figures for any time: known by a day is what a fold of all recorded by then says; a period is what came in it."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.figures import periods
from services.indicators.figures.figures import figures
from services.indicators.figures.kinds import Span
from services.indicators.planned import fields
from tests.services.indicators.making import PLAN, amend, closing, folded, heard
from tests.services.indicators.test_every_kind import KINDS, rows_of, told, with_correction

SAMPLES = 10
AT_ALL_TIMES = msgspec.structs.replace(
    PLAN, rows={name: msgspec.structs.replace(one, period="", within=None) for name, one in PLAN.rows.items()}
)
"""The same rows, none of them only of a year or of some time: the oracle gets only what is to count."""
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


def days_about(log):
    """Days on which something happened or was recorded, and those beside them: there a day more or less tells."""
    told = [said(one) for one in log]
    on = {datetime.fromisoformat(one[name]).date() for one in told for name in ("time", "recordedtime")}
    return st.sampled_from(sorted({one + timedelta(days=n) for one in on for n in (-1, 0, 1)})) | days


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
    log = data.draw(logs(kind))
    known, until = data.draw(days_about(log)), data.draw(st.none() | days_about(log))
    since = data.draw(st.none() | days_about(log)) if until else None
    span = Span.now(date(2005, 3, 1)) if until is None else Span.as_of(until)
    span = Span.of(since, until) if since and until and since <= until else span
    then = folded(*[one for one in log if recorded(one).date() <= known])
    whole = folded(*log)
    for one in rows_of(kind):
        for exact in (True, False):
            mine = figures(PLAN, one, whole.state, span.known_on(known), closed=closing(span.day, exact=exact))
            theirs = figures(PLAN, one, then.state, span, closed=closing(span.day, exact=exact))
            a, b = alike(mine, theirs)
            assert a == b or (not exact and mine.refused), one.id


def plainly(one):
    """Rows whose terms count each event, or what it says, on its own day."""
    terms = [term for term in one.term if term.event != "*"]
    told_changes = any(fields.changes(term.event) and str(term.add) in fields.changes(term.event) for term in terms)
    return terms and not told_changes and not any(term.last or term.on or term.once for term in terms)


def standing(log, known):
    """The events as they stand by what was recorded by a day: corrected, and without those retracted."""
    found = {}
    for number, payload in enumerate(one for one in log if recorded(one).date() <= known):
        event = said(payload)
        if event["type"].endswith(".corrected.v1"):
            of = found[event["data"]["of"]]
            found[event["data"]["of"]] = at(of, data=event["data"]["data"])
        elif event["type"].endswith(".retracted.v1"):
            del found[event["data"]["of"]]
        else:
            found[event["id"] if event["id"] != "e-1" else f"n-{number}"] = payload
    return [*found.values()]


def named(log):
    """The same log, where each amendment names the event that it amends."""
    found, by_words = [], {}
    for number, payload in enumerate(log):
        event = said(payload)
        if event["type"].endswith((".corrected.v1", ".retracted.v1")):
            of = by_words[event["data"]["original_time"], msgspec.json.encode(event["data"]["previous"])].pop()
            found.append(at(payload, data=event["data"] | {"of": of}))
        else:
            by_words.setdefault((event["time"], msgspec.json.encode(event["data"])), []).append(f"e{number}")
            found.append(at(payload, id=f"e{number}"))
    return found


@pytest.mark.parametrize("kind", ["count", "ratio", "share", "mean", "latency", "distinct"])
@settings(max_examples=SAMPLES, deadline=None)
@given(st.data())
def test_a_period_is_what_came_in_it_by_what_was_known_then(kind, data):
    log = named(data.draw(logs(kind)))
    since, until, known = sorted(data.draw(st.tuples(*[days_about(log)] * 3)))
    came = [one for one in standing(log, known) if since <= datetime.fromisoformat(said(one)["time"]).date() <= until]
    whole, only = folded(*log), folded(*came)
    for one in filter(plainly, rows_of(kind)):
        if (
            one.clock != "time"
            or one.within
            or one.calendar
            or any(periods.stands(one, term.role) for term in one.term)
        ):
            continue
        mine = figures(PLAN, one, whole.state, Span.of(since, until).known_on(known), closed=None)
        theirs = figures(AT_ALL_TIMES, AT_ALL_TIMES.rows[one.id], only.state, Span.now(until), closed=None)
        assert numbers(mine) == numbers(theirs), one.id
        assert one.period or mine.coverage == theirs.coverage, one.id


def numbers(found):
    """Every number but those 0 which only say that somebody was heard."""
    cells = [*found.cells, *([found.headline] if found.headline else [])]
    return {
        (cell.country, *cell.labels.values()): (cell.value, cell.numerator, cell.denominator)
        for cell in cells
        if cell.value != 0 or cell.denominator
    }


@settings(max_examples=SAMPLES, deadline=None)
@given(st.data())
def test_the_parts_of_a_period_are_together_the_whole(data):
    """Also of what changes a number later than on the event's own day, and of what several tell once."""
    log = data.draw(logs("count", most=12))
    ends = sorted(data.draw(st.sets(days_about(log), min_size=2, max_size=5)))
    known, fold = data.draw(days_about(log)), folded(*log)
    cuts = [Span.of(one, other - timedelta(days=1)) for one, other in pairwise(ends)]
    whole = Span.of(ends[0], ends[-1] - timedelta(days=1))
    for one in rows_of("count"):
        parts = [figures(PLAN, one, fold.state, span.known_on(known), closed=None).cells for span in cuts]
        added = {}
        for cell in (cell for part in parts for cell in part):
            key = cell.country, *cell.labels.values()
            added[key] = added.get(key, 0) + cell.value
        found = figures(PLAN, one, fold.state, whole.known_on(known), closed=None).cells
        found = {(cell.country, *cell.labels.values()): cell.value for cell in found}
        assert {key: n for key, n in added.items() if n} == {key: n for key, n in found.items() if n}, one.id
