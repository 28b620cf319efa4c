"""What intel is asked: documents, telephone numbers, entry rules, specimens, contact points.

All questions of a kind in a batch are answered from one query.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.intel.gate import marking, may_know, opened_to
from services.intel.judgements.documents import deposits, document, entry, specimen
from services.intel.judgements.network import holds_from, posts
from services.intel.judgements.phones import number
from shared.ask.questions import Asked, Questions
from shared.contracts.intel import (
    ContactPointDesignated,
    DocumentFlagged,
    DocumentListed,
    SpecimenDeposited,
    SpecimenSuperseded,
    SpecimenWithdrawn,
)
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
from shared.record.asking import about
from shared.record.judgement import Standing
from shared.run.database import Connection

Reports = Sequence[Standing[Any]]


async def on_document(asked: Sequence[Asked[DocumentAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell any country whether its issuer listed a document: the list is there for all of them."""
    things = [document(one.ask.issuing, one.ask.doc_ref) for one in asked]
    found = await about(connection, things)
    return [_listed(found[thing]) for thing in things]


def _listed(reports: Reports) -> ListedAnswer:
    acts = [one for one in reports if not isinstance(one.data, DocumentFlagged)]
    last = max(acts, key=lambda one: (one.time, one.known), default=None)
    if last is None or not isinstance(last.data, DocumentListed):
        return ListedAnswer(listed=False)
    return ListedAnswer(listed=True, status=last.data.status, since=last.known)


async def on_entry(asked: Sequence[Asked[EntryAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell what the destination declared for the day."""
    things = [entry(one.ask.destination, one.ask.nationality) for one in asked]
    found = await about(connection, things)
    return [_rule(found[thing], one) for thing, one in zip(things, asked, strict=True)]


def _rule(reports: Reports, asked: Asked[EntryAsk]) -> EntryRuleAnswer:
    day = asked.ask.on or asked.now.date()
    in_force = [one for one in reports if one.data.effective_from <= day]
    last = max(in_force, key=lambda one: (one.data.effective_from, one.time), default=None)
    if last is None:
        return EntryRuleAnswer(answer="unknown")
    return EntryRuleAnswer(
        answer="authorisation_required" if last.data.authorisation_required else "no_authorisation_required",
        effective_from=last.data.effective_from,
        doc_codes=tuple(last.data.doc_codes),
        legal_ref=last.data.legal_ref,
    )


async def on_specimens(asked: Sequence[Asked[SpecimensAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell what is on file; the image itself is in its issuer's vault."""
    things = [deposits(one.ask.issuing, one.ask.doc_code) for one in asked]
    found = await about(connection, things)
    deposited = [one for reports in found.values() for one in reports]
    ends = await about(connection, [specimen(one.data.issuing, one.data.specimen_id) for one in deposited])
    return [SpecimensAnswer(specimens=tuple(_specimens(found[thing], ends))) for thing in things]


def _specimens(deposited: Reports, reports: Mapping[str, Reports]) -> list[Specimen]:
    found = []
    for one in sorted(deposited, key=lambda one: (one.data.series, one.time, one.id)):
        after = [end for end in reports[specimen(one.data.issuing, one.data.specimen_id)] if end.time >= one.time]
        if not any(isinstance(end.data, SpecimenWithdrawn) for end in after):
            newer = [end.data.superseded_by for end in after if isinstance(end.data, SpecimenSuperseded)]
            found.append(_specimen(one, max(newer, default=None)))
    return found


def _specimen(report: Standing[SpecimenDeposited], superseded_by: str | None) -> Specimen:
    data = report.data
    return Specimen(
        specimen_id=data.specimen_id,
        series=data.series,
        tier=data.tier,
        valid_from=data.valid_from,
        valid_to=data.valid_to,
        features=tuple(data.features),
        image_ref=data.image_ref,
        superseded_by=superseded_by,
    )


async def on_contact(asked: Sequence[Asked[ContactAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell who holds the post today."""
    found = await about(connection, [posts(one.ask.country) for one in asked])
    return [ContactAnswer(points=tuple(_points(found[posts(one.ask.country)], one.now))) for one in asked]


def _points(reports: Reports, now: datetime) -> list[Point]:
    """Return the contact points that are filled now, by body."""
    latest: dict[str, Standing[Any]] = {}
    for one in sorted(reports, key=lambda one: one.id, reverse=True):
        if holds_from(one) <= now and (
            one.data.body not in latest or holds_from(one) >= holds_from(latest[one.data.body])
        ):
            latest[one.data.body] = one
    return [
        Point(country=one.data.country, body=one.data.body, officer_ref=one.data.officer_ref, channel=one.data.channel)
        for _, one in sorted(latest.items())
        if isinstance(one.data, ContactPointDesignated)
    ]


async def on_phone(asked: Sequence[Asked[PhoneAsk]], connection: Connection) -> Sequence[Answered]:
    """Tell whose books have a number, as far as their owners opened them to the asking country; else nothing."""
    books = await about(connection, [number(one.ask.hash) for one in asked])
    allowed = [_owners(books[number(one.ask.hash)], one.country) for one in asked]
    owners = sorted({owner for found in allowed for owner in found or ()})
    points = await about(connection, map(posts, owners))
    filled = {owner: _points(points[posts(owner)], asked[0].now) for owner in owners}
    return [_phone(found, one.country, filled) for found, one in zip(allowed, asked, strict=True)]


def _owners(reports: Reports, country: Country) -> list[Country] | None:
    """Return whose books a country may know of, its own too; None: there are none at all."""
    if not reports:
        return None
    found: set[Any] = {
        one.country
        for one in reports
        if may_know(marking(one.data), opened_to(country, one.country, one.data.recipients))
    }
    return sorted(found)


def _phone(owners: Sequence[Country] | None, country: Country, points: Mapping[Country, list[Point]]) -> Answered:
    if owners is None:
        return PhoneAnswer(known=False)
    if not owners:
        return not_permitted()
    others = [owner for owner in owners if owner != country]
    speak_to = tuple(point for owner in others for point in points.get(owner) or [Point(country=owner)])
    return PhoneAnswer(known=True, speak_to=speak_to)


QUESTIONS: Questions = {
    ContactAsk: on_contact,
    DocumentAsk: on_document,
    EntryAsk: on_entry,
    PhoneAsk: on_phone,
    SpecimensAsk: on_specimens,
}
