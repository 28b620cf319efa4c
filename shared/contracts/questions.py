"""The questions that a country may ask, on `ask.<service>.<question>`, and what it is answered: JSON both ways.

A question is closed to unknown fields, like a report; an answer is open, and may gain fields. The reply is
`{"answer": {...}}`, or `{"error": {"code": ..., "message": ..., "problems": [...]}}` with one of `ERRORS`.
"""

from datetime import date
from typing import Annotated

from msgspec import Meta, Raw, Struct

from shared.contracts import SERVICES, Hash, Ref, Time
from shared.contracts.asking import (
    ASK_BYTES_MAX,
    ERRORS,
    Answer,
    Answered,
    Ask,
    Code,
    Error,
    Question,
    Reply,
    every,
    invalid,
    not_permitted,
    of,
    question,
    read,
    too_many,
    unavailable,
)
from shared.contracts.bounds import END
from shared.contracts.vocabulary import (
    Country,
    DataRef,
    DocCode,
    EntryAnswer,
    InstitutionType,
    Instrument,
    Issuer,
    ListStatus,
    Nationality,
    Reporter,
    SpecimenTier,
    Token,
    Topic,
    Urgency,
)

__all__ = [
    "ASK_BYTES_MAX",
    "ERRORS",
    "Answer",
    "Answered",
    "Ask",
    "Code",
    "Error",
    "Question",
    "Reply",
    "every",
    "invalid",
    "not_permitted",
    "of",
    "question",
    "read",
    "too_many",
    "unavailable",
]
"""What every question is made of, beside the questions themselves."""
POSITION_MAX = 2**53 - 1
"""No log gets so long, and every JSON reader holds the number exactly."""


# --- intel -------------------------------------------------------------------------------------------------------
class ListedAnswer(Answer, frozen=True, kw_only=True):
    """Whether a document is on its issuer's list, and as what."""

    listed: bool
    status: ListStatus | None = None
    since: Time | None = None
    """When the region knew."""


@question("document", "intel", answer=ListedAnswer, good={"issuing": "HND", "doc_ref": "doc-5f2"})
class DocumentAsk(Ask, frozen=True, kw_only=True):
    """Asks whether a document is listed as stolen, lost, revoked or invalid."""

    issuing: Issuer
    """Only members have lists: of others' documents none is listed."""
    doc_ref: Ref
    """Keyed hash of issuing country and number; the number itself never travels."""


class Point(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whom to speak to: a country's contact point, or only the country while it has none."""

    country: Country
    body: Reporter | None = None
    officer_ref: DataRef | None = None
    channel: Token | None = None


class PhoneAnswer(Answer, frozen=True, kw_only=True):
    """Whether a telephone number stands in an address book that the asking country may know of."""

    known: bool
    speak_to: tuple[Point, ...] = ()


@question("phone", "intel", answer=PhoneAnswer, good={"hash": "5f" * 32})
class PhoneAsk(Ask, frozen=True, kw_only=True):
    """Asks whether a telephone number is known, and to whom the asking country may speak."""

    hash: Hash


class EntryRuleAnswer(Answer, frozen=True, kw_only=True):
    """What the destination declared; `unknown`: nothing yet."""

    answer: EntryAnswer
    effective_from: date | None = None
    doc_codes: tuple[DocCode, ...] = ()
    legal_ref: Ref | None = None


@question("entry", "intel", answer=EntryRuleAnswer, good={"destination": "GTM", "nationality": "ECU"})
class EntryAsk(Ask, frozen=True, kw_only=True):
    """Asks whether a nationality needs an authorisation to enter a country today."""

    destination: Country
    nationality: Nationality
    on: date | None = None
    """Another day than today."""


class Specimen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A specimen of a genuine document."""

    specimen_id: Ref
    series: Ref
    tier: SpecimenTier
    valid_from: date | None = None
    valid_to: date | None = None
    features: tuple[Token, ...] = ()
    image_ref: DataRef | None = None
    superseded_by: Ref | None = None


class SpecimensAnswer(Answer, frozen=True, kw_only=True):
    """The specimens on file that were not withdrawn, by series."""

    specimens: tuple[Specimen, ...] = ()


@question("specimens", "intel", answer=SpecimensAnswer, good={"issuing": "HND", "doc_code": "PP"})
class SpecimensAsk(Ask, frozen=True, kw_only=True):
    """Asks what specimens of a document there are."""

    issuing: Country
    doc_code: DocCode


class ContactAnswer(Answer, frozen=True, kw_only=True):
    """The contact points of a country now, by body; none while the post is vacant."""

    points: tuple[Point, ...] = ()


@question("contact", "intel", answer=ContactAnswer, good={"country": "GTM"})
class ContactAsk(Ask, frozen=True, kw_only=True):
    """Asks who is the contact point of a country now."""

    country: Country


# --- victims -----------------------------------------------------------------------------------------------------
class ReferralAnswer(Answer, frozen=True, kw_only=True):
    """Where a referral stands."""

    state: Token
    sender: Country
    receiver: Country
    urgency: Urgency
    sent: Time
    due: Time
    delivered: Time | None = None
    """Since when it is known that the receiver's system has it; None: not yet."""


@question("referral", "victims", answer=ReferralAnswer, good={"referral_id": "ref-88"})
class ReferralAsk(Ask, frozen=True, kw_only=True):
    """Asks where a referral stands; only its two countries may know."""

    referral_id: Ref


# --- legal -------------------------------------------------------------------------------------------------------
class OpenGap(Struct, frozen=True, kw_only=True):
    """An article that national law does not carry out in full."""

    article: Ref
    since: Time


class GapsAnswer(Answer, frozen=True, kw_only=True):
    """The open gaps, in the order of the articles."""

    party: bool
    """Whether the country is party to the treaty; if not, it has no gaps."""
    gaps: tuple[OpenGap, ...] = ()


@question("gaps", "legal", answer=GapsAnswer, good={"country": "GTM", "instrument": "TIP"})
class GapsAsk(Ask, frozen=True, kw_only=True):
    """Asks which obligations of a treaty a country has not put into its law."""

    country: Country
    instrument: Instrument


NUMBERS_MAX = 50
"""Blinded numbers in one question."""
Blinded = Annotated[str, Meta(min_length=64, max_length=64, pattern=rf"^[0-9a-f]{{64}}{END}")]
"""A point of ristretto255 (RFC 9496) in hexadecimal."""


# What a country asks to be hashed, and what comes back, are random points to whoever sees them.
BLINDED = "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"
"""Of RFC 9497, A.1.2.1."""


class NumbersAnswer(Answer, frozen=True, kw_only=True):
    """The points evaluated with the region's key, and proofs that it was that key."""

    version: int
    """Of the key."""
    public_key: str
    """To be held against the one that the country was given for this version."""
    evaluated: tuple[str, ...]
    """In the order of the question (`EvaluationElement` of RFC 9497)."""
    proofs: tuple[str, ...]
    """In the same order (`Proof` of RFC 9497, 64 bytes), one for each."""


@question("numbers", "legal", answer=NumbersAnswer, good={"blinded": [BLINDED]})
class NumbersAsk(Ask, frozen=True, kw_only=True):
    """Asks for blinded telephone numbers to be hashed (RFC 9497, ristretto255-SHA512, VOPRF); so many a day."""

    blinded: Annotated[tuple[Blinded, ...], Meta(min_length=1, max_length=NUMBERS_MAX)]
    version: Annotated[int, Meta(ge=1, le=1000)] | None = None
    """Of the key; by default the newest."""


# --- training ----------------------------------------------------------------------------------------------------
class Certificate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A certificate that serves today."""

    cert_id: Ref
    topic: Topic
    institution_type: InstitutionType
    valid_until: date
    grace_until: Time | None = None
    """Until when it still serves although it is stale."""


class CertificatesAnswer(Answer, frozen=True, kw_only=True):
    """The officer's certificates that serve today, by topic."""

    certificates: tuple[Certificate, ...] = ()


@question("certificates", "training", answer=CertificatesAnswer, good={"officer_pid": "of-7"})
class CertificatesAsk(Ask, frozen=True, kw_only=True):
    """Asks which certificates of an officer are valid; a country may ask about its own officers."""

    officer_pid: Ref
    country: Country | None = None
    """Whose officer; by default the asking country's."""


# --- Every service -----------------------------------------------------------------------------------------------
class MailboxAnswer(Answer, frozen=True, kw_only=True):
    """A part of what the service recorded for the asking country, in order."""

    events: tuple[Raw, ...]
    """Recorded events, as they are in the stream."""
    next: int
    """What to ask `after` for the part that follows."""
    more: bool
    """Whether there is more at present."""
    signatures: tuple[str, ...] = ()
    """Of each event the signature of its sender, a compact JWS with what was signed; empty: it has none."""


@question("mailbox", *SERVICES, answer=MailboxAnswer, good={"since": "2003-06-01T00:00:00Z"})
class MailboxAsk(Ask, frozen=True, kw_only=True):
    """Asks for what the service has told the country; nothing is taken out of the mailbox."""

    since: Time | None = None
    """Events that the region knew of then or later."""
    after: Annotated[int, Meta(ge=0, le=POSITION_MAX)] = 0
    """Position in the service's log; goes before `since`."""


class QuotaAnswer(Answer, frozen=True, kw_only=True):
    """What the asking country may use, and what it uses now."""

    reports_per_s: int
    """Reports that a process of the service takes while other countries report too."""
    questions_per_s: int
    """Questions that a process answers; `numbers` counts as 25, `quota` as 5."""
    numbers_per_day: int = 0
    """Telephone numbers that are hashed for it, in all."""
    connections: int
    subscriptions: int
    """Of one connection."""
    payload_bytes: int
    """Of one message with its headers."""
    open_batches: int
    intake_bytes: int
    """What its intake may hold; beyond it reports are refused until the oldest is seven days old."""
    intake_messages: int
    held_bytes: int
    """What its intake holds now, also of what was recorded: it keeps seven days."""
    held_messages: int
    waiting: int
    """Reports to this service that were not taken yet."""


@question("quota", *SERVICES, answer=QuotaAnswer, good={})
class QuotaAsk(Ask, frozen=True, kw_only=True):
    """Asks what the asking country may use, and what it uses now."""


# Those about the logs and about keys stand apart; whoever knows the questions knows them too.
from shared.contracts import keeping, logs  # noqa: E402, F401
