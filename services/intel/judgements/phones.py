"""Address books of detained traffickers: secured, opened to others, and matched blindly (choreography 7)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from services.intel.gate import Marking, Relation, marking, may_know, opened_to
from services.intel.judgements.notices import IntelAnnouncement, IntelJudgement, alert
from services.intel.policy import POLICY
from shared.contracts import identity
from shared.contracts.intel import PhonebookDisseminated, PhonebookSeized, PhonenumberMatched
from shared.contracts.legal import PersonDetained
from shared.record.judgement import Notice, Reading, Standing, derived_id

OFFENCES = ("tip", "som")


@dataclass(frozen=True, slots=True)
class Book:
    """A book that has a number, as its country opened it to others."""

    hash: str
    event_id: str
    country: str
    seizure_id: str
    recipients: tuple[str, ...]
    marking: Marking


class Detentions(IntelJudgement):
    """The detaining country is reminded when no address book of a trafficker was secured in time."""

    reports = (PersonDetained, PhonebookSeized)

    def things(self, report: Standing[PersonDetained | PhonebookSeized]) -> Iterable[str]:
        """Return the detention, for trafficking or smuggling."""
        data = report.data
        if data.detention_id and (isinstance(data, PhonebookSeized) or data.offence in OFFENCES):
            yield f"detention/{report.country}/{data.detention_id}"

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Remind of each report of the detention, unless a book was secured."""
        reports = by_id(read, scope)
        if any(isinstance(one.data, PhonebookSeized) for one in reports):
            return
        for one in reports:
            due, about = one.known + POLICY.phonebook_within, (one.id, "legal.person.detained")
            data = alert("phonebook_missing", about, one.data.detention_id, due=due)
            yield Notice(to=one.country, data=data, scope=scope, due=due)


class Opened(IntelAnnouncement):
    """The recipients are told that a book was opened to them, or its owner that its marking forbids to."""

    reports = (PhonebookDisseminated,)

    def notices(self, report: Standing[PhonebookDisseminated], scope: str, read: Reading) -> Iterable[Notice]:
        """Tell them."""
        del read
        data = report.data
        marked, which = marking(data), (report.id, report.name)
        if not may_know(marked, Relation.NAMED):
            kept = alert("not_passed_on", which, data.seizure_id, marked=marked)
            return [Notice(to=report.country, data=kept, scope=scope)]
        told = alert("phonebook_disseminated", which, data.seizure_id, country=report.country, marked=marked)
        return [Notice(to=to, data=told, scope=scope) for to in sorted({*data.recipients} - {report.country})]


class Seizures(IntelJudgement):
    """The country that secured a book is reminded to open it to the others in time."""

    reports = (PhonebookDisseminated, PhonebookSeized)

    def things(self, report: Standing[PhonebookDisseminated | PhonebookSeized]) -> Iterable[str]:
        """Return the seizure."""
        yield f"seizure/{report.country}/{report.data.seizure_id}"

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Remind of each report of the seizure, unless the book was opened to anyone."""
        reports = by_id(read, scope)
        if any(isinstance(one.data, PhonebookDisseminated) for one in reports):
            return
        for one in reports:
            due, about = one.known + POLICY.disseminated_within, (one.id, "intel.phonebook.seized")
            data = alert("phonebook_not_disseminated", about, one.data.seizure_id, due=due)
            yield Notice(to=one.country, data=data, scope=scope, due=due)


class Matches(IntelJudgement):
    """The owners of books that have a number in common are told of each other, where they opened them."""

    reports = (PhonebookDisseminated,)

    def things(self, report: Standing[PhonebookDisseminated]) -> Iterable[str]:
        """Return the numbers, as keyed hashes."""
        return [number(one) for one in dict.fromkeys(report.data.hashes)]

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Tell the owners of the books that have the number."""
        hashed = scope.removeprefix("phone/")
        books = [book(hashed, one) for one in read.about(scope)]
        return matches(hashed, sorted(books, key=lambda one: (one.country, one.seizure_id, one.event_id)))


def by_id(read: Reading, thing: str) -> list[Standing[Any]]:
    """Return the reports about a thing in order of their ids."""
    return sorted(read.about(thing), key=lambda one: one.id)


def number(hashed: str) -> str:
    """Return the thing that a telephone number is, by its keyed hash."""
    return f"phone/{hashed}"


def book(hashed: str, report: Standing[PhonebookDisseminated]) -> Book:
    """Return a book that has a number."""
    data = report.data
    return Book(hashed, report.id, report.country, data.seizure_id, tuple(data.recipients), marking(data))


def open_to(book: Book, country: str) -> bool:
    """Say whether a country may know that a number stands in a book."""
    return may_know(book.marking, opened_to(country, book.country, book.recipients))


def matches(number: str, books: Sequence[Book]) -> list[Notice]:
    """Return who is told that a number (its hash) stands in another country's book too, and what both might do."""
    scope = f"phone/{number}"
    countries = sorted({book.country for book in books})
    notices = []
    for mine in countries:
        own = [book for book in books if book.country == mine]
        for other in countries:
            theirs = [book for book in books if book.country == other and open_to(book, mine)]
            if other == mine or not theirs:
                continue
            match = PhonenumberMatched(
                match_id=derived_id("match", number, *sorted((mine, other))),
                countries=(mine, other),  # type: ignore[arg-type]  # read back as they were written
                hash_prefix=number[:4],
                seizure_ids=_books(own, theirs),
                score=round(2 / len(countries), 2),
            )
            notices.append(Notice(to=mine, data=match, scope=scope, name=f"{number}/{other}"))
            notices += _proposals(scope, own, theirs)
    return notices


def _books(own: Sequence[Book], theirs: Sequence[Book]) -> tuple[str, ...]:
    """Return the books' identifiers, first the own; another's that is equal to one of them with its owner."""
    mine = {book.seizure_id: None for book in own}
    named = (
        identity.whole(book.seizure_id, book.country) if book.seizure_id in mine else book.seizure_id for book in theirs
    )
    return tuple(dict.fromkeys((*mine, *named)))


def _proposals(scope: str, own: Sequence[Book], theirs: Sequence[Book]) -> list[Notice]:
    """Propose a joint operation, once for each pair of books, where both countries may know of each other's."""
    notices = []
    for book in own:
        for other in theirs:
            if open_to(book, other.country):
                which = book.event_id, "intel.phonebook.disseminated"
                data = alert("joint_operation_proposed", which, book.seizure_id, country=other.country)
                name = f"{book.seizure_id}/{other.country}/{other.seizure_id}"
                notices.append(Notice(to=book.country, data=data, scope=scope, name=name))
    return notices
