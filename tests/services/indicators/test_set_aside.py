"""What cannot be folded is set aside, whatever it is, and leaves everything else as it was."""

import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import services.indicators
from services.indicators.figures.figures import all_figures
from services.indicators.figures.kinds import Span
from services.indicators.figures.milestones import occurrences
from services.indicators.folded.fold import Fold
from services.indicators.folded.moves import AMOUNT_MAX
from services.indicators.folded.state import ASIDE_KEPT, State
from services.indicators.publish.reports import closed
from tests.services.indicators.making import CONTRACTS, PLAN, amend, event, folded, instant, raw

AT = "2004-03-01T10:00:00Z"
ZERO = "0001-01-01T00:00:00+14:00"
"""It has no UTC form."""
OURS = str(Path(services.indicators.__file__).parent)
BAND = event("intel.band.dismantled")
DECLARED = event("training.workforce.declared", headcount=10)


def baseline(**data) -> bytes:
    return event("indicators.baseline.set", "REG", **data)


POISON = {
    "no JSON": b"\x00\xff{",
    "not an event": b"[]",
    "an empty event": b"{}",
    "too deep": b'{"data":' + b"[" * 100_000,
    "the first day, east of Greenwich": event("intel.band.dismantled", time=ZERO),
    "the last day, west of Greenwich": event("intel.band.dismantled", time="9999-12-31T23:59:59-12:00"),
    "the year 1": event("indicators.plan.approved", time="0001-01-01T00:00:00Z", recorded=AT),
    "the year 9999": event("indicators.plan.approved", time="9999-12-31T00:00:00Z", recorded=AT),
    "recorded in the year 1": event("intel.band.dismantled", recorded="0001-01-01T00:00:00Z"),
    "no time zone": event("intel.band.dismantled", time="2004-03-01T10:00:00"),
    "a country that there is not": event("intel.band.dismantled", "ATL"),
    "a surrogate for a country": BAND.replace(b'"country":"GTM"', rb'"country":"\ud800"'),
    "a surrogate for a type": BAND.replace(b".dismantled.", rb".\ud800."),
    "a surrogate for a label": event("legal.person.detained").replace(b'"adult"', rb'"\ud800"'),
    "a list for a label": event("legal.person.detained", sex=["male"]),
    "an object for a label": event("legal.person.detained", sex={"a": 1}),
    "text for an amount": event("training.workforce.declared", headcount="10"),
    "a fraction for an amount": event("training.workforce.declared", headcount=1.5),
    "an amount beyond all measure": event("training.workforce.declared", headcount=AMOUNT_MAX + 1),
    "an amount beyond 64 bits": DECLARED.replace(b'"headcount":10', b'"headcount":1' + b"0" * 40),
    "a change of more than all": event("victims.service.provided", change={"by": 2**62}),
    "a change until the edge": event("victims.service.provided", change={"by": 1, "until": ZERO}),
    "a period that is none": baseline(since="2003-02-30"),
    "a period of numbers": baseline(since=5),
    "a rejection that gives none": raw("crm.intel.report.rejected.v1", {"problems": 1}, "GTM", AT),
    "a rejection in odd words": raw(
        "crm.intel.report.rejected.v1", {"problems": [{"code": "\u202e" * 9}]}, "GTM", AT
    ),
    "an amendment of the year 1": amend("retracted", event("intel.band.dismantled", time=ZERO)),
    "an amendment of a surrogate": raw(
        "crm.intel.band.corrected.v1", {"original": "\u0000", "original_time": AT, "previous": {}}, "GTM", AT
    ),
}  # fmt: skip


def readable(state: State) -> None:
    """Whatever reads the state can: the snapshot, the figures on any day, milestones, quarters."""
    assert State.load(state.dump(), PLAN.digest).dump() == state.dump()
    for span in (Span.now(instant("2004-12-31").date()), Span.as_of(instant("2004-06-15").date())):
        all_figures(PLAN, state, span, closed=None)
    occurrences(PLAN, state, public=False)
    assert len(closed(state, instant("2006-01-01"))) < 1000


@pytest.mark.parametrize("payload", [pytest.param(payload, id=name) for name, payload in POISON.items()])
def test_what_cannot_be_folded_is_set_aside_and_the_rest_goes_on(payload):
    fold = folded(BAND)
    before = msgspec.json.decode(fold.state.dump())
    why = fold.take("intel", 2, payload)
    assert why is not None
    after = msgspec.json.decode(fold.state.dump())
    # The log goes on behind it, and so does its hash; no figure has it.
    assert after.pop("hashes") != before.pop("hashes")
    assert after == before | {"sequences": [["intel", 2]], "aside": [["intel", [[2, type(why).__name__]], 0]]}
    assert fold.take("intel", 3, BAND) is None
    readable(fold.state)
    clean = folded(BAND, BAND).state
    same_but(fold.state, clean)


def same_but(state: State, clean: State) -> None:
    """All is the same, but for what was set aside and so for how far the streams, and the logs' hashes, go."""
    one, other = (msgspec.json.decode(each.dump()) for each in (state, clean))
    for each in (one, other):
        del each["sequences"], each["aside"], each["hashes"]
    assert one == other


GOOD = [
    BAND,
    DECLARED,
    event("legal.person.detained", sex="female"),
    event("victims.referral.accepted", "HND", late=False, latency_s=1800),
    event("training.official.enrolled"),
    event("indicators.plan.approved", "REG"),
    baseline(),
    amend("corrected", event("legal.person.detained", sex="female"), sex="male"),
    raw("crm.intel.report.rejected.v1", {"problems": [{"code": "a"}, {"code": "b"}]}, "GTM", AT),
]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(st.sampled_from(GOOD), st.sampled_from(list(POISON.values())), st.binary(max_size=40)), max_size=30
    )
)
def test_any_poison_among_good_events_gives_the_figures_of_the_good_ones(payloads):
    fold = Fold(PLAN)
    good = [payload for number, payload in enumerate(payloads, 1) if fold.take("intel", number, payload) is None]
    assert all(payload in good for payload in payloads if payload in GOOD)
    assert fold.state.uncounted == len(payloads) - len(good)
    clean = Fold(PLAN)
    for number, payload in enumerate(good, 1):
        clean.apply("intel", number, payload)
    same_but(fold.state, clean.state)
    readable(fold.state)


class BreakError(BaseException):
    """Not even an `Exception`."""


def broken_at(line: int, fold: Fold, payload: bytes) -> bool:
    """Fold, with an exception at the nth line of ours that is run; return whether it came so far."""
    left = line

    def trace(frame, _event, _arg):
        if not frame.f_code.co_filename.startswith(OURS):
            return None

        def each(_frame, what, _arg):
            nonlocal left
            left -= what == "line"
            if left == 0:
                sys.settrace(None)
                raise BreakError
            return each

        return each

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        fold.apply("intel", 1, payload)
    except BreakError:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("payload", [pytest.param(one, id=msgspec.json.decode(one)["type"]) for one in GOOD])
def test_an_exception_at_any_line_leaves_all_as_it_was(payload):
    whole = folded(*GOOD)
    whole.state.sequences.clear()
    before = whole.state.dump()
    for line in range(1, 10_000):
        if not broken_at(line, whole, payload):
            break
        assert whole.state.dump() == before, f"line {line}"
        for sums in whole.state.sums.values():
            assert all(cell.total == sum(cell.days.values()) for cell in sums.values())
    assert line > 20
    assert whole.state.dump() != before


def test_every_type_is_folded_whole_or_not_at_all():
    for one in CONTRACTS.values():
        payload = raw(one.type, dict(one.good), "GTM", AT)
        fold = folded(payload)
        before, line = fold.state.dump(), 1
        while broken_at(line, fold, payload):
            assert fold.state.dump() == before, (one.name, line)
            line += 1
        assert line > 10


def test_of_very_many_set_aside_the_first_are_remembered_and_the_rest_counted():
    fold = Fold(PLAN)
    for number in range(1, ASIDE_KEPT + 6):
        fold.take("intel", number, b"")
    assert fold.state.uncounted == ASIDE_KEPT + 5
    assert State.load(fold.state.dump(), PLAN.digest).uncounted == ASIDE_KEPT + 5
    assert max(fold.state.aside["intel"].kept) == ASIDE_KEPT
