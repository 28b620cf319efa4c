"""When the network meets."""

from datetime import UTC, datetime, timedelta

TUESDAY = 1


def next_meeting(at: datetime) -> datetime:
    """Return the start (UTC) of the first Tuesday of a month that comes after the day of `at` (Plan IE 2.1)."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while True:
        day += timedelta(days=1)
        if day.weekday() == TUESDAY and day.day <= 7:  # noqa: PLR2004 - a week
            return day
