"""The questions that a country may ask, on `ask.<service>.<question>`, and what it is answered: JSON both ways.

A question is closed to unknown fields, like a report; an answer is open, and may gain fields. The reply is
`{"answer": {...}}`, or `{"error": {"code": ..., "message": ..., "problems": [...]}}` with one of `ERRORS`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from shared.contracts import SERVICES, Hash, Problem, Ref, Time
from shared.contracts.bounds import END
from shared.contracts.door import cut, within
from shared.contracts.refusal import listed, unambiguous
from shared.contracts.suggestion import nearest
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

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

Code = Literal["not_permitted", "invalid", "unknown_question", "unavailable", "too_many"]
ERRORS: Mapping[Code, str] = {
    "not_permitted": "there is an answer, or may be one, that this country may not know",
    "invalid": "the question does not fit its contract; `problems` says where and why",
    "unknown_question": "the service has no such question",
    "unavailable": "the service cannot answer now; the question may be asked again",
    "too_many": "more questions than the country's quota allows; ask again after `wait_s` seconds",
}
ASK_BYTES_MAX = 8 * 1024
POSITION_MAX = 2**53 - 1
"""No log gets so long, and every JSON reader holds the number exactly."""


class Ask(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is asked."""


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is answered."""


class Error(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why there is no answer."""

    code: Code
    message: str
    problems: tuple[Problem, ...] = ()
    wait_s: float | None = None
    """With `too_many`: after how many seconds it may be asked again."""


class Reply(Struct, frozen=True, omit_defaults=True):
    """What comes back: one of the two."""

    answer: Raw = Raw()
    error: Error | None = None


class Question(Struct, frozen=True, kw_only=True, eq=False):
    """What is agreed about one question."""

    name: str
    services: tuple[str, ...]
    ask: type[Ask]
    answer: type[Answer]
    doc: str
    good: Mapping[str, Any]
    """An example."""
    audited: bool = True
    """Whether its answers leave a row in `audit`: not so of what is no person's, and is asked all the time."""


Answered = Answer | Error

_registry: dict[tuple[str, str], Question] = {}
A = TypeVar("A", bound=Ask)


def question(
    name: str, *services: str, answer: type[Answer], good: Mapping[str, Any], audited: bool = True
) -> Callable[[type[A]], type[A]]:
    """Register the decorated struct as the question `name` to each of `services`."""

    def register(ask: type[A]) -> type[A]:
        agreed = Question(
            name=name,
            services=services,
            ask=ask,
            answer=answer,
            doc=(ask.__doc__ or "").strip(),
            good=good,
            audited=audited,
        )
        _registry.update({(service, name): agreed for service in services})
        return ask

    return register


def of(service: str, name: str) -> Question | Error:
    """Return what is agreed about a question, or the error that tells of the nearest one."""
    agreed = _registry.get((service, name))
    if agreed:
        return agreed
    known = [other for one, other in _registry if one == service]
    problem = Problem("", "unknown_question", f"{service} answers: {', '.join(known)}", nearest(name, known))
    return Error(code="unknown_question", message=ERRORS["unknown_question"], problems=(problem,))


def every() -> Mapping[tuple[str, str], Question]:
    """Return every question by service and name."""
    return _registry


def read(agreed: Question, payload: bytes) -> Ask | Error:
    """Return what is asked, or the error that tells all that is wrong with it, without quoting it."""
    if len(payload) > ASK_BYTES_MAX:
        return invalid(Problem("", "too_large", f"a question has at most {ASK_BYTES_MAX} bytes"))
    payload = payload or b"{}"
    try:
        value = unambiguous(payload)
    except (ValueError, RecursionError):
        return invalid(Problem("", "not_json", "a question is one JSON object, each field once"))
    try:
        asked = _decoder(agreed).decode(cut(payload, agreed.ask))
        if within(agreed.ask)(asked):
            return asked
    except (ValueError, OverflowError, RecursionError):
        pass
    return invalid(*_explained(agreed, value))


def _explained(agreed: Question, value: object) -> Sequence[Problem]:
    """Return what is wrong with a question; whatever it is, there is an answer."""
    try:
        problems = listed(_validator(agreed).iter_errors(value))
    except Exception:  # noqa: BLE001 - that nobody can say why must not end who answers
        problems = []
    return problems or (Problem("", "invalid", "the question does not fit its contract"),)


def not_permitted() -> Error:
    """Return the error of a question about what the asking country may not know."""
    return Error(code="not_permitted", message=ERRORS["not_permitted"])


def unavailable() -> Error:
    """Return the error of a question that could not be answered for a reason of ours."""
    return Error(code="unavailable", message=ERRORS["unavailable"])


def too_many(wait_s: float) -> Error:
    """Return the error of a question beyond the quota of who asks."""
    return Error(code="too_many", message=ERRORS["too_many"], wait_s=round(wait_s + 0.005, 2))


def invalid(*problems: Problem) -> Error:
    """Return the error of a question that is not a proper one."""
    return Error(code="invalid", message=ERRORS["invalid"], problems=problems)


@cache
def _decoder(agreed: Question) -> msgspec.json.Decoder[Ask]:
    return msgspec.json.Decoder(agreed.ask)


@cache
def _validator(agreed: Question) -> "Draft202012Validator":
    from shared.contracts.schema import closed_validator  # noqa: PLC0415 - it needs jsonschema, a client does not

    return closed_validator(agreed.ask)


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


# Those about the logs stand apart; whoever knows the questions knows them too.
from shared.contracts import logs  # noqa: E402, F401
