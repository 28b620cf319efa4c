"""Documents: listed ones that turn up, specimens that are missing, entry rules that change.

Choreographies 1 (its second half) and 16.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from services.intel.judgements.notices import IntelAnnouncement, IntelJudgement, alert
from shared.contracts.intel import (
    DocumentConfirmed,
    DocumentDelisted,
    DocumentFlagged,
    DocumentHit,
    DocumentListed,
    EntryRequirementChanged,
    EntryRequirementDeclared,
    SpecimenDeposited,
    SpecimenSuperseded,
    SpecimenWithdrawn,
)
from shared.contracts.vocabulary import MEMBERS
from shared.record.judgement import INSTANT, Notice, Reading, Standing, derived_id


@dataclass(frozen=True, slots=True)
class Listing:
    """A document listed, or (`status` null) delisted, by its issuer."""

    event_id: str
    status: str | None
    acted: datetime
    known: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A document that a border held to be false."""

    event_id: str
    country: str
    place: str
    seen: datetime
    source: str = ""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A fake that a laboratory confirmed."""

    event_id: str
    confirmed: datetime


@dataclass(frozen=True, slots=True)
class OnFile:
    """From when to when a specimen was on file; without an end, it still is."""

    event_id: str
    deposited: datetime
    withdrawn: datetime | None


class Hits(IntelJudgement):
    """Issuer and finder are told of a document that was listed when it was presented, or is listed only now."""

    reports = (DocumentDelisted, DocumentFlagged, DocumentListed)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the document, where its reference is told."""
        if report.data.doc_ref:
            yield document(report.data.issuing, report.data.doc_ref)

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Tell of each hit."""
        reports = read.about(scope)
        listings = [listing(one) for one in reports if not isinstance(one.data, DocumentFlagged)]
        sightings = [sighting(one) for one in reports if isinstance(one.data, DocumentFlagged)]
        for found, listed in hits(sightings, listings):
            named = _named(found, sightings)
            issuing, doc_ref = reports[0].data.issuing, reports[0].data.doc_ref
            for to in sorted({issuing, found.country}):
                name = f"{named}/{listed.event_id}"
                yield Notice(to=to, data=_hit(doc_ref, named, found, listed), scope=scope, name=name)


def document(issuing: str, doc_ref: str) -> str:
    """Return the thing that a document is."""
    return f"document/{issuing}/{doc_ref}"


def listing(report: Standing[DocumentListed | DocumentDelisted]) -> Listing:
    """Return what the issuer said of a document."""
    status = report.data.status if isinstance(report.data, DocumentListed) else None
    return Listing(report.id, status, report.time, report.known)


def sighting(report: Standing[DocumentFlagged]) -> Sighting:
    """Return where a document was held to be false."""
    return Sighting(report.id, report.country, report.data.bcp or report.country, report.time, report.source)


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


class Specimens(IntelJudgement):
    """The issuing country is asked for a specimen of a document that was faked while none was on file, once."""

    reports = (DocumentConfirmed, SpecimenDeposited, SpecimenSuperseded, SpecimenWithdrawn)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return the document that was faked, or is shown; and the specimen."""
        data = report.data
        if isinstance(data, DocumentConfirmed):
            yield f"fakes/{data.issuing}/{data.doc_code}"
            return
        if isinstance(data, SpecimenDeposited):
            yield deposits(data.issuing, data.doc_code)
        yield specimen(data.issuing, data.specimen_id)

    def scopes(self, report: Standing[Any], read: Reading) -> Iterable[str]:
        """Return the documents whose specimens, or fakes, it is about; only members deposit specimens."""
        data = report.data
        if data.issuing not in MEMBERS:
            return []
        if isinstance(data, DocumentConfirmed | SpecimenDeposited):
            codes = {str(data.doc_code)}
        else:
            deposited = read.about(specimen(data.issuing, data.specimen_id))
            codes = {str(one.data.doc_code) for one in deposited if isinstance(one.data, SpecimenDeposited)}
        return [f"specimen/{data.issuing}/{code}" for code in sorted(codes)]

    def decide(self, scope: str, read: Reading) -> Iterable[Notice]:
        """Ask once for each time without a specimen on file in which there was a fake."""
        _, issuing, doc_code = scope.split("/", 2)
        there = on_file(read, issuing, doc_code)
        fakes = []
        for since, until in without(there):
            first = read.about(f"fakes/{issuing}/{doc_code}", since, until, most=1)
            fakes += [Confirmation(one.id, one.time) for one in first]
        return [_wanted(issuing, doc_code, *one) for one in unmatched(fakes, there)]


def deposits(issuing: str, doc_code: str) -> str:
    """Return the thing that the specimens of a document are."""
    return f"deposits/{issuing}/{doc_code}"


def specimen(issuing: str, specimen_id: str) -> str:
    """Return the thing that one specimen is."""
    return f"deposit/{issuing}/{specimen_id}"


def on_file(read: Reading, issuing: str, doc_code: str) -> list[OnFile]:
    """Return when which specimens of a document were on file; one that a newer one took the place of still is."""
    found = [one for one in read.about(deposits(issuing, doc_code)) if isinstance(one.data, SpecimenDeposited)]
    return [_on_file(one, read.about(specimen(issuing, one.data.specimen_id))) for one in found]


def _on_file(deposit: Standing[SpecimenDeposited], reports: Sequence[Standing[Any]]) -> OnFile:
    ends = [one.time for one in reports if isinstance(one.data, SpecimenWithdrawn) and one.time >= deposit.time]
    return OnFile(deposit.id, deposit.time, min(ends, default=None))


def without(there: Sequence[OnFile]) -> list[tuple[datetime | None, datetime | None]]:
    """Return the times (first and last instant; None: no end) in which no specimen was on file."""
    found: list[tuple[datetime | None, datetime | None]] = []
    in_order = sorted(there, key=lambda one: one.deposited)
    for number in range(len(in_order) + 1):
        until = in_order[number].deposited - INSTANT if number < len(in_order) else None
        before = in_order[:number]
        ends = [one.withdrawn for one in before]
        since = max((end for end in ends if end), default=None)
        if None not in ends:
            # Of specimens deposited at once, the time between is none.
            begun = max([one.deposited for one in before] + ([since] if since else []), default=None)
            found += [(begun, until)] if not (begun and until and until < begun) else []
    return found


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


class EntryRules(IntelAnnouncement):
    """Every country's border posts, the destination's own too, are told of a changed entry rule (choreography 16)."""

    reports = (EntryRequirementChanged, EntryRequirementDeclared)

    def things(self, report: Standing[Any]) -> Iterable[str]:
        """Return whom the rule lets in where: to answer questions."""
        yield entry(report.data.destination, report.data.nationality)

    def notices(self, report: Standing[Any], scope: str, read: Reading) -> Iterable[Notice]:
        """Tell of a change, not of a rule that is declared as it was."""
        del read
        if report.event.verb != "changed":
            return []
        effective = datetime.combine(report.data.effective_from, time.min, UTC)
        data = alert(
            "entry_requirement_changed",
            (report.id, report.name),
            report.event.subject,
            due=effective,
            country=report.data.destination,
        )
        return [Notice(to=to, data=data, scope=scope) for to in MEMBERS]


def entry(destination: str, nationality: str) -> str:
    """Return the thing that an entry rule is."""
    return f"entry/{destination}/{nationality}"
