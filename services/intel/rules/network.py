"""Contact points (choreography 11, intel's side), information asked and given, commitments."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.intel.facts import network
from services.intel.facts.network import Commitment, Reply, Request
from services.intel.gate import Relation, marking, may_know
from services.intel.rules import places
from services.intel.telling import SERVICE, Notice, alert, settle
from shared import contracts, seats
from shared.contracts import Event, Problem, Refused, Retracted, identity
from shared.contracts.intel import (
    CommitmentAgreed,
    CommitmentFulfilled,
    CommitmentOverdue,
    ContactPointDesignated,
    ContactPointVacated,
    FeedbackGiven,
    InformationRequested,
    InformationShared,
    Manual,
    OperationPlanned,
)
from shared.contracts.vocabulary import MEMBERS, REGION, Seat
from shared.database import Connection
from shared.rules import NotYet, derive, enriched

REQUESTED = "intel.information.requested"


async def on_contact_point(
    cause: Event[Any], about: Event[ContactPointDesignated | ContactPointVacated], connection: Connection
) -> Iterable[Event[Any]]:
    """Tell the network who is its contact, or that there is none; a newcomer gets what is still open."""
    data = about.data
    scope = f"{about.source}/{about.id}"
    stands = await network.is_recorded(connection, about.id, about.source)
    since = network.holds_from(about, data)
    latest = stands and await network.is_latest(connection, data.country, data.body, since, cause.recordedtime)
    kind = f"contact_point_{about.verb}"
    due = since if since > about.time else None
    said = alert(kind, (about.id, about.name), about.subject, due=due, reason=data.body, country=data.country)
    others = [one for one in MEMBERS if one != data.country] if latest else []
    events = await settle(connection, cause, [scope], [Notice(to=one, data=said, scope=scope) for one in others])
    if latest and cause is about and isinstance(data, ContactPointDesignated):
        events += await _still_open(cause, data.country, connection)
    return events


async def _still_open(cause: Event[Any], country: str, connection: Connection) -> list[Event[Any]]:
    """Return again what a country was told and has not answered: places and requests, first due first."""
    waiting = [(one.due, notice) for one, notice in await places.reoffered(connection, country)]
    for request in await network.unanswered(connection, country):
        waiting += [(request.due, _request("", request))] if may_know(request.marking, Relation.NAMED) else []
    waiting.sort(key=lambda pair: (pair[0], pair[1].key))
    return [derive(SERVICE, one.data, cause=cause, to=one.to, key=one.key) for _, one in waiting]  # type: ignore[arg-type]


async def on_request(
    cause: Event[Any], about: Event[InformationRequested], connection: Connection
) -> Iterable[Event[Any]]:
    """Pass a request on, and wait for its answer."""
    data = about.data
    return await _settled(cause, (data.exchange_id, data.sender, data.to), connection)


async def on_reply(cause: Event[Any], about: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
    """Tell who asked that there is an answer, or a refusal with its reason."""
    data = about.data
    which = data.exchange_id, data.to, data.sender
    if cause is about and not await network.requests(connection, *which):
        raise NotYet("/data/exchange_id")
    return await _settled(cause, which, connection)


async def _settled(cause: Event[Any], which: tuple[str, str, str], connection: Connection) -> list[Event[Any]]:
    scope = f"exchange/{which[1]}/{which[2]}/{which[0]}"
    replies = await network.replies(connection, *which)
    notices = []
    for request in await network.requests(connection, *which):
        notices += exchange(scope, request, replies)
    return await settle(connection, cause, [scope], notices)


def exchange(scope: str, request: Request, replies: Sequence[Reply]) -> list[Notice]:
    """Return who is told what of a request for information."""
    which = request.event_id, REQUESTED
    if not may_know(request.marking, Relation.NAMED):
        data = alert("not_passed_on", which, request.exchange_id, marked=request.marking)
        return [Notice(to=request.asker, data=data, scope=scope)]
    notices = [_request(scope, request)]
    if not replies:
        for to, other in ((request.asked, request.asker), (request.asker, request.asked)):
            late = alert("information_overdue", which, request.exchange_id, due=request.due, country=other)
            notices.append(Notice(to=to, data=late, scope=scope, due=request.due))
    for reply in replies:
        said = reply.event_id, f"intel.information.{reply.act}"
        data = alert(f"information_{reply.act}", said, request.exchange_id, reason=reply.reason, country=request.asked)
        notices.append(Notice(to=request.asker, data=data, scope=scope))
    return notices


def _request(scope: str, request: Request) -> Notice:
    which, asker = (request.event_id, REQUESTED), request.asker
    data = alert(
        "information_requested", which, request.exchange_id, due=request.due, country=asker, marked=request.marking
    )
    return Notice(to=request.asked, data=data, scope=scope)


def on_shared(about: Event[InformationShared], scope: str) -> list[Notice]:
    """Tell the country that was given information, unless the marking leaves that to the giver."""
    marked, which = marking(about.data), (about.id, about.name)
    passed = may_know(marked, Relation.NAMED)
    to, other = (about.data.to, about.country) if passed else (about.country, None)
    kind = "information_shared" if passed else "not_passed_on"
    data = alert(kind, which, about.data.exchange_id, country=other, marked=marked)
    return [Notice(to=to, data=data, scope=scope)]


def on_feedback(about: Event[FeedbackGiven], scope: str) -> list[Notice]:
    """Tell the source of information what it was good for; of what this service drafted it tells by itself."""
    data = about.data
    if contracts.sender_of(about.source) == REGION or data.to == about.country:
        return []
    reason = data.used_for or ("useful" if data.useful else "not_useful")
    said = alert("feedback", (about.id, about.name), data.exchange_id, reason=reason, country=about.country)
    return [Notice(to=data.to, data=said, scope=scope)]


async def on_agreed(cause: Event[Any], about: Event[CommitmentAgreed], connection: Connection) -> Iterable[Event[Any]]:
    """Wait for a commitment to be kept (Plan row IE-2.1b)."""
    return await _owed(cause, identity.key(about.data, "commitment_id"), connection)


async def on_fulfilled(
    cause: Event[Any], about: Event[CommitmentFulfilled], connection: Connection
) -> Iterable[Event[Any]]:
    """Note that a commitment was kept, and whether that was late; the country or who recorded it may say so."""
    commitment_id = identity.key(about.data, "commitment_id")
    if cause is not about:
        return await _owed(cause, commitment_id, connection)
    agreed = await network.commitments(connection, commitment_id)
    if not agreed:
        raise NotYet("/data/commitment_id")
    if about.data.country not in {one.country for one in agreed}:
        raise Refused(Problem("/data/country", "wrong_reference", "the commitment is another country's"))
    late = about.time > max(one.due for one in agreed)
    return [enriched(about, late=late), *await _owed(cause, commitment_id, connection)]


async def to_presidency(
    cause: Event[Any], about: Event[CommitmentAgreed | CommitmentFulfilled], connection: Connection
) -> Iterable[Event[Any]]:
    """Tell the presidency, which follows commitments up, of one that was agreed or kept; of that who recorded it, too.

    Who reported it, or owes it, knows.
    """
    data, scope = about.data, f"presidency/{about.source}/{about.id}"
    commitment_id = identity.key(data, "commitment_id")
    presiding = await seats.mailbox(connection, "ppt", about.recordedtime)
    told: dict[str, Seat | None] = {presiding: "ppt"}
    due = None
    if isinstance(data, CommitmentAgreed):
        told.pop(data.country, None)
        due = data.due
    else:
        told = {one.agreed_by: None for one in await network.commitments(connection, commitment_id)} | told
    notices = []
    if not isinstance(cause.data, Retracted):
        which, kind = (about.id, about.name), f"commitment_{about.verb}"
        for to, body in sorted(told.items()):
            said = alert(kind, which, commitment_id, country=data.country, owned=True, due=due, body=body)
            notices += [Notice(to=to, data=said, scope=scope)] if to not in {about.country, REGION} else []
    return await settle(connection, cause, [scope], notices)


async def on_overdue(event: Event[CommitmentOverdue], connection: Connection) -> Iterable[Event[Any]]:
    """Tell who presides by then, unless it owes it, or recorded it and is told as such."""
    data = event.data
    to = await seats.mailbox(connection, "ppt", event.time)
    if to in {REGION, data.country, (data.owners or {}).get("commitment_id")}:
        return []
    which = event.id, event.name
    commitment_id = identity.key(data, "commitment_id")
    said = alert("commitment_overdue", which, commitment_id, country=data.country, owned=True, due=data.due, body="ppt")
    return [derive(SERVICE, said, cause=event, to=to, key="presidency")]  # type: ignore[arg-type]  # a member's code


def on_manual(about: Event[Manual], scope: str) -> list[Notice]:
    """Tell every country of the manual that was presented or approved (Plan IE 1.1.1, "con los países miembros")."""
    data = alert(f"manual_{about.verb}", (about.id, about.name), about.data.version, reason=about.data.reported_by)
    return [Notice(to=to, data=data, scope=scope) for to in MEMBERS]


def on_planned(about: Event[OperationPlanned], scope: str) -> list[Notice]:
    """Tell the other participants of a planned operation (Plan PC 1, "difundir"), and nobody else.

    Where its marking leaves that to the planner, the planner is told so.
    """
    data, marked, which = about.data, marking(about.data), (about.id, about.name)
    others = sorted({str(one) for one in data.participants} - {about.country})
    if others and not may_know(marked, Relation.NAMED):
        kept = alert("not_passed_on", which, data.operation_id, marked=marked)
        return [Notice(to=about.country, data=kept, scope=scope)]
    said = alert("operation_planned", which, data.operation_id, due=data.started, country=about.country, marked=marked)
    return [Notice(to=to, data=said, scope=scope) for to in others]


async def _owed(cause: Event[Any], commitment_id: str, connection: Connection) -> list[Event[Any]]:
    scope = f"commitment/{commitment_id}"
    kept = await network.kept(connection, commitment_id)
    notices = []
    for one in await network.commitments(connection, commitment_id):
        notices += owed(scope, commitment_id, one, kept=kept is not None and kept <= one.due)
    return await settle(connection, cause, [scope], notices)


def owed(scope: str, commitment_id: str, commitment: Commitment, *, kept: bool) -> list[Notice]:
    """Return who is told of a commitment: who owes it, at once and when it is overdue, and then who recorded it.

    One that was `kept` in time was never overdue, also where that is told late.
    """
    which, by = (commitment.event_id, "intel.commitment.agreed"), commitment.agreed_by
    notices = []
    if commitment.country != commitment.agreed_by:
        data = alert("commitment_agreed", which, commitment_id, country=by, owned=True, due=commitment.due)
        notices.append(Notice(to=commitment.country, data=data, scope=scope))
    if kept:
        return notices
    owned = bool(identity.parted(commitment_id)[0])  # else it is of before: two bodies' reports may have the same id
    name = f"{scope}/{commitment.event_id}" if owned else commitment.event_id
    overdue = CommitmentOverdue(
        commitment_id=identity.written(commitment_id, by),
        owners={"commitment_id": by} if owned else None,
        country=commitment.country,  # type: ignore[arg-type]  # read back as it was written
        due=commitment.due,
    )
    notices.append(Notice(to=commitment.country, data=overdue, scope=scope, name=name, due=commitment.due))
    if commitment.country != commitment.agreed_by:
        late = alert(
            "commitment_overdue", which, commitment_id, country=commitment.country, owned=True, due=commitment.due
        )
        notices.append(Notice(to=commitment.agreed_by, data=late, scope=scope, due=commitment.due))
    return notices
