"""The published language: what the countries report, what the services record, and the registry of both.

One module per service holds one frozen struct per event type; everything else (decoders, JSON Schemas,
AsyncAPI, NATS rights, consumer filters, reference pages) is generated from the registry here.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from shared.contracts import identity
from shared.contracts.aggregates import Aggregate
from shared.contracts.envelope import (
    COUNT_MAX,
    Count,
    Data,
    Envelope,
    Event,
    EventId,
    Hash,
    Hours,
    Months,
    Problem,
    Ref,
    Refused,
    Report,
    Share,
    Source,
    Time,
    TraceParent,
    Value,
)
from shared.contracts.identity import Owners
from shared.contracts.tallies import ByLabel, Counted, Parts, Steps, Tallied, filled
from shared.contracts.vocabulary import (
    MEMBERS,
    OPERATING,
    REGION,
    SECRETARIATS,
    Country,
    RetractionReason,
    Seat,
)

__all__ = [
    "COUNT_MAX",
    "Count",
    "Data",
    "Envelope",
    "Event",
    "EventId",
    "Hash",
    "Hours",
    "Months",
    "Problem",
    "Ref",
    "Refused",
    "Report",
    "Share",
    "Source",
    "Time",
    "TraceParent",
    "Value",
]
"""Of the envelope, what every contract is written with."""
SERVICES = ("intel", "victims", "legal", "training", "indicators")
REGIONAL = (*SECRETARIATS, OPERATING)
"""Who reports with a key and is no country. Their sources are `urn:crm:service:st`, `…:sv`, `…:operator`: to every
reader, however old, whatever is not a country's is the region's."""

S = TypeVar("S", bound=Struct)


class Contract(Struct, frozen=True, kw_only=True, eq=False):
    """What is agreed about one event type."""

    name: str
    """`service.entity.verb`"""
    data: type[Data]
    """The struct that readers decode `data` to."""
    doc: str
    reported: bool
    """Reported by countries, or derived by the service that owns the type."""
    by: tuple[str, ...]
    """The kinds of organisation (`reported_by`) that may report it; empty: any."""
    owner: str
    """The field naming the only country that may send it (an issuing country, say); empty: any country."""
    behalf: tuple[Seat, ...]
    """The seats whose holder may send it, too, of whatever country `owner` names."""
    unseated: tuple[Seat, ...]
    """The bodies that any country may name of its own: it tells of its own officers, and speaks for nobody."""
    operated: bool
    """Whether the region's operator may send it, in the name of any body."""
    privacy: Literal["N", "P", "S"]
    entity: str
    """The field that names the entity, equal to the envelope's `subject`; empty: the subject alone."""
    derived: tuple[str, ...]
    """Fields that the owning service fills in when it records; a report may not carry them."""
    tallies: tuple[Counted, ...]
    """What its events count; the fields that these fill in are among `derived`."""
    rows: tuple[str, ...]
    """Indicator and milestone ids that it feeds."""
    good: Mapping[str, Any]
    """Example data."""
    bad: tuple[str, Any]
    """The field and the value that make the good example a bad one; the value `...` takes the field away."""
    version: int = 1
    aggregate: Aggregate | None = None
    """A figure for a period or a day, of which one report holds."""

    @property
    def type(self) -> str:
        """The CloudEvents type on the wire."""
        return f"crm.{self.name}.v{self.version}"

    @property
    def service(self) -> str:
        """The service that records it."""
        return self.name.partition(".")[0]

    @property
    def entity_name(self) -> str:
        """The middle token of the name."""
        return self.name.split(".")[1]

    @property
    def verb(self) -> str:
        """The last token of the name."""
        return self.name.rpartition(".")[2]

    @property
    def ids(self) -> Mapping[str, str]:
        """Whose identifiers stand in the fields that hold some, by attribute (`shared.contracts.identity`)."""
        return _ids(self)

    @property
    def generic(self) -> bool:
        """Whether its form is one of those that every reported entity has for what is amended."""
        return self.data in GENERIC.values()


_registry: dict[str, Contract] = {}
_by_data: dict[tuple[type[Data], str], Contract] = {}


def contract(  # noqa: PLR0913 - a contract is a list of facts, each named at its place of use
    name: str,
    *,
    good: Mapping[str, Any],
    bad: tuple[str, Any],
    rows: tuple[str, ...] = (),
    privacy: Literal["N", "P", "S"] = "N",
    by: tuple[str, ...] = (),
    owner: str = "",
    behalf: tuple[Seat, ...] = (),
    unseated: tuple[Seat, ...] = (),
    operated: bool = False,
    entity: str = "",
    derived: tuple[str, ...] = (),
    tallies: tuple[Counted, ...] = (),
    version: int = 1,
    aggregate: Aggregate | None = None,
) -> Callable[[type[S]], type[S]]:
    """Register the decorated struct as the data of event type `crm.<name>.v<version>`."""

    def register(data: type[S]) -> type[S]:
        assert issubclass(data, Data)
        agreed = Contract(
            name=name,
            data=data,
            doc=(data.__doc__ or "").strip(),
            reported=issubclass(data, Report),
            by=by,
            owner=owner,
            behalf=behalf,
            unseated=unseated,
            operated=operated,
            privacy=privacy,
            entity=entity,
            derived=tuple(dict.fromkeys((*derived, *filled(tallies), *_changes(data)))),
            tallies=tallies,
            rows=rows,
            good=good,
            bad=bad,
            version=version,
            aggregate=aggregate,
        )
        if agreed.type in _registry:
            message = f"event type {agreed.type} is declared twice"
            raise ValueError(message)
        _registry[agreed.type] = agreed
        _by_data[data, agreed.service] = agreed
        return data

    return register


def _changes(data: type[Data]) -> list[str]:
    """Return the fields that only the owning service fills in, by their type."""
    filled_in = (Tallied | None, Steps | None, Parts | None, ByLabel | None, Owners | None)
    return [field.name for field in msgspec.structs.fields(data) if field.type in filled_in]


@cache
def _ids(agreed: Contract) -> Mapping[str, str]:
    paths = [path for path, _ in identity.fields(agreed.data, lambda one: one in (Ref, EventId))]
    own = {agreed.entity: identity.OWN}  # unless it is said otherwise
    return {path: scope for path in paths if (scope := identity.whose(agreed.name, path) or own.get(path))}


class Corrected(Report, frozen=True, kw_only=True):
    """Corrects an earlier report of the same entity kind; carries the whole corrected data."""

    supersedes: EventId
    """The id of the event that it corrects."""
    data: dict[str, Any]
    original: str | None = None
    """The type of the event first reported (this and the following are filled in by the service)."""
    original_id: EventId | None = None
    original_source: Source | None = None
    original_time: datetime | None = None
    original_recordedtime: datetime | None = None
    original_sequence: int | None = None
    """Where the amended report stands in its stream: who reads both acts on that one first."""
    previous: dict[str, Any] | None = None
    """The data that held until now."""


class Retracted(Report, frozen=True, kw_only=True):
    """Withdraws an earlier report of the same entity kind: as if it had not been sent."""

    supersedes: EventId
    reason: RetractionReason
    original: str | None = None
    original_id: EventId | None = None
    original_source: Source | None = None
    original_time: datetime | None = None
    original_recordedtime: datetime | None = None
    original_sequence: int | None = None
    """Where the amended report stands in its stream: who reads both acts on that one first."""
    previous: dict[str, Any] | None = None
    replaced_by_sequence: int | None = None
    """Where the report stands in its stream under which its figure now stands: it was one for the same period."""


class Merged(Report, frozen=True, kw_only=True):
    """Two identifiers of one country turned out to name the same: reports under either are about `into`.

    The service corrects every report of the country under the old one that it keeps something of, earlier or later;
    so what is counted by identifier counts once. The old one may go on being used. It cannot be taken back.
    """

    into: Ref
    """The identifier that stays."""
    entity: Ref | None = None
    """The one that goes, if `subject` does not say it."""

    def check(self) -> Iterator[Problem]:
        """Yield `same_entity`."""
        if self.entity == self.into:
            yield Problem("/data/into", "same_entity", "an identifier cannot be merged into itself")


AMENDED_BY_SERVICE = (
    "original",
    "original_id",
    "original_source",
    "original_time",
    "original_recordedtime",
    "original_sequence",
    "previous",
    "replaced_by_sequence",
)
GENERIC: Mapping[str, type[Report]] = {"corrected": Corrected, "retracted": Retracted, "merged": Merged}
"""The verbs that every reported entity has."""


def _generic() -> None:
    """Give every reported entity its `.corrected`, `.retracted` and `.merged`."""
    for agreed in list(_registry.values()):
        for verb, data in GENERIC.items():
            name = f"{agreed.service}.{agreed.entity_name}.{verb}"
            known = [one for one in _registry.values() if one.name == name]
            if not agreed.reported or any(one.generic for one in known):
                continue
            # Where a service tells something of its own under this name, it keeps the version that it has.
            version = 1 + max((one.version for one in known), default=0)
            said = {"reported_by": agreed.good["reported_by"]}
            more: dict[str, Any] = {"privacy": agreed.privacy, "version": version}
            if data is Merged:
                good = {"entity": f"{agreed.entity_name}-1", "into": f"{agreed.entity_name}-2", **said}
                contract(name, good=good, bad=("into", ...), entity="entity", **more)(data)
                continue
            good = {"supersedes": "0193a1b2-example", **said}
            good |= {"data": dict(agreed.good)} if data is Corrected else {"reason": "mistaken"}
            filled_in = tuple(one for one in AMENDED_BY_SERVICE if one in data.__struct_fields__)
            contract(name, good=good, bad=("supersedes", ...), derived=filled_in, **more)(data)


@cache
def registry() -> Mapping[str, Contract]:
    """Return every contract by its wire type (`crm.intel.document.flagged.v1`)."""
    for service in SERVICES:
        importlib.import_module(f"shared.contracts.{service}")
    _generic()
    return _registry


def reported_type(name: str) -> str:
    """Return the first version of a type that countries report; of an unknown name, what would be that."""
    versions = [one for one in registry().values() if one.name == name and one.reported]
    return min(versions, key=lambda one: one.version).type if versions else f"crm.{name}.v1"


def of(data: type[Data], service: str) -> Contract:
    """Return the contract that `data` was registered with by `service` (notices are the same struct in each)."""
    return _by_data[data, service]


@cache
def report_type(agreed: Contract) -> type[Data]:
    """Return the struct that a report's data must fit: the contract's own, closed to unknown fields.

    The fields in `derived` are still there; a report must leave them out (their value None).
    """
    return msgspec.defstruct(  # type: ignore[return-value]  # a subclass of agreed.data
        agreed.data.__name__,
        [],
        bases=(agreed.data,),
        frozen=True,
        kw_only=True,
        omit_defaults=True,
        forbid_unknown_fields=True,
    )


@cache
def event_decoder(agreed: Contract) -> msgspec.json.Decoder[Event[Any]]:
    """Return the decoder of recorded events of this type; it ignores fields it does not know."""
    return msgspec.json.Decoder(Event[agreed.data])  # type: ignore[name-defined]


_raw_decoder = msgspec.json.Decoder(Event[Any])


def decode(payload: bytes) -> Event[Any]:
    """Decode a recorded event; its data is the contract's struct, or a dict where the type is not known here."""
    head = _head_decoder.decode(payload)
    agreed = registry().get(head.type)
    return (event_decoder(agreed) if agreed else _raw_decoder).decode(payload)


class Head(Struct, frozen=True):
    """As much of an event as tells which decoder reads the rest."""

    type: str = ""


_head_decoder = msgspec.json.Decoder(Head)


@lru_cache(1024)
def sender_of(source: str) -> str:
    """Return whose key a source's reports come with: a country, a secretariat, the operator; `REG`: a service."""
    parts = source.split(":")
    if len(parts) > 3 and parts[2] == "country":  # noqa: PLR2004
        return parts[3]
    return parts[-1].upper() if parts[-1].upper() in REGIONAL else REGION


def place_of(sender: str) -> Country | Literal["REG"]:
    """Return whose a sender's reports are: the country's own, or the region's."""
    return _places.get(sender, REGION)


_places: Mapping[str, Country] = {member: member for member in MEMBERS}


def source_of(sender: str, system: str) -> str:
    """Return the source of a sender's reports from one of its systems; of the region's own senders, each is one."""
    return f"urn:crm:service:{sender.lower()}" if sender in REGIONAL else f"urn:crm:country:{sender}:{system}"
