"""Address books of detained traffickers: secured, opened to others, and matched blindly (choreography 7)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from services.intel.facts import phones
from services.intel.facts.phones import Book
from services.intel.gate import Relation, marking, may_know, opened_to
from services.intel.policy import POLICY
from services.intel.telling import Notice, alert, settle
from shared.contracts import Event, identity
from shared.contracts.intel import PhonebookDisseminated, PhonebookSeized, PhonenumberMatched
from shared.contracts.legal import PersonDetained
from shared.database import Connection
from shared.rules import derived_id


async def on_detention(
    cause: Event[Any], about: Event[PersonDetained] | Event[PhonebookSeized], connection: Connection
) -> Iterable[Event[Any]]:
    """Remind the detaining country when no address book of a trafficker was secured in time."""
    country, detention_id = about.country, about.data.detention_id
    if not detention_id:
        return []
    scope = f"detention/{country}/{detention_id}"
    secured = await phones.seizures_at(connection, country, detention_id)
    notices = []
    for one in [] if secured else await phones.detentions(connection, country, detention_id):
        due = one.known + POLICY.phonebook_within
        data = alert("phonebook_missing", (one.event_id, "legal.person.detained"), detention_id, due=due)
        notices.append(Notice(to=country, data=data, scope=scope, due=due))
    return await settle(connection, cause, [scope], notices)


async def on_seizure(
    cause: Event[Any], about: Event[PhonebookSeized] | Event[PhonebookDisseminated], connection: Connection
) -> Iterable[Event[Any]]:
    """Remind the country that secured a book to open it to the others in time."""
    country, seizure_id = about.country, about.data.seizure_id
    scope = f"seizure/{country}/{seizure_id}"
    opened = await phones.is_opened(connection, country, seizure_id)
    notices = []
    for one in [] if opened else await phones.seizures(connection, country, seizure_id):
        due = one.known + POLICY.disseminated_within
        data = alert("phonebook_not_disseminated", (one.event_id, "intel.phonebook.seized"), seizure_id, due=due)
        notices.append(Notice(to=country, data=data, scope=scope, due=due))
    return await settle(connection, cause, [scope], notices)


async def on_disseminated(
    cause: Event[Any], about: Event[PhonebookDisseminated], connection: Connection
) -> Iterable[Event[Any]]:
    """Stop the clock of the dissemination, and tell the owners of books that have a number in common."""
    events = list(await on_seizure(cause, about, connection))
    hashes = sorted(about.data.hashes)
    if hashes:
        found: dict[str, list[Book]] = defaultdict(list)
        for book in await phones.books(connection, hashes):
            found[book.hash].append(book)
        notices = [notice for number in hashes for notice in matches(number, found[number])]
        events += await settle(connection, cause, [f"phone/{number}" for number in hashes], notices)
    return events


def opened(about: Event[PhonebookDisseminated], scope: str) -> list[Notice]:
    """Tell the recipients that a book was opened to them, or its owner that its marking forbids to."""
    data = about.data
    marked, which = marking(data), (about.id, about.name)
    recipients = sorted({*data.recipients} - {about.country})
    if not may_know(marked, Relation.NAMED):
        return [
            Notice(to=about.country, data=alert("not_passed_on", which, data.seizure_id, marked=marked), scope=scope)
        ]
    told_ = alert("phonebook_disseminated", which, data.seizure_id, country=about.country, marked=marked)
    return [Notice(to=to, data=told_, scope=scope) for to in recipients]


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
