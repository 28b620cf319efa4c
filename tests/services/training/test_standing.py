"""What befalls a certificate, from what is on record about it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training.standing import Certificate, history

DAY = timedelta(days=1)
GIVEN = datetime(2004, 1, 1, tzinfo=UTC)
GRACE = timedelta(days=90)


def on(day):
    return GIVEN + day * DAY


def certificate(until=700, **facts):
    return Certificate(
        topic="ethics",
        institution_type="migration",
        certified=GIVEN,
        valid_until=date(2004, 1, 1) + until * DAY,
        **facts,
    )


@pytest.mark.parametrize(
    ("facts", "steps"),
    [
        ({}, []),
        ({"amended": (on(5), on(8))}, [("staled", on(5), on(98))]),
        ({"forged": on(5)}, [("staled", on(5), on(95))]),
        ({"amended": (on(5), on(8)), "forged": on(4)}, [("staled", on(4), on(94))]),
        ({"conduct": on(5)}, [("revoked", on(5), None)]),
        ({"conduct": on(5), "forged": on(4)}, [("staled", on(4), on(94)), ("revoked", on(5), None)]),
        ({"conduct": on(3), "forged": on(4)}, [("revoked", on(3), None)]),
        ({"newer": ((on(5), "c-2"),)}, []),
        (
            {"newer": ((on(3), "c-2"), (on(6), "c-3")), "forged": on(4)},
            [("staled", on(4), on(94)), ("renewed", on(6), None)],
        ),
        (
            {"newer": ((on(5), "c-2"),), "forged": on(4), "conduct": on(6)},
            [("staled", on(4), on(94)), ("renewed", on(5), None)],
        ),
        (
            {"newer": ((on(6), "c-2"),), "forged": on(4), "conduct": on(5)},
            [("staled", on(4), on(94)), ("revoked", on(5), None)],
        ),
    ],
)
def test_what_comes_first_ends_it_and_what_comes_next_takes_its_place(facts, steps):
    found = history(certificate(**facts), on(100), GRACE)
    assert [(step.kind, step.at, step.grace_until) for step in found] == steps


def test_it_expires_at_the_end_of_its_last_day_and_conduct_found_later_no_longer_matters():
    assert history(certificate(until=10), on(10) + DAY / 2, GRACE) == []
    one = certificate(until=10, conduct=on(20), newer=((on(5), "c-2"), (on(15), "c-3")))
    assert [step.kind for step in history(one, on(11), GRACE)] == ["expired", "renewed"]
    assert history(one, on(11), GRACE)[1].renewed_by == "c-3"
    assert history(certificate(until=-10), on(1), GRACE)[0].at == GIVEN


days = st.integers(0, 60).map(on)


@given(
    st.builds(
        certificate,
        until=st.integers(-5, 60),
        amended=st.none() | st.tuples(days, days),
        forged=st.none() | days,
        conduct=st.none() | days,
        newer=st.lists(st.tuples(days, st.just("c-2")), max_size=3).map(sorted).map(tuple),
    ),
    days,
    days,
)
def test_steps_are_in_order_and_later_days_only_add_to_them(one, now, later):
    now, later = sorted((now, later))
    before, after = history(one, now, GRACE), history(one, later, GRACE)
    assert [step.at for step in after] == sorted(step.at for step in after)
    assert [step.kind for step in after] in [
        [],
        ["staled"],
        ["expired"],
        ["revoked"],
        ["staled", "renewed"],
        ["staled", "revoked"],
        ["expired", "renewed"],
    ]
    happened = [step for step in before if step.at <= now]
    assert after[: len(happened)] == happened
