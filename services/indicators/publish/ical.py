"""Due dates ahead as a calendar that any calendar program reads (iCalendar, RFC 5545), each with a reminder before."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from msgspec import Struct

LINE_MAX = 75
"""Octets of a line; longer ones are folded (RFC 5545, 3.1)."""
MEDIA = "text/calendar; charset=utf-8"


class Entry(Struct, frozen=True):
    """Something on a day."""

    uid: str
    """The same whenever the calendar is made, so that a program knows it again."""
    day: date
    title: str
    text: str
    remind_days: int
    """So long before there is a reminder; 0: none."""


def calendar(name: str, now: datetime, entries: Iterable[Entry]) -> str:
    """Return the calendar."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//CRM//Plan of Action//ES", f"X-WR-CALNAME:{_text(name)}"]
    for one in entries:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{_text(one.uid)}@crm-plan",
            f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{one.day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{one.day + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_text(one.title)}",
            f"DESCRIPTION:{_text(one.text)}",
            "TRANSP:TRANSPARENT",
        ]
        if one.remind_days:
            alarm = ("ACTION:DISPLAY", f"TRIGGER:-P{one.remind_days}D", f"DESCRIPTION:{_text(one.title)}")
            lines += ["BEGIN:VALARM", *alarm, "END:VALARM"]
        lines.append("END:VEVENT")
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _text(said: str) -> str:
    """Return a text with the marks escaped that mean something in it (RFC 5545, 3.3.11)."""
    return said.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    part = ""
    for one in line:
        if len((part + one).encode()) > LINE_MAX:
            yield part
            part = " "
        part += one
    yield part
