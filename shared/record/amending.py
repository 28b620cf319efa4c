"""Corrections and retractions, the same for every entity: what was reported is never changed, only amended.

The recorded amendment carries what held before (`previous`), so that a reader can take it out again exactly without
having kept it. The report is taken out of its things and put in again as it now stands; both are judged.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from shared import contracts
from shared.contracts import Contract, Corrected, Data, Event, Merged, Problem, Refused, Report, Retracted
from shared.contracts.door import shortened, within
from shared.contracts.identity import Owners
from shared.contracts.owned import identified
from shared.contracts.refusal import all_problems
from shared.contracts.report import authority
from shared.contracts.sense import untimely
from shared.contracts.tallies import filled
from shared.contracts.vocabulary import REGION
from shared.record import periods, seats
from shared.record.judgement import NotReady, Standing, Unknown
from shared.record.tables import Amended, At, Logged

if TYPE_CHECKING:
    from shared.record.deciding import Deciding


REJECTED = ".report.rejected.v1"


class Root(NamedTuple):
    """The event first reported, and what holds of it now."""

    position: int
    event: Event[Any]
    latest: Data
    retracted: bool
    sent: int | None
    """When the intake stored the country's amendment that holds; None: not known, or there is none."""

    @property
    def standing(self) -> Standing[Any]:
        """The report as it stands."""
        return Standing("", self.position, msgspec.structs.replace(self.event, data=self.latest))


def amend(deciding: "Deciding", event: Event[Any]) -> None:
    """Record the amendment of a report of this service, and judge the report as it stood and as it stands."""
    root = _root(deciding, event)
    agreed = contracts.registry()[root.event.type]
    judgements = deciding.judgements.get(agreed.data, ())
    # Who held a seat when it was reported may amend that report, whoever holds the seat now.
    deciding.admit_seat(event, root.event.time)
    before, after = root.standing, None
    if isinstance(event.data, Corrected):
        new = _checked(deciding, agreed, event, root)
        # What it counts is told anew; what was found out when it was reported holds.
        kept = {*agreed.derived} - {*filled(agreed.tallies)}
        new = msgspec.structs.replace(new, **{name: getattr(root.latest, name) for name in kept})
        after = before.saying(new)
        if not deciding.again and _named_anew(agreed, root.latest, new):
            after = after.saying(msgspec.structs.replace(after.data, owners=None))
            for judgement in judgements:
                owners = judgement.owners(after, deciding)
                if owners and _may_note(root.latest, owners):
                    after = after.saying(msgspec.structs.replace(after.data, owners=owners))
    for judgement in judgements:
        judgement.amendable(before, after, deciding)
    deciding.index(judgements, before, None)
    for judgement in judgements:
        before = before.saying(judgement.taken_out(before, deciding))
        after = after and after.saying(judgement.refill(after, deciding))
    own = contracts.sender_of(event.source) == REGION
    told = None if own else event.time
    periods.move(deciding, agreed, root.event, after.data if after else None, told, "/data/data")
    latest = after.data if after else root.latest
    into_root = getattr(event.data, "replaced_by_sequence", None)
    sent = root.sent if own else deciding.sent and max(deciding.sent, root.sent or 0)
    deciding.tables.amended.put(root.position, Amended(latest, after is None, into_root, sent))
    if after is None:
        deciding.tables.standing.put(("", root.position), None)
    recorded = _recorded(event, root, agreed, before.data, after.data if after else None)
    deciding.cause = recorded
    deciding.append(recorded)
    deciding.index(judgements, None, after)
    deciding.judge(judgements, before, after, arriving=False)
    if after:
        deciding.judge(judgements, after, after, arriving=False)


def hear(deciding: "Deciding", event: Event[Any], place: At) -> None:
    """Judge another service's report as it stood and as it stands, by its recorded amendment.

    Amendments may be heard in any order: one is passed over where a later one was acted upon.
    """
    stream, position = place
    agreed = contracts.registry().get(event.data.original or "")
    judgements = deciding.judgements.get(agreed.data, ()) if agreed else ()
    if agreed is None or not judgements:
        return  # a type newer than this process, or none that it judges
    sequence = event.data.original_sequence
    if sequence is None:  # recorded before amendments said where what they amend stands
        named = event.data.original_id or event.data.supersedes, event.data.original_source or event.source
        found = deciding.about(heard_report(*named))
        sequence = found[0].position if found else 0
    at = stream, sequence
    heard = deciding.tables.heard.get(at)
    if heard is None and event.data.original_sequence is not None:
        raise NotReady("/data/original_sequence")  # replicas may hear both in any order
    if heard and heard.amended and heard.amended > position:
        return
    before = heard.report if heard and heard.report else _as_it_stood(event, agreed, at)
    said = event.data.data if isinstance(event.data, Corrected) else None
    after = before.saying(msgspec.convert(said, agreed.data)) if said is not None else None
    deciding.index(judgements, before, None)
    for judgement in judgements:
        after = after and after.saying(judgement.refill(after, deciding))
    deciding.index(judgements, None, after)
    deciding.keep(judgements, at, after, position if sequence else None)
    if after is None:
        deciding.tables.standing.put(at, None)
    deciding.judge(judgements, before, after, arriving=False)
    if after:
        deciding.judge(judgements, after, after, arriving=False)


def heard_report(event_id: str, source: str) -> str:
    """Return the thing that another service's report is, by its id and source."""
    return f"report/{source}/{event_id}"


def _as_it_stood(event: Event[Any], agreed: Contract, at: At) -> Standing[Any]:
    """Return the report of which nothing is kept here, by its amendment."""
    root = msgspec.structs.replace(
        event,
        id=event.data.original_id or event.data.supersedes,
        source=event.data.original_source or event.source,
        type=agreed.type,
        time=event.data.original_time,
        recordedtime=event.data.original_recordedtime,
        data=msgspec.convert(event.data.previous, agreed.data),
    )
    return Standing(*at, root)


def _recorded(event: Event[Any], root: Root, agreed: Contract, previous: Data, amended: Data | None) -> Event[Any]:
    """Return the amendment as it is recorded."""
    more = {} if amended is None else {"data": msgspec.to_builtins(amended)}
    named = getattr(amended or root.latest, agreed.entity) if agreed.entity else None
    data = msgspec.structs.replace(
        event.data,
        original=root.event.type,
        original_id=root.event.id,
        original_source=root.event.source,
        original_time=root.event.time,
        original_recordedtime=root.event.recordedtime,
        original_sequence=root.position,
        previous=msgspec.to_builtins(previous),
        **more,
    )
    return msgspec.structs.replace(event, subject=named or event.subject, data=data)


def _root(deciding: "Deciding", event: Event[Corrected] | Event[Retracted]) -> Root:
    """Return what `event` amends; raises Unknown when it is not recorded, Refused when it may not be amended."""
    named = event.data.original_source or event.source
    root = first_reported(deciding, event.country, event.data.supersedes, named)
    sender = contracts.sender_of(event.source)
    if root is None or sender not in {REGION, contracts.sender_of(root.event.source)}:
        raise Unknown("/data/supersedes")
    if root.event.name.split(".")[:2] != event.name.split(".")[:2]:
        raise Refused(Problem("/data/supersedes", "wrong_reference", "the event named is of another entity"))
    if root.retracted:
        raise Refused(Problem("/data/supersedes", "already_retracted", "the event named was retracted"))
    if isinstance(root.event.data, Merged):
        raise Refused(Problem("/data/supersedes", "not_amendable", "a merge stands: correct the reports instead"))
    # One that names a correction stands on that, whenever it was sent.
    of_report = isinstance(event.data, Corrected) and event.data.supersedes == root.event.id
    if sender != REGION and of_report and _is_late(deciding.sent, root.sent):
        raise Refused(
            Problem("/data/supersedes", "superseded", "a correction that you sent later was recorded: it holds")
        )
    return root


def _is_late(sent: int | None, other: int | None) -> bool:
    """Say whether something was sent before something else, as far as both are known."""
    return sent is not None and other is not None and sent < other


def first_reported(deciding: "Deciding", country: str, event_id: str, source: str = "") -> Root | None:
    """Return the country's report that `event_id` is, or that it corrects; None when it is not recorded.

    Of several systems of the country that gave the same id, the one called `source` is meant. Another's is where only
    that one has it, and nothing was refused under it. An amendment says itself what it amends in the end; only those
    recorded before they did are followed one by one.
    """
    return reported_in(deciding, _row(deciding, country, event_id, source))


def reported_in(deciding: "Deciding", row: Logged | None) -> Root | None:
    """Return the report that a row of the log is, or that it corrects."""
    while row is not None:
        amends = row.event.data
        if not isinstance(amends, Corrected | Retracted):
            return _standing(deciding, row)
        if amends.original_sequence is None:
            row = _row(deciding, row.country, amends.supersedes, row.source, row.position)
        else:
            row = deciding.row(amends.original_sequence)
    return None


def _row(deciding: "Deciding", country: str, event_id: str, source: str, before: int | None = None) -> Logged | None:
    of_country = contracts.source_of(country, "")
    found = [
        one
        for one in deciding.logged(event_id)
        if one.country == country
        and (before is None or one.position < before)
        and (
            one.type.endswith(".corrected.v1")
            or (one.source == source if country == REGION else one.source.startswith(of_country))
        )
    ]
    own = [one for one in found if one.source == source]
    if not own and found and before is None and not deciding.again and _is_not_sure(deciding, country, event_id, found):
        return None
    return min(own or found, key=lambda one: one.position, default=None)


def _is_not_sure(deciding: "Deciding", country: str, event_id: str, found: Sequence[Logged]) -> bool:
    """Say whether a report of another system may not be the one meant: several have it, or one was refused under it."""
    rows = [*deciding.tables.by_entity.get(event_id), *deciding.tables.entities.added.get(event_id, {}).values()]
    refused = any(of == country and wire.endswith(REJECTED) for _, _, of, wire in rows)
    return refused or len({one.source for one in found}) > 1


def _standing(deciding: "Deciding", row: Logged) -> Root | None:
    """Return how a report stands; one whose figure was taken into another's is that one."""
    one: Logged | None = row
    now = deciding.amended(row.position)
    while now and now.into_root:
        one = deciding.row(now.into_root)
        now = deciding.amended(now.into_root)
    if one is None:
        return None
    latest = now.latest if now else one.event.data
    return Root(one.position, one.event, latest, retracted=bool(now and now.retracted), sent=now.sent if now else None)


def _named_anew(agreed: Contract, previous: Data, new: Data) -> bool:
    """Say whether a correction names something else, where it was noted whose it was, or what had named nothing.

    What is named as before is whose it was, also where others gave the same identifier since.
    """
    named = [(getattr(previous, name), getattr(new, name)) for name in agreed.ids if "." not in name]
    if getattr(previous, "owners", None) is not None:
        return any(before != now for before, now in named)
    return hasattr(previous, "owners") and any(before is None and now is not None for before, now in named)


def _may_note(previous: Data, owners: Owners) -> bool:
    """Say whether owners may be noted: they were, or nothing stood there; else it is of before there were owners."""
    return getattr(previous, "owners", None) is not None or all(getattr(previous, field) is None for field in owners)


def _checked(deciding: "Deciding", agreed: Contract, event: Event[Corrected], root: Root) -> Data:
    """Return the corrected data, which must be what a report of the same type may say; raises Refused."""
    if deciding.again:
        return msgspec.convert(event.data.data, agreed.data)
    value = {
        "specversion": "1.0",
        "id": event.id,
        "source": root.event.source,
        "type": agreed.type,
        "time": msgspec.to_builtins(event.time),
        "data": event.data.data,
    }
    new = None
    kind = contracts.report_type(agreed)
    try:
        new = msgspec.convert(shortened(event.data.data, kind), kind)
        fits = within(kind)(new)
    except (msgspec.ValidationError, UnicodeEncodeError):
        fits = False
    if not fits:
        problems = all_problems(agreed, value) or [Problem("/data", "invalid", "the data do not fit the contract")]
    else:
        assert isinstance(new, Report)
        new, foreign = identified(agreed, new, event.country)
        named = seats.named(msgspec.structs.replace(event, data=new))
        held = deciding.holders(root.event.time) if named else None
        problems = [
            *authority(agreed, root.event.source, new, contracts.sender_of(root.event.source), held),
            *foreign,
            *_untimely(new, root),
            *new.check(),
        ]
    if new is None or problems:
        raise Refused(*(msgspec.structs.replace(one, pointer=f"/data{one.pointer}") for one in problems))
    return new


def _untimely(new: Data, root: Root) -> list[Problem]:
    """Say what of the corrected data lies on the wrong side of the report, but what did before there was this bound."""
    time = root.event.time
    before = {one.pointer for one in untimely(root.latest, time)}
    return [one for one in untimely(new, time) if one.pointer not in before]
