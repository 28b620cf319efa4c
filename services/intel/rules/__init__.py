"""What intel does with what it records and hears, beyond recording it: one module per subject.

A judgement is given the event that set it off and the report that it is about: twice the same when a report arrives;
the amendment, and the report as it stood and then as it stands, when one is corrected or retracted.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeAlias

from services.intel.rules import documents, network, phones, places, suspects, ways
from services.intel.telling import SERVICE, Notice, settle
from shared.amendments import Follow, Follows
from shared.contracts import Data, Event, Retracted, intel
from shared.contracts.legal import PersonDetained
from shared.contracts.victims import VictimIdentified
from shared.database import Connection
from shared.rules import Rules, Stored, enriched

__all__ = ["FOLLOWS", "RULES", "SERVICE"]

Judged: TypeAlias = Callable[[Event[Any], Event[Any], Connection], Awaitable[Iterable[Event[Any]]]]
"""(cause, the report it is about, connection) -> what brings what was told to what holds, by all that is on record."""


def announcing(announced: Callable[[Event[Any], str], list[Notice]]) -> Judged:
    """Return the judgement of a report that, by itself, has countries told of it: (report, scope) -> notices."""

    async def judge(cause: Event[Any], about: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
        scope = f"{about.source}/{about.id}"
        retracted = isinstance(cause.data, Retracted)
        return await settle(connection, cause, [scope], [] if retracted else announced(about, scope))

    return judge


def both(*judgements: Judged) -> Judged:
    """Return the judgement that makes one after the other."""

    async def judge(cause: Event[Any], about: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
        return [event for one in judgements for event in await one(cause, about, connection)]

    return judge


def on_operation_executed(event: Event[intel.OperationExecuted]) -> Iterable[Event[Any]]:
    """Mark an operation as joint when two or more countries took part (Plan rows IE-3.1iii, PC-1a)."""
    return [enriched(event, joint=len(event.data.participants) > 1)]


JUDGED: Mapping[type[Data], Judged] = {
    intel.BandDismantled: ways.on_band,
    intel.BandIdentified: ways.on_band,
    intel.BandReactivated: ways.on_band,
    intel.CommitmentAgreed: both(network.on_agreed, network.to_presidency),
    intel.CommitmentFulfilled: both(network.on_fulfilled, network.to_presidency),
    intel.ContactPointDesignated: network.on_contact_point,
    intel.ContactPointReplaced: network.on_contact_point,
    intel.ContactPointVacated: network.on_contact_point,
    intel.DocumentConfirmed: documents.on_specimen,
    intel.DocumentDelisted: documents.on_document,
    intel.DocumentFlagged: documents.on_document,
    intel.DocumentListed: documents.on_document,
    intel.EntryRequirementChanged: announcing(documents.on_entry_rule),
    intel.FeedbackGiven: announcing(network.on_feedback),
    intel.InformationAnswered: network.on_reply,
    intel.InformationRefused: network.on_reply,
    intel.InformationRequested: network.on_request,
    intel.InformationShared: announcing(network.on_shared),
    intel.LocationAcknowledged: places.on_answer,
    intel.LocationCleared: places.on_answer,
    intel.LocationReported: places.on_place,
    intel.LocationVerified: places.on_answer,
    intel.ManualApproved: announcing(network.on_manual),
    intel.ManualPresented: announcing(network.on_manual),
    intel.OperationPlanned: announcing(network.on_planned),
    intel.PhonebookDisseminated: both(announcing(phones.opened), phones.on_disseminated),
    intel.PhonebookSeized: both(phones.on_detention, phones.on_seizure),
    intel.RouteConfirmed: ways.on_route,
    intel.RouteReported: ways.on_route,
    intel.RouteRetired: ways.on_route,
    intel.SpecimenDeposited: documents.on_specimen,
    intel.SpecimenSuperseded: documents.on_specimen,
    intel.SpecimenWithdrawn: documents.on_specimen,
    intel.TraffickerDetected: suspects.on_detected,
    PersonDetained: phones.on_detention,
    VictimIdentified: places.on_identified,
}


def _rule(judged: Judged) -> Stored:
    async def on_report(event: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
        return await judged(event, event, connection)

    return on_report


def _follow(judged: Judged) -> Follow:
    async def on_amended(
        amendment: Event[Any], before: Event[Any], after: Event[Any] | None, connection: Connection
    ) -> Iterable[Event[Any]]:
        events = list(await judged(amendment, before, connection))
        return [*events, *await judged(amendment, after, connection)] if after else events

    return on_amended


RULES: Rules = {
    intel.CommitmentOverdue: network.on_overdue,
    intel.OperationExecuted: on_operation_executed,
    **{kind: _rule(judged) for kind, judged in JUDGED.items()},
}
FOLLOWS: Follows = {kind: _follow(judged) for kind, judged in JUDGED.items()}
