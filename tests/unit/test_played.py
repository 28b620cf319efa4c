"""The board says that what it shows is played whenever the clock is not the real one."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.run.clock import Clock

FIRST = datetime(2003, 5, 9, tzinfo=UTC)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("clock", "played"),
    [
        (Clock(), False),
        (Clock(NOW, NOW), False),
        (Clock(NOW + timedelta(minutes=5), NOW), False),
        (Clock(NOW, NOW, 2), True),
        (Clock(FIRST, NOW, 86_400), True),
        (Clock(FIRST, NOW), True),  # the Plan's days go by as fast as ours
    ],
)
def test_another_time_than_the_real_one_is_played(clock, played):
    assert clock.played is played
