"""A name that stands twice in a report is found wherever it stands, however the sender writes its JSON."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.contracts.refusal import DuplicateKeyError, unambiguous, unrepeated

NAMES = st.text('ab:"\\ é', min_size=1, max_size=2)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('ab:,{"\\ é', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(NAMES, inner), max_size=4).map(tuple),
    max_leaves=12,
)
"""A tuple is an object: its members, whose names may stand twice."""


def written(value, space, *, ascii_only):
    if isinstance(value, tuple):
        named = (
            f"{json.dumps(name, ensure_ascii=ascii_only)}{space}:{written(one, space, ascii_only=ascii_only)}"
            for name, one in value
        )
        return "{" + f",{space}".join(named) + space + "}"
    if isinstance(value, list):
        return "[" + f"{space},".join(written(one, space, ascii_only=ascii_only) for one in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


def twice(read, payload):
    try:
        read(payload)
    except DuplicateKeyError:
        return True
    return False


@given(VALUES, st.sampled_from(["", " ", "\n\t"]), st.booleans())
@example((("a", 1), ("a", 1)), "", False)
@example([(("b", (("a", ""), ("a", ""))),)], " ", False)
def test_it_is_found_as_by_reading_all_of_it(value, space, ascii_only):
    payload = written(value, space, ascii_only=ascii_only).encode()
    assert twice(unrepeated, payload) == twice(unambiguous, payload)


@pytest.mark.parametrize("payload", [b'{"a":1,"a":1}', b'{"b":[{"a":"","a":""}]}', b'{"a":"\\"","\\u0061":2}'])
def test_it_is_refused(payload):
    assert twice(unrepeated, payload)
