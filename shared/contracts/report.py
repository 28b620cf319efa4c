"""What a report must be: readable, by someone who may report it, and sensible; then it becomes an event."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec

from shared import contracts
from shared.contracts import Contract, Envelope, Event, Problem, Refused, Report
from shared.contracts.binary import said_in, structured
from shared.contracts.door import cut, within
from shared.contracts.owned import owned
from shared.contracts.refusal import PROBLEMS_MAX, all_problems, halved, parsed, repeated, unknown_type, unrepeated
from shared.contracts.sense import untimely
from shared.contracts.vocabulary import OPERATING, SEATS, SECRETARIATS, DataRef

FUTURE_MAX = timedelta(hours=24)
"""How far ahead of our clock a report's `time` may be: clocks differ, and so do readings of a date."""

UNREADABLE = (RecursionError, OverflowError, ValueError)
"""What bytes raise that cannot be read, or values that cannot be worked with (msgspec and Unicode: ValueErrors)."""


class _Identified(msgspec.Struct):
    id: contracts.Ref


_identified = msgspec.json.Decoder(_Identified)
_head = msgspec.json.Decoder(contracts.Head)


def report_id(payload: bytes, headers: Mapping[str, str] | None = None) -> str | None:
    """Return the id that a refused report gives itself, where it can be read and is a proper one."""
    try:
        attributes = said_in(headers)
        own = _identified.decode(payload) if attributes is None else msgspec.convert(attributes, _Identified)
        twice = attributes is None and repeated(payload, "id")
        return own.id if within(_Identified)(own) and not twice else None
    except (*UNREADABLE, Refused):
        return None


@cache
def envelope_type(agreed: Contract) -> type[Envelope[Any]]:
    """Return the struct of a whole report of this type."""
    return Envelope[contracts.report_type(agreed)]  # type: ignore[misc, return-value]


@cache
def _decoder(agreed: Contract) -> msgspec.json.Decoder[Envelope[Any]]:
    return msgspec.json.Decoder(envelope_type(agreed))


@cache
def _by_name(name: str) -> tuple[Contract, ...]:
    """Return the versions of a reported type, newest first."""
    versions = [one for one in contracts.registry().values() if one.name == name and one.reported]
    return tuple(sorted(versions, key=lambda one: one.version, reverse=True))


def _meant(versions: tuple[Contract, ...], payload: bytes) -> tuple[Contract, ...]:
    """Return the version that a report says it is of, where there are several; none: that cannot be read."""
    if len(versions) == 1:
        return versions
    try:
        said = _head.decode(payload).type
    except UNREADABLE:
        return ()
    return tuple(agreed for agreed in versions if agreed.type == said)


def accepted(subject: str, headers: Mapping[str, str] | None, payload: bytes, now: datetime) -> Event[Any]:
    """Return the event that a report on `subject` (crm.in.CCC.service.entity.verb) becomes, not yet recorded.

    Raises Refused with everything that is wrong with it; anything else is a fault of ours in a check of a good report.
    """
    try:
        return _accepted(subject, headers, payload, now)
    except UNREADABLE as error:
        raise Refused(_untold()) from error


def _untold() -> Problem:
    return Problem("", "unreadable", "the report holds a value that cannot be worked with")


def _accepted(subject: str, headers: Mapping[str, str] | None, payload: bytes, now: datetime) -> Event[Any]:
    _, _, sender, name = subject.split(".", 3)
    whole = structured(headers, payload)
    versions = _by_name(name)
    for agreed in _meant(versions, whole):
        try:
            envelope = _decoder(agreed).decode(cut(whole, envelope_type(agreed)))
            unrepeated(whole)
        except UNREADABLE:
            break
        if not within(envelope_type(agreed))(envelope):
            break
        if envelope.type == agreed.type:
            envelope, foreign = owned(agreed, envelope, contracts.place_of(sender))
            problems = [
                *authority(agreed, envelope.source, envelope.data, sender),
                *foreign,
                *_sense(agreed, envelope, now),
            ]
            if problems:
                raise Refused(*problems)
            return _draft(agreed, envelope, sender)
    raise Refused(*explained(versions, name, whole, sender))


def _draft(agreed: Contract, envelope: Envelope[Any], sender: str) -> Event[Any]:
    return Event(
        specversion="1.0",
        id=envelope.id,
        source=envelope.source,
        type=envelope.type,
        time=envelope.time,
        country=contracts.place_of(sender),  # the server made the subject, by whose account it is
        data=envelope.data,
        recordedtime=envelope.time,
        subject=envelope.subject or (getattr(envelope.data, agreed.entity) if agreed.entity else "") or "",
        datacontenttype="application/json",
        expirytime=envelope.expirytime,
        causationid=envelope.causationid or "",
        correlationid=envelope.correlationid or envelope.id,
        traceparent=envelope.traceparent or "",
    )


class _Said(msgspec.Struct, omit_defaults=True):
    """The attributes that are compared as they are written: all texts. Who sends again may begin another trace."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str | None = None
    dataschema: str | None = None
    causationid: str | None = None
    correlationid: str | None = None


_said = msgspec.json.Decoder(_Said)
_sorted = msgspec.json.Encoder(order="sorted")


def said(headers: Mapping[str, str] | None, payload: bytes, event: Event[Any]) -> bytes:
    """Return the SHA-256 of all that the sender of an accepted report said; equal ones are the same report.

    Whatever form it came in counts for nothing: the order of members, the offset of a time, `null` for what is left
    out. Nor does a trace.
    """
    data = _plain(msgspec.to_builtins(event.data, builtin_types=(datetime,)))
    attributes = _said.decode(structured(headers, payload))
    return hashlib.sha256(_sorted.encode([attributes, _plain(event.time), _plain(event.expirytime), data])).digest()


def _plain(value: Any) -> Any:
    """Return a value in the one form that all equal ones share."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in _present(value).items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _present(value: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in value.items() if one is not None}


def authority(
    agreed: Contract, source: str, data: Report, sender: str, held: Mapping[str, str] | None = None
) -> list[Problem]:
    """Say whether this sender, and this kind of organisation, may report this.

    `held` tells who holds each seat at the time of the report; None: not asked here, as before sending.
    """
    problems = []
    body = data.reported_by
    if contracts.sender_of(source) != sender:
        problems.append(_foreign_source(sender))
    if agreed.by and body not in agreed.by:
        allowed = ", ".join(agreed.by)
        problems.append(Problem("/data/reported_by", "not_permitted", f"only these may report it: {allowed}"))
    problems += _office(agreed, sender, body)
    own = not agreed.owner or getattr(data, agreed.owner) == sender
    seated = (own and body in agreed.unseated) or (held is not None and held.get(body) == sender)
    if held is not None and body in SEATS and not seated and sender != OPERATING:
        message = f"at the time of the report the seat of {body} is not the sender's: only its holder speaks for it"
        problems.append(Problem("/data/reported_by", "not_seated", message))
    if not own and body not in agreed.behalf:
        seats = f", or the holder of one of these seats: {', '.join(agreed.behalf)}" if agreed.behalf else ""
        message = f"only the country named in this field may send this report{seats}"
        problems.append(Problem(f"/data/{_wire_name(agreed, agreed.owner)}", "not_owner", message))
    vault = f"urn:crm:vault:{sender}:"
    return problems + [
        Problem(f"/data/{field}", "country_mismatch", "a claim check names a vault of the country that sends it", vault)
        for name, field in _claim_checks(agreed)
        if (said := getattr(data, name)) is not None and not said.startswith(vault)
    ]


def _office(agreed: Contract, sender: str, body: str) -> Iterator[Problem]:
    """Yield what those who are no country may not report, and what only they may."""
    if sender == OPERATING and not agreed.operated:
        yield Problem("/type", "not_permitted", "the operator reports only what its contract says")
    if sender not in SECRETARIATS:
        return
    if body not in SEATS or not ({*agreed.by, *agreed.behalf} & {*SEATS} or agreed.generic):
        message = "a secretariat reports in the name of a seat, and only what such a body may report"
        yield Problem("/data/reported_by", "not_permitted", message)


def _foreign_source(country: str) -> Problem:
    message = f"the source must belong to the account that it comes from ({country})"
    return Problem("/source", "country_mismatch", message, contracts.source_of(country, "…"))


def _sense(agreed: Contract, envelope: Envelope[Report], now: datetime) -> list[Problem]:
    """Say what is wrong beyond the single fields."""
    data = envelope.data
    problems = [
        Problem(f"/data/{name}", "unknown_field", "the service fills this in; a report leaves it out")
        for name in agreed.derived
        if getattr(data, name) is not None
    ]
    if envelope.time > now + FUTURE_MAX:
        problems.append(Problem("/time", "in_future", "the event would lie in the future"))
    entity = getattr(data, agreed.entity) if agreed.entity else None
    if entity and envelope.subject and entity != envelope.subject:
        problems.append(
            Problem("/subject", "subject_mismatch", f"subject and data/{agreed.entity} must name the same entity")
        )
    if agreed.entity and not entity and not envelope.subject:
        problems.append(Problem("/subject", "missing_field", f"name the entity in subject or in data/{agreed.entity}"))
    if envelope.expirytime and envelope.expirytime < envelope.time:
        problems.append(Problem("/expirytime", "ends_before_start", "it ends before time"))
    if getattr(data, "supersedes", None) == envelope.id:
        problems.append(Problem("/data/supersedes", "wrong_reference", "a report does not amend itself"))
    return [*problems, *untimely(data, envelope.time), *data.check()]


def explained(versions: tuple[Contract, ...], name: str, payload: bytes, country: str) -> list[Problem]:
    """Return what is wrong with a report that does not fit its contract; whatever it is, there is an answer."""
    try:
        return _explained(versions, name, payload, country)
    except Exception:  # noqa: BLE001 - it is refused in any case: that nobody can say why must not keep it from that
        return [_untold()]


def _explained(versions: tuple[Contract, ...], name: str, payload: bytes, country: str) -> list[Problem]:
    value, problem = parsed(payload)
    if problem:
        return [problem]
    if not versions:
        return [unknown_type(value.get("type") or f"crm.{name}.v1")]
    by_type = {agreed.type: agreed for agreed in versions}
    sent = value.get("type")
    agreed = by_type.get(sent, versions[0]) if isinstance(sent, str) else versions[0]
    problems = all_problems(agreed, value)
    if isinstance(sent, str) and sent not in by_type:
        problems = [one for one in problems if one.pointer != "/type"][: PROBLEMS_MAX - 1]
        code = "subject_mismatch" if sent in contracts.registry() else "unknown_type"
        problems.insert(0, Problem("/type", code, "the type is not the one that the subject names", agreed.type))
    elif "type" in value and not isinstance(sent, str):
        problems = [one for one in problems if one.pointer != "/type"][: PROBLEMS_MAX - 1]
        problems.insert(0, Problem("/type", "wrong_type", "the type of a report is a text", agreed.type))
    source = value.get("source")
    if isinstance(source, str) and contracts.sender_of(source) not in {country, "REG"}:
        problems.append(_foreign_source(country))
    return problems or halved(value) or [Problem("", "invalid", "the report does not fit its contract")]


@cache
def _claim_checks(agreed: Contract) -> tuple[tuple[str, str], ...]:
    """Return the fields (attribute, name on the wire) that name a vault."""
    known = msgspec.structs.fields(agreed.data)
    return tuple((one.name, one.encode_name) for one in known if one.type in (DataRef, DataRef | None))


@cache
def _wire_name(agreed: Contract, attribute: str) -> str:
    return next(f.encode_name for f in msgspec.structs.fields(agreed.data) if f.name == attribute)
