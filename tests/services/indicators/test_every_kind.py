"""For every kind of indicator: whatever the order, the corrections and the retractions, the figures of a clean replay.

The events are made from the plan itself: each field that a row reads takes any of its values.
"""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.folded.state import State
from services.indicators.folded.steps import Reading
from services.indicators.planned import checks, fields
from services.indicators.planned.rows import Kind
from shared.contracts.tallies import Parts, Shifts, Steps
from tests.services.indicators.making import CONTRACTS, PLAN, amend, event, folded, heard, row, values

pytestmark = pytest.mark.long

KINDS = Kind.__args__
SAMPLES = 30
"""Histories for each kind."""
countries = st.sampled_from(["GTM", "HND", "MEX"])
times = st.integers(0, 400).map(lambda n: f"2004-{1 + n // 28 % 12:02}-{1 + n % 28:02}T10:00:00Z")


def rows_of(kind):
    return [one for one in PLAN.rows.values() if one.kind == kind]


def fed_rows(row):
    """The rows with events of their own that a row rests on: itself, or those that it is made of."""
    if row.kind not in checks.COMPOSED:
        return [row]
    named = [one for one in PLAN.rows.values() if one.id in row.inputs or one.id.partition("-")[0] in row.inputs]
    return [below for one in named for below in fed_rows(one)]


def feeding(kind):
    return {below.id: below for one in rows_of(kind) for below in fed_rows(one)}


def types_of(kind):
    names = {term.event for one in feeding(kind).values() for term in one.term}
    return sorted(names - {checks.ANY_REPORT})


def read_by(kind, name):
    """The fields of an event type that the rows of a kind read."""
    plan = msgspec.structs.replace(PLAN, rows=feeding(kind), milestones={})
    return sorted({path.partition(".")[0] for path in Reading(plan, State(""), name).wanted})


def a_change(told):
    """What an event may change of a number."""
    if told in (Steps, Shifts):
        steps = [{"at": "2004-07-01T00:00:00Z", "by": 3}, {"at": "2004-08-01T00:00:00Z", "by": -2}]
        return st.sampled_from([None, [], steps[:1], steps])
    if told is Parts:
        said = {"kind": "ordinary", "joint": True, "offences": ["tip", "som"], "regional": True}
        parts = [{"country": place, "at": "2004-07-01T00:00:00Z", "said": said} for place in ("GTM", "REG")]
        back = [one | {"by": -1, "at": "2004-08-01T00:00:00Z"} for one in parts]
        return st.sampled_from([None, [], parts, parts[1:], parts + back])
    return st.sampled_from([None, {"by": 1}, {"by": -1}, {"by": 1, "until": "2004-07-01T00:00:00Z"}])


def any_value(agreed, path):
    """What a field may hold, where that is a closed list, a number, or what an event changes; else the example's."""
    found = fields.type_at(agreed, path)
    if told := fields.change_told(found):
        return a_change(told)
    if closed := fields.closed_values(found):
        return st.sampled_from(closed)
    if fields.is_whole_number(found):
        return st.integers(0, 10**6)
    if fields.is_number(found):
        return st.floats(0, 1)
    return st.just(agreed.good.get(path))


def with_data(payload, changes):
    changed = msgspec.json.decode(payload)
    changed["data"] |= changes
    return msgspec.json.encode(changed)


def with_correction(amended, changes):
    changed = msgspec.json.decode(amended)
    changed["data"]["data"] |= changes
    return msgspec.json.encode(changed)


def told(kind):
    """(payload, what a correction changes) of any event that feeds rows of this kind."""

    def one(name):
        agreed = CONTRACTS[name]
        whole = st.fixed_dictionaries({path: any_value(agreed, path) for path in read_by(kind, name)})
        data = whole.map(lambda said: {path: value for path, value in said.items() if value is not None})
        return st.tuples(st.builds(lambda c, t, d: with_data(event(name, c, t), d), countries, times, data), data)

    return st.sampled_from(types_of(kind)).flatmap(one)


def test_every_kind_has_rows_that_events_feed():
    assert {kind for kind in KINDS if types_of(kind)} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=SAMPLES, deadline=None)
@given(st.data(), st.randoms(use_true_random=False))
def test_any_order_and_any_amendments_give_the_figures_of_a_clean_replay(kind, data, random):
    history = data.draw(
        st.lists(st.tuples(told(kind), st.sampled_from(["kept", "corrected", "retracted"])), max_size=8)
    )
    clean, flows = [], []
    for (payload, change), fate in history:
        if fate != "retracted":
            clean.append(with_data(payload, change) if fate == "corrected" else payload)
        flows.append([payload] + ([with_correction(amend(fate, payload), change)] if fate == "corrected" else []))
        flows[-1] += [amend(fate, payload)] if fate == "retracted" else []
    mixed = []
    while any(flows):  # causes before effects, otherwise any order
        mixed.append(random.choice([one for one in flows if one]).pop(0))
    random.shuffle(clean)
    # An amended report was one, too: so everybody was heard of late, on both days that are looked at.
    late = [*heard(on="2004-07-10T12:00:00Z"), *heard(on="2004-12-20T12:00:00Z")]
    got, wanted = folded(*late, *mixed), folded(*late, *clean)
    for one in rows_of(kind):
        if any(term.event == checks.ANY_REPORT for term in one.term):
            continue  # who reports at all: an amended report was one
        for as_of in ("", "2004-07-15"):
            mine, theirs = row(got, one.id, as_of), row(wanted, one.id, as_of)
            assert values(mine) == values(theirs), one.id
            assert (mine.headline, mine.met, mine.histograms) == (theirs.headline, theirs.met, theirs.histograms)


@settings(max_examples=SAMPLES, deadline=None)
@given(st.randoms(use_true_random=False))
def test_rows_made_of_rows_have_figures_that_amendments_change_back(random):
    """The two windows of each trend that goes into the average, and a target that is met and then is not."""
    name, early, late = "intel.document.flagged", "2004-02-01T10:00:00Z", "2004-08-01T10:00:00Z"
    kept = [event(name, "GTM", time) for time in [early] * 3 + [late] * random.randint(1, 4)]
    gone = [event(name, "GTM", late)] * random.randint(1, 4)
    clean = folded(*kept)
    flow = [[one] for one in kept] + [[one, amend("retracted", one)] for one in gone]
    mixed = []
    while any(flow):
        mixed.append(random.choice([one for one in flow if one]).pop(0))
    for identity in ("LE-1.R4", "XC-4"):
        wanted = row(clean, identity, "2004-12-15").headline
        assert wanted is not None
        assert row(folded(*mixed), identity, "2004-12-15").headline == wanted
    assert row(folded(*kept, *gone), "LE-1.R4", "2004-12-15").headline != row(clean, "LE-1.R4", "2004-12-15").headline
