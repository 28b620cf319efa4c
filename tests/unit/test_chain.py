"""Chains of causes put together: complete, in order, and finite whatever somebody reports."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from infra.recovery.chain import Step, grown
from shared.contracts import Event

START = datetime(2004, 3, 1, tzinfo=UTC)


def step(number, cause):
    return Step(
        "intel",
        Event(
            specversion="1.0",
            id=f"e-{number}",
            source="urn:crm:service:intel",
            type="crm.intel.alert.issued.v1",
            time=START,
            country="REG",
            data={},
            recordedtime=START + timedelta(seconds=number),
            sequence=number,
            causationid=None if cause is None else f"e-{cause}",
        ),
    )


def walked(one):
    return [one, *(below for part in one.consequences for below in walked(part))]


@given(st.lists(st.integers(0, 1 << 16), max_size=40).flatmap(lambda picks: st.permutations(list(enumerate(picks)))))
def test_every_consequence_stands_once_below_its_cause(picks):
    first = step(0, None)
    others = [step(number + 1, pick % (number + 1)) for number, pick in picks]
    tree = walked(grown(first, [first, *others]))
    assert sorted(one.event.sequence for one in tree) == list(range(len(picks) + 1))
    for one in tree:
        assert {part.event.causationid for part in one.consequences} <= {one.event.id}
        numbers = [part.event.sequence for part in one.consequences]
        assert numbers == sorted(numbers)


def test_reports_that_name_each_other_as_cause_end():
    first, second = step(1, 2), step(2, 1)
    assert [one.event.id for one in walked(grown(first, [first, second]))] == ["e-1", "e-2"]
