"""Recorded events for the fold's tests, made from the contracts' own examples."""

from datetime import UTC, date, datetime
from operator import attrgetter

import msgspec

from services.indicators.figures.disclosure import last_closed
from services.indicators.figures.figures import EXACT, Figures, figures
from services.indicators.figures.kinds import Span
from services.indicators.folded.fold import Fold
from services.indicators.planned.plan import load
from shared.contracts import registry
from shared.contracts.tallies import Level, Tally
from shared.contracts.vocabulary import MEMBERS
from shared.count import acts as counted_acts

PLAN = load()
CONTRACTS = {agreed.name: agreed for agreed in reversed([*registry().values()])}
"""By name, the first version of each."""
AT = "2004-03-01T10:00:00Z"


def event(name: str, country: str = "GTM", time: str = AT, *, recorded: str = "", **data) -> bytes:
    """A recorded event: the contract's good example, with some fields changed (`...` takes one away)."""
    agreed = CONTRACTS[name]
    said = dict(agreed.good) | data
    changed = {key: value for key, value in (counted(agreed, said, time) | said).items() if value is not ...}
    source = f"urn:crm:country:{country}:test" if agreed.reported else f"urn:crm:service:{agreed.service}"
    return raw(agreed.type, changed, country, time, recorded=recorded, source=source)


def counted(agreed, said: dict, time: str) -> dict:
    """What the service fills in of a report about something that no other report is about."""
    acts = [one for one in agreed.tallies if isinstance(one, Tally) and one.field]
    found = {one.field: {"by": -1 if one.opens is False else 1} for one in acts}
    for one in agreed.tallies:
        if isinstance(one, Tally | Level) and one.shifts:
            by = level(one, agreed, said)
            at = getattr(one, "at", "") and f"{said[one.at]}T00:00:00Z"
            found[one.shifts] = [{"at": at or time, "by": by}] if by else []
    return found


def level(one, agreed, said: dict) -> int:
    if isinstance(one, Tally) and isinstance(one.opens, bool):
        return int(one.opens)
    own = {key: value for key, value in said.items() if value is not ... and key not in agreed.derived}
    data = msgspec.convert(own, agreed.data)
    if isinstance(one, Level):
        return attrgetter(one.value)(data)
    return int(counted_acts.value(data, one.opens.field) in one.opens.values)


def raw(wire: str, data, country: str, time: str, **more: str) -> bytes:
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": "e-1",
            "source": more.get("source") or f"urn:crm:country:{country}:test",
            "type": wire,
            "time": time,
            "country": country,
            "data": data,
            "recordedtime": more.get("recorded") or time,
            "sequence": 1,
        },
    )


def amend(verb: str, payload: bytes, **corrected) -> bytes:
    """The `.corrected` or `.retracted` of an event, as its service records it."""
    original = msgspec.json.decode(payload)
    service, entity, _ = original["type"][4:].rpartition(".")[0].split(".")
    data = {
        "supersedes": original["id"],
        "reported_by": "police",
        "original": original["type"],
        "original_time": original["time"],
        "original_recordedtime": original["recordedtime"],
        "previous": original["data"],
    }
    data |= {"data": original["data"] | corrected} if verb == "corrected" else {"reason": "mistaken"}
    name = f"crm.{service}.{entity}.{verb}.v1"
    return raw(name, data, original["country"], "2004-09-09T09:00:00Z", source=original["source"])


def folded(*payloads: bytes, plan=PLAN) -> Fold:
    """A fold of these events, each in its service's stream in this order."""
    fold = Fold(plan)
    for payload in payloads:
        service = msgspec.json.decode(payload)["type"].split(".")[1]
        fold.apply(service, fold.state.sequences.get(service, 0) + 1, payload)
    return fold


def row(fold: Fold, identity: str, as_of: str = "", today: str = "2004-12-31", *, exact: bool = True) -> Figures:
    span = Span.as_of(date.fromisoformat(as_of)) if as_of else Span.now(date.fromisoformat(today))
    closed = closing(date.fromisoformat(today), exact=exact)
    return figures(fold.plan, fold.plan.rows[identity], fold.state, span, closed=closed)


def closing(day: date, *, exact: bool) -> date | None:
    """The end of the last period of which the public has figures about persons on a day."""
    return EXACT if exact else last_closed(PLAN.disclosure, day)


def values(found: Figures) -> dict[tuple[str, ...], float | None]:
    return {(cell.country, *cell.labels.values()): cell.value for cell in found.cells}


def heard(*but: str, on: str = AT, **said: str | int) -> list[bytes]:
    """A report from each member country but some: of its headcount if any is said, else of something else."""
    name = "training.workforce.declared" if said else "intel.modality.reported"
    return [event(name, country, on, **said) for country in MEMBERS if country not in but]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
