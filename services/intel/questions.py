"""What intel is asked: documents, telephone numbers, entry rules, specimens, contact points."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from services.intel import answers
from services.intel.gate import Marking, may_know, opened_to
from shared.contracts.questions import (
    Answered,
    ContactAnswer,
    ContactAsk,
    DocumentAsk,
    EntryAsk,
    EntryRuleAnswer,
    ListedAnswer,
    PhoneAnswer,
    PhoneAsk,
    Point,
    Specimen,
    SpecimensAnswer,
    SpecimensAsk,
    not_permitted,
)
from shared.contracts.vocabulary import Country
from shared.database import Connection, Row
from shared.questions import Asked, Questions


async def on_document(asked: Sequence[Asked[DocumentAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell any country whether its issuer listed a document: the list is there for all of them."""
    rows = _by_number(await answers.listings(connection, [(one.ask.doc_ref, one.ask.issuing) for one in asked]))
    return [_listed(rows[number]) for number, _ in enumerate(asked, start=1)]


def _listed(rows: Sequence[Row]) -> ListedAnswer:
    last = rows[0] if rows else None
    if last is None or last["status"] is None:
        return ListedAnswer(listed=False)
    return ListedAnswer(listed=True, status=last["status"], since=last["recorded"])


async def on_entry(asked: Sequence[Asked[EntryAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell what the destination declared for the day."""
    entries = [(one.ask.destination, one.ask.nationality, one.ask.on or one.now.date()) for one in asked]
    rows = _by_number(await answers.requirements(connection, entries))
    return [_rule(rows[number]) for number, _ in enumerate(asked, start=1)]


def _rule(rows: Sequence[Row]) -> EntryRuleAnswer:
    if not rows:
        return EntryRuleAnswer(answer="unknown")
    (row,) = rows
    return EntryRuleAnswer(
        answer="authorisation_required" if row["required"] else "no_authorisation_required",
        effective_from=row["effective_from"],
        doc_codes=tuple(row["doc_codes"]),
        legal_ref=row["legal_ref"],
    )


async def on_specimens(asked: Sequence[Asked[SpecimensAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell what is on file; the image itself is in its issuer's vault."""
    rows = _by_number(await answers.specimens(connection, [(one.ask.issuing, one.ask.doc_code) for one in asked]))
    return [
        SpecimensAnswer(specimens=tuple(_specimen(row) for row in rows[number]))
        for number, _ in enumerate(asked, start=1)
    ]


def _specimen(row: Row) -> Specimen:
    return Specimen(
        specimen_id=row["specimen_id"],
        series=row["series"],
        tier=row["tier"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
        features=tuple(row["features"]),
        image_ref=row["image_ref"],
        superseded_by=row["superseded_by"],
    )


async def on_contact(asked: Sequence[Asked[ContactAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell who holds the post today."""
    countries = [one.ask.country for one in asked]
    rows = _by_number(await answers.contact_points(connection, countries, asked[0].now))
    return [ContactAnswer(points=tuple(_point(row) for row in rows[number])) for number, _ in enumerate(asked, start=1)]


async def on_phone(asked: Sequence[Asked[PhoneAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell whose books have a number, as far as their owners opened them to the asking country; else nothing."""
    rows = _by_number(await answers.openings(connection, [one.ask.hash for one in asked]))
    allowed = [_owners(rows[number], one.country) for number, one in enumerate(asked, start=1)]
    owners = sorted({owner for found in allowed for owner in found or ()})
    points: dict[str, list[Point]] = defaultdict(list)
    for row in await answers.contact_points(connection, owners, asked[0].now) if owners else []:
        points[row["country"]].append(_point(row))
    return [_phone(found, one.country, points) for found, one in zip(allowed, asked, strict=True)]


def _owners(rows: Sequence[Row], country: Country) -> list[Country] | None:
    """Return whose books a country may know of, its own too; None: there are none at all."""
    if not rows:
        return None
    found = {
        row["country"]
        for row in rows
        if may_know(
            Marking(row["tlp"], row["handling"], row["srceval"], row["infoeval"]),
            opened_to(country, row["country"], row["recipients"]),
        )
    }
    return sorted(found)


def _phone(owners: Sequence[Country] | None, country: Country, points: Mapping[str, list[Point]]) -> Answered:
    if owners is None:
        return PhoneAnswer(known=False)
    if not owners:
        return not_permitted()
    others = [owner for owner in owners if owner != country]
    speak_to = tuple(point for owner in others for point in points.get(owner) or [Point(country=owner)])
    return PhoneAnswer(known=True, speak_to=speak_to)


def _point(row: Row) -> Point:
    return Point(country=row["country"], body=row["body"], officer_ref=row["officer_ref"], channel=row["channel"])


def _by_number(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["number"]].append(row)
    return found


QUESTIONS: Questions = {
    ContactAsk: on_contact,
    DocumentAsk: on_document,
    EntryAsk: on_entry,
    PhoneAsk: on_phone,
    SpecimensAsk: on_specimens,
}
