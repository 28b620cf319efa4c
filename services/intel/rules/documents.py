"""Documents: listed ones that turn up, specimens that are missing, entry rules that change.

Choreographies 1 (its second half) and 16.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from typing import Any

from services.intel.facts import documents, told
from services.intel.facts.documents import Confirmation, Listing, OnFile, Sighting
from services.intel.telling import Notice, alert, settle
from shared.contracts import Event
from shared.contracts.intel import (
    DocumentConfirmed,
    DocumentDelisted,
    DocumentFlagged,
    DocumentHit,
    DocumentListed,
    EntryRequirementChanged,
    SpecimenDeposited,
    SpecimenSuperseded,
    SpecimenWithdrawn,
)
from shared.contracts.vocabulary import MEMBERS
from shared.database import Connection
from shared.rules import derived_id


async def on_document(
    cause: Event[Any], about: Event[DocumentFlagged | DocumentListed | DocumentDelisted], connection: Connection
) -> Iterable[Event[Any]]:
    """Tell issuer and finder of a document that was listed when it was presented, or is listed only now."""
    issuing, doc_ref = about.data.issuing, about.data.doc_ref
    if not doc_ref:
        return []
    scope = f"document/{issuing}/{doc_ref}"
    listings = await documents.listings(connection, issuing, doc_ref)
    sightings = await documents.sightings(connection, issuing, doc_ref) if listings or cause is not about else []
    if cause is about and not (listings and sightings):
        return []
    notices = [
        Notice(to=to, data=_hit(doc_ref, named, sighting, listing), scope=scope, name=f"{named}/{listing.event_id}")
        for sighting, listing in hits(sightings, listings)
        for named in [_named(sighting, sightings)]
        for to in sorted({issuing, sighting.country})
    ]
    return await settle(connection, cause, [scope], notices)


def hits(sightings: Sequence[Sighting], listings: Sequence[Listing]) -> list[tuple[Sighting, Listing]]:
    """Return each sighting with the listing that it hits: the one in force then, else the first one after it."""
    found = []
    acts = sorted(listings, key=lambda one: (one.acted, one.event_id))
    for sighting in sorted(sightings, key=lambda one: (one.seen, one.event_id)):
        before = [one for one in acts if one.acted <= sighting.seen]
        if before and before[-1].status:
            found.append((sighting, before[-1]))
            continue
        after = [one for one in acts if one.acted > sighting.seen and one.status]
        found += [(sighting, one) for one in after[:1]]
    return found


def _named(sighting: Sighting, sightings: Sequence[Sighting]) -> str:
    """Return what tells a sighting from the others: its report's id, which another country may have given, too."""
    same = [one for one in sightings if one.event_id == sighting.event_id and one.source < sighting.source]
    return f"{sighting.event_id}/{sighting.source}" if same else sighting.event_id


def _hit(doc_ref: str, named: str, sighting: Sighting, listing: Listing) -> DocumentHit:
    late = max(0, int((sighting.seen - listing.acted).total_seconds()))
    return DocumentHit(
        doc_ref=doc_ref,
        where=sighting.place,
        list_event=listing.event_id,
        latency_s=late,
        hit_id=derived_id("hit", named, listing.event_id),
    )


async def on_specimen(
    cause: Event[Any],
    about: Event[DocumentConfirmed | SpecimenDeposited | SpecimenSuperseded | SpecimenWithdrawn],
    connection: Connection,
) -> Iterable[Event[Any]]:
    """Ask the issuing country for a specimen of a document that was faked while none was on file, once."""
    data = about.data
    if data.issuing not in MEMBERS:
        return []  # only members deposit specimens
    if isinstance(data, DocumentConfirmed | SpecimenDeposited):
        doc_codes = [str(data.doc_code)]
    else:
        doc_codes = await documents.doc_codes(connection, data.issuing, data.specimen_id)
    events = []
    for doc_code in doc_codes:
        scope = f"specimen/{data.issuing}/{doc_code}"
        on_file = await documents.on_file(connection, data.issuing, doc_code)
        if isinstance(data, DocumentConfirmed) and cause is about:
            # One more fake changes nothing where there was a specimen, or where one was asked for already.
            new = [
                _wanted(data.issuing, doc_code, *one)
                for one in unmatched([Confirmation(about.id, about.time)], on_file)
            ]
            if not new or await told.known(connection, [new[0].key]):
                continue
        fakes = await documents.confirmations(connection, data.issuing, doc_code)
        notices = [_wanted(data.issuing, doc_code, *one) for one in unmatched(fakes, on_file)]
        events += await settle(connection, cause, [scope], notices)
    return events


def _wanted(issuing: str, doc_code: str, gap: int, first: Confirmation) -> Notice:
    scope = f"specimen/{issuing}/{doc_code}"
    data = alert("specimen_wanted", (first.event_id, "intel.document.confirmed"), f"{issuing}:{doc_code}")
    return Notice(to=issuing, data=data, scope=scope, name=f"{scope}/{gap}")


def unmatched(fakes: Sequence[Confirmation], on_file: Sequence[OnFile]) -> list[tuple[int, Confirmation]]:
    """Return, for each time without a specimen on file (by the number of specimens before it), its first fake."""
    first: dict[int, Confirmation] = {}
    for fake in sorted(fakes, key=lambda one: (one.confirmed, one.event_id)):
        before = [one for one in on_file if one.deposited <= fake.confirmed]
        if all(one.withdrawn is not None and one.withdrawn <= fake.confirmed for one in before):
            first.setdefault(len(before), fake)
    return sorted(first.items())


def on_entry_rule(about: Event[EntryRequirementChanged], scope: str) -> list[Notice]:
    """Tell every country's border posts, the destination's own too, of a changed entry rule (choreography 16)."""
    effective = datetime.combine(about.data.effective_from, time.min, UTC)
    data = alert(
        "entry_requirement_changed",
        (about.id, about.name),
        about.subject,
        due=effective,
        country=about.data.destination,
    )
    return [Notice(to=to, data=data, scope=scope) for to in MEMBERS]
