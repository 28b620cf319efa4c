"""What countries report to the intelligence service, and what it derives."""

from datetime import date
from typing import Annotated

from msgspec import Meta, field

from shared.contracts import Count, Ref, Time, Value, contract
from shared.contracts.notice import alerts, rejects
from shared.contracts.sense import Fact
from shared.contracts.vocabulary import (
    AgeBand,
    BandScope,
    Country,
    Currency,
    DataRef,
    DetectedBy,
    DocCode,
    Exploitation,
    FraudType,
    Geohash,
    Handling,
    InformationGrade,
    Listed,
    Mode,
    Nationality,
    Offence,
    OneOrMore,
    OperationKind,
    PhonebookMedia,
    PointKind,
    Reporter,
    Sex,
    SourceGrade,
    SpecimenTier,
    State,
    Tlp,
    Token,
    TraffickerRole,
)


@contract(
    "intel.trafficker.detected",
    good={
        "trafficker_pid": "tr-7c1",
        "offences": ["tip"],
        "role": "RecruiterOrIntermediary",
        "sex": "female",
        "age_band": "adult",
        "reported_by": "police",
    },
    bad=("role", "Recruiter"),
    rows=("IE-1.2d", "XC-2"),
    privacy="S",
    entity="trafficker_pid",
)
class TraffickerDetected(Fact, frozen=True, kw_only=True):
    """A presumed trafficker or smuggler came to notice (Plan IE 1.2.3: leaders and modus operandi too)."""

    trafficker_pid: Ref
    offences: OneOrMore[Offence]
    """The principal offence first (ICCS counting rule)."""
    role: TraffickerRole
    sex: Sex
    age_band: AgeBand
    nationality: Nationality | None = None
    modus_operandi: Listed[Token] = ()
    route_id: Ref | None = None
    band_id: Ref | None = None
    srceval: SourceGrade | None = None
    infoeval: InformationGrade | None = None
    tlp: Tlp | None = None
    handling: Handling | None = None


class MrzCheck(Value, frozen=True, kw_only=True):
    """Check digits of the machine-readable zone (ICAO 9303): they prove the reading, not the document."""

    doc: bool | None = None
    dob: bool | None = None
    exp: bool | None = None
    composite: bool | None = None


@contract(
    "intel.document.flagged",
    good={
        "doc_code": "PP",
        "issuing": "HND",
        "fraud_type": "photo_substitution",
        "detected_by": "second_line",
        "reported_by": "immigration",
    },
    bad=("detected_by", "third_line"),
    rows=("IE-3.1ii",),
    privacy="P",
    entity="doc_ref",
)
class DocumentFlagged(Fact, frozen=True, kw_only=True):
    """A document was held to be false where it was inspected."""

    issuing: Country
    doc_code: DocCode
    fraud_type: FraudType
    detected_by: DetectedBy
    doc_ref: Ref | None = None
    """Keyed hash of issuing country and number; the number itself never travels."""
    mrz_check: MrzCheck | None = None
    bcp: Ref | None = None
    """Border control point."""
    carrier: Ref | None = None
    specimen_id: Ref | None = None


@contract(
    "intel.document.confirmed",
    good={
        "flag_id": "0193a1b2-example",
        "issuing": "HND",
        "doc_code": "PP",
        "fraud_type": "photo_substitution",
        "bcp": "GTM-TECUN-UMAN",
        "forensic_level": 2,
        "reported_by": "forensic_laboratory",
    },
    bad=("forensic_level", 4),
    rows=("IE-3.1ii",),
    privacy="P",
    entity="flag_id",
)
class DocumentConfirmed(Fact, frozen=True, kw_only=True):
    """A laboratory confirmed that a document is false; three at one border post within 30 days raise a need."""

    issuing: Country
    doc_code: DocCode
    fraud_type: FraudType
    bcp: Ref
    flag_id: Ref | None = None
    """The id of the event that flagged it."""
    technique: Token | None = None
    forensic_level: Annotated[int, Meta(ge=1, le=3)] | None = None


@contract(
    "intel.specimen.deposited",
    good={
        "specimen_id": "sp-hnd-pp-2003",
        "issuing": "HND",
        "doc_code": "PP",
        "series": "2003-A",
        "tier": "officer",
        "reported_by": "immigration",
    },
    bad=("tier", "secret"),
    rows=("IE-3.2.2", "MS-IE-7"),
    owner="issuing",
    entity="specimen_id",
)
class SpecimenDeposited(Fact, frozen=True, kw_only=True):
    """The issuing country deposited the specimen of a genuine document (Plan IE 3.2.2)."""

    specimen_id: Ref
    issuing: Country
    doc_code: DocCode
    series: Ref
    tier: SpecimenTier
    valid_from: date | None = None
    valid_to: date | None = None
    features: Listed[Token] = ()
    image_ref: DataRef | None = None


@contract(
    "intel.entryrequirement.declared",
    good={
        "destination": "GTM",
        "nationality": "ECU",
        "authorisation_required": True,
        "effective_from": "2003-12-01",
        "reported_by": "immigration",
    },
    bad=("nationality", "Ecuador"),
    rows=("IE-1.2a",),
    owner="destination",
)
class EntryRequirementDeclared(Fact, frozen=True, kw_only=True):
    """A country declared whether a nationality needs an authorisation to enter it (Plan IE 1.2)."""

    destination: Country
    nationality: Nationality
    authorisation_required: bool
    effective_from: date
    doc_codes: Listed[DocCode] = ()
    legal_ref: Ref | None = None


class Leg(Value, frozen=True, kw_only=True):
    """One leg of a route."""

    origin: State = field(name="from")
    to: State
    mode: Mode
    point_kind: PointKind
    """What the end of the leg is."""


class Fee(Value, frozen=True, kw_only=True):
    """What the trip is sold for, in whole units."""

    amount: Count
    currency: Currency


@contract(
    "intel.route.reported",
    good={
        "route_id": "rt-12",
        "legs": [{"from": "ECU", "to": "GTM", "mode": "boat", "point_kind": "Transit"}],
        "reported_by": "immigration",
    },
    bad=("legs", []),
    rows=("IE-1.2c",),
    entity="route_id",
)
class RouteReported(Fact, frozen=True, kw_only=True):
    """A route of smugglers or traffickers became known (Plan IE 1.2: "rutas")."""

    route_id: Ref
    legs: OneOrMore[Leg]
    fee: Fee | None = None
    first_seen: date | None = None
    last_seen: date | None = None


@contract(
    "intel.location.reported",
    good={
        "place_ref": "place-31",
        "geohash": "9fxe",
        "venue": "farm",
        "suspected_exploitation": "ForcedLabour",
        "target_country": "MEX",
        "reported_by": "ngo",
    },
    bad=("geohash", "9fxeb"),
    rows=("IE-3.2.1",),
    privacy="S",
    entity="place_ref",
)
class LocationReported(Fact, frozen=True, kw_only=True):
    """A place was reported where victims of trafficking are suspected (Plan IE 3.2.1)."""

    place_ref: Ref
    venue: Token
    suspected_exploitation: Exploitation
    target_country: Country
    """Where the place is, and whose answer is awaited."""
    geohash: Geohash | None = None
    ack_by: Time | None = None


@contract(
    "intel.phonebook.seized",
    good={
        "seizure_id": "sz-9",
        "detention_id": "det-4",
        "media": "phone",
        "entries_count": 212,
        "hashes_ref": "urn:crm:vault:GTM:sz-9",
        "reported_by": "police",
    },
    bad=("entries_count", -1),
    rows=("IE-1.2.3",),
    privacy="S",
    entity="seizure_id",
)
class PhonebookSeized(Fact, frozen=True, kw_only=True):
    """A telephone or address book was secured at a detention (Plan IE 1.2.3); its numbers stay in the vault."""

    seizure_id: Ref
    media: PhonebookMedia
    entries_count: Count
    detention_id: Ref | None = None
    holder_pid: Ref | None = None
    hashes_ref: DataRef | None = None


@contract(
    "intel.contactpoint.designated",
    good={
        "country": "GTM",
        "body": "immigration",
        "officer_ref": "urn:crm:vault:GTM:officer-3",
        "reported_by": "immigration",
    },
    bad=("country", "ESP"),
    rows=("IE-1.2.2", "IE-1.1b"),
    privacy="S",
    owner="country",
)
class ContactPointDesignated(Fact, frozen=True, kw_only=True):
    """A country designated its permanent contact point (Plan IE 1.2.2)."""

    country: Country
    body: Reporter
    officer_ref: DataRef
    channel: Token | None = None
    valid_from: date | None = None


class OperationResults(Value, frozen=True, kw_only=True):
    """What a joint operation brought."""

    detentions: Count = 0
    victims: Count = 0
    documents: Count = 0


@contract(
    "intel.operation.executed",
    good={
        "operation_id": "op-3",
        "kind": "ordinary",
        "participants": ["GTM", "MEX"],
        "started": "2004-03-01T06:00:00Z",
        "ended": "2004-03-02T18:00:00Z",
        "results": {"detentions": 4, "victims": 9, "documents": 12},
        "reported_by": "immigration",
    },
    bad=("kind", "secret"),
    rows=("IE-3.1iii", "PC-1a"),
    entity="operation_id",
    derived=("joint",),
)
class OperationExecuted(Fact, frozen=True, kw_only=True):
    """An operation was carried out; it is a joint one when two or more countries took part."""

    operation_id: Ref
    kind: OperationKind
    participants: OneOrMore[Country]
    started: Time | None = None
    ended: Time | None = None
    results: OperationResults | None = None
    joint: bool | None = None


@contract(
    "intel.band.dismantled",
    good={
        "band_id": "band-2",
        "scope": "regional",
        "members_count": 8,
        "offences": ["som", "doc_fraud"],
        "countries": ["GTM", "MEX"],
        "reported_by": "police",
    },
    bad=("scope", "global"),
    rows=("PC-1c",),
    privacy="P",
    entity="band_id",
)
class BandDismantled(Fact, frozen=True, kw_only=True):
    """A band of smugglers or traffickers was broken up (Plan PC 1)."""

    band_id: Ref
    scope: BandScope
    offences: OneOrMore[Offence]
    members_count: Count | None = None
    countries: Listed[Country] = ()


@contract(
    "intel.meeting.held",
    good={
        "meeting_id": "vm-2003-07",
        "body": "liaison_network",
        "date": "2003-07-01",
        "attending": ["MEX", "GTM", "CRI"],
        "reported_by": "sv",
    },
    bad=("date", "1 July 2003"),
    rows=("IE-2.1", "MS-IE-4"),
    entity="meeting_id",
)
class MeetingHeld(Fact, frozen=True, kw_only=True):
    """A meeting took place; the network meets on the first Tuesday of each month (Plan IE 2.1)."""

    meeting_id: Ref
    body: Reporter
    date: date
    attending: Listed[Country]


alerts("intel")
rejects("intel")
