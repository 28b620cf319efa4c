"""The presidency's desk: the next meeting and its agenda, commitments, milestones, reminders, and who holds which seat.

All of it is public but for the identifiers of commitments and the referrals that wait: these are for the presidency,
and of commitments for who owes or recorded them.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from msgspec import Struct

from services.indicators.figures.milestones import Occurrence, occurrences, overdue
from services.indicators.folded.state import State
from services.indicators.planned.plan import Plan
from services.indicators.planned.schedule import end_of, first_tuesdays
from services.indicators.publish import ical, pages
from services.indicators.publish.commitments import Commitment
from services.indicators.publish.escalated import Escalated
from services.indicators.publish.ical import Entry
from services.indicators.publish.overview import Overview, Seen, dated, whom
from services.indicators.publish.words import Words, words
from shared.contracts.intel import COMMITMENT_REMIND_DAYS
from shared.contracts.vocabulary import MEMBERS, SEATS
from shared.record import seats

PRESIDENCY = "ppt"
AHEAD = timedelta(days=120)
"""So far ahead reminders are listed."""
LAST_DAY = date(2200, 12, 31)
TWO_MONTHS = 62
Assigned = tuple[datetime, str, str]
"""(since, body, holder)"""


class OnDesk(Struct, frozen=True, kw_only=True):
    """What lies on the desk, as far as whoever asks may see it."""

    seen: Seen
    commitments: Sequence[Commitment] | None
    """None: they cannot be read just now."""
    partly: bool = False
    """The oldest are not among them: they are in the archive, or not read yet."""
    assigned: Sequence[Assigned] = ()
    asker: str = ""
    """The country that showed its key; empty: the public."""
    escalated: Sequence[Escalated] = ()
    """Only for the presidency."""

    def presides(self, now: datetime) -> str:
        """Return the holder of the presidency; empty: nobody."""
        return seats.in_force(now, self.assigned).get(PRESIDENCY, "")

    def own(self, now: datetime) -> bool:
        """Say whether the presidency itself asks."""
        return bool(self.asker) and self.asker == self.presides(now)


def meeting(now: datetime) -> date:
    """Return the day of the next monthly meeting: the first Tuesday of a month (Plan IE 2.1), today included."""
    today = now.date()
    return first_tuesdays(today, today + timedelta(days=TWO_MONTHS))[0]


def following(day: date) -> date:
    """Return the day of the meeting after one."""
    return first_tuesdays(day + timedelta(days=1), day + timedelta(days=TWO_MONTHS))[0]


def desk(lang: str, plan: Plan, state: State, now: datetime, on: OnDesk) -> str:
    """Return the page of the desk."""
    return pages.render("desk.html", lang, plan, **_Shown(words(lang, plan), plan, state, now, on).desk())


def agenda(lang: str, plan: Plan, state: State, now: datetime, on: OnDesk) -> str:
    """Return the agenda of the next meeting, as it is printed."""
    return pages.render("agenda.html", lang, plan, **_Shown(words(lang, plan), plan, state, now, on).agenda())


def calendar(lang: str, plan: Plan, state: State, now: datetime, on: OnDesk) -> str:
    """Return the due dates ahead, of milestones and commitments, as a calendar (RFC 5545)."""
    said = words(lang, plan)
    shown = _Shown(said, plan, state, now, on)
    return ical.calendar(f"{said.text['conference']}", now, shown.entries())


class _Shown:
    """What the pages show, in one language."""

    def __init__(self, said: Words, plan: Plan, state: State, now: datetime, on: OnDesk) -> None:
        self._said, self._plan, self._now, self._on = said, plan, now, on
        self._due = occurrences(plan, state, public=True)
        self._overview = Overview(said, plan, state, now, on.seen)
        self._meeting = meeting(now)

    def desk(self) -> dict[str, Any]:
        return self._frame() | {
            "coming": [self._line(one) for one in self._upcoming(self._now + AHEAD)],
            "overdue": [self._line(one) for one in overdue(self._due, self._now)],
            "undated": list(self._undated()),
            "reminders": [one for _, one in sorted([*self._reminders(), *self._reminded()], key=lambda one: one[0])],
            "seats": list(self._seats()),
            "kept": [self._commitment(one) for one in self._those("kept", "kept_late")][::-1],
        }

    def agenda(self) -> dict[str, Any]:
        after = following(self._meeting)
        return self._frame() | {
            "overdue": [self._line(one) for one in overdue(self._due, self._now)],
            "coming": [self._line(one) for one in self._upcoming(end_of(after))],
            "after": self._weekday(after),
            "lost": [one for one in self._overview.changed() if one["which"] in {"lost", "doubt"}],
            "since": self._said.day(self._overview.since.date()),
            "silent": self._overview.silent,
        }

    def entries(self) -> Iterator[Entry]:
        for one in self._upcoming(end_of(LAST_DAY)):
            line, days = self._line(one), one.milestone.remind_days
            with_whom = line["everybody"] or ", ".join(name for _, name in line["missing"])
            text = with_whom or line["whom"]["ours"] or line["whom"]["original"]
            ahead = self._plan.remind_days if days is None else days
            assert one.due is not None
            yield Entry(one.key, one.due.date(), line["title"], text, ahead)
        for number, owed in enumerate(self._those("open")):
            title = f"{self._said.text['commitment']}{self._said.text['colon']} {self._said.country(owed.country)}"
            uid = f"commitment-{owed.country}-{owed.due:%Y%m%d}-{number}"
            yield Entry(uid, owed.due.date(), title, "", COMMITMENT_REMIND_DAYS)

    def _frame(self) -> dict[str, Any]:
        on, said = self._on, self._said
        open_now, late = ([*self._those(how)] for how in ("open", "overdue"))
        return {
            "now_text": said.moment(self._now),
            "meeting": self._weekday(self._meeting),
            "meeting_in": said.counted("days_left", (self._meeting - self._now.date()).days),
            "holder": said.value("", on.presides(self._now)),
            "asker": said.country(on.asker) if on.asker else "",
            "own": on.own(self._now),
            "away": on.commitments is None,
            "partly": on.partly,
            "late": [self._commitment(one) for one in late],
            "open": [self._commitment(one) for one in open_now],
            "names": any(self._knows(one) for one in on.commitments or ()),
            "escalated": [{"id": one.referral, "country": said.country(one.sender)} for one in on.escalated],
        }

    def _those(self, *how: str) -> Iterator[Commitment]:
        return (one for one in self._on.commitments or () if one.how(self._now) in how)

    def _knows(self, one: Commitment) -> bool:
        return one.known_to(self._on.asker, self._on.presides(self._now))

    def _commitment(self, one: Commitment) -> dict[str, Any]:
        how, known = one.how(self._now), self._knows(one)
        days = abs((one.due.date() - self._now.date()).days)
        return {
            "code": one.country,
            "country": self._said.country(one.country),
            "due": self._said.day(one.due),
            "agreed": self._said.day(one.agreed),
            "how": how,
            "days": self._said.counted("days_late" if how == "overdue" else "days_left", days),
            "kept": self._said.day(one.kept),
            "id": one.id if known else "",
            "minutes": one.minutes if known else "",
        }

    def _upcoming(self, until: datetime) -> list[Occurrence]:
        ahead = [one for one in self._due if one.due and self._now <= one.due <= until and one.reached is None]
        return sorted((one for one in ahead if not one.withheld), key=lambda one: one.due or self._now)

    def _undated(self) -> Iterator[dict[str, Any]]:
        """Yield what is waited for without a day."""
        for one in self._due:
            if not one.due and one.reached is None and not one.withheld and not one.milestone.continuous:
                yield self._missing(one) | {"title": self._said.title(one.milestone.title)}

    def _line(self, one: Occurrence) -> dict[str, Any]:
        return dated(self._said, one, self._now) | {"whom": whom(self._said, one)} | self._missing(one)

    def _missing(self, one: Occurrence) -> dict[str, Any]:
        """Say how far it is done, and who is missing, each with its door."""
        members = [(code, self._said.country(code)) for code in self._said.by_name(one.missing) if code in MEMBERS]
        done = self._said.text["done_so_far"].format(done=one.done, needed=one.needed) if one.needed > 1 else ""
        everybody = self._said.text["all_countries"] if len(members) == len(MEMBERS) else ""
        return {"done": done, "missing": [] if everybody else members, "everybody": everybody}

    def _reminders(self) -> Iterator[tuple[datetime, dict[str, Any]]]:
        """Yield when who is reminded of what is due next: by the indicators, in their mailboxes."""
        for one in self._upcoming(self._now + AHEAD):
            days = one.milestone.remind_days
            ahead = self._plan.remind_days if days is None else days
            if one.due and ahead:
                at = one.due - timedelta(days=ahead)
                told = self._remind(self._said.title(one.milestone.title), at, one.due)
                yield at, told | {"whom": whom(self._said, one)}

    def _reminded(self) -> Iterator[tuple[datetime, dict[str, Any]]]:
        """Yield when who is reminded of a commitment: by intel, in its mailbox."""
        for owed in self._those("open"):
            at = owed.due - timedelta(days=COMMITMENT_REMIND_DAYS)
            if owed.agreed < at:
                told = self._remind(self._said.text["commitment"], at, owed.due)
                yield at, told | {"country": self._said.country(owed.country), "code": owed.country}

    def _remind(self, title: str, at: datetime, due: datetime) -> dict[str, Any]:
        said = self._said
        return {"title": title, "due": said.day(due), "at": said.day(at), "sent": at <= self._now}

    def _seats(self) -> Iterator[dict[str, Any]]:
        """Yield who holds each seat since when, and who is to hold it next."""
        lines = _lines(self._on.assigned)
        for body in SEATS:
            mine = [(since, holder) for since, of, holder in lines if of == body]
            now = next(((since, holder) for since, holder in reversed(mine) if since <= self._now), None)
            ahead = next(((since, holder) for since, holder in mine if since > self._now), None)
            yield {
                "body": self._said.value("", body),
                "holder": self._place(now[1]) if now else "",
                "since": self._said.day(now[0]) if now and now[1] else "",
                "next": self._place(ahead[1]) if ahead else "",
                "from": self._said.day(ahead[0]) if ahead else "",
            }

    def _place(self, holder: str) -> str:
        return self._said.country(holder) if holder in MEMBERS else self._said.value("", holder.lower())

    def _weekday(self, day: date) -> str:
        return self._said.weekday(day)


def _lines(assigned: Sequence[Assigned]) -> list[Assigned]:
    """Return from when on who holds which seat, in order; an empty holder: nobody."""
    begun: list[Assigned] = []
    for line in seats.region():
        begun.append((seats.begins(line.since), line.body, line.holder))
        if line.until:
            begun.append((seats.begins(line.until), line.body, ""))
    return sorted([*begun, *assigned], key=lambda one: one[0])
