"""What is added up of the events, and which figures are read from it.

An account adds up one thing about one event type, by whatever fields tell its cells apart. A term of a row that asks
for the same thing by fewer fields, or only where one of them has some value, is read from the same account: so what an
event costs depends on how many things are told apart, and not on how many rows of the plan look at them.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from services.indicators.folded.sums import Key
from services.indicators.planned import checks, fields
from services.indicators.planned.conditions import Scalar, Unless
from services.indicators.planned.fields import EVERY, UNKNOWN, plain, word
from services.indicators.planned.plan import Plan
from services.indicators.planned.rows import ANY_REPORT, Row, Term
from shared.contracts import identity
from shared.contracts.vocabulary import MEMBERS, REGION

ALIKE_MAX = 16_384
"""Targets that are remembered per event type; far more than occur, as labels and conditions have closed lists."""
CELLS_MAX = 10_000
"""Cells of one account that one event may be counted in: far more than its lists have members."""
PLACES = frozenset({*MEMBERS, REGION})
ONE = "1"
ABSENT = ""
"""In an account's key: the report left the field out. It is shown as `unknown`, and no condition holds for it."""
Apart = tuple[str, tuple[str, ...] | None]
"""A field that tells cells apart; with the values to tell apart where its own list is open (others: `other`)."""
Said = Mapping[str, Any]
"""Path -> the value that an event has there."""


class Account(Struct, frozen=True, omit_defaults=True):
    """One thing that is added up."""

    event: str
    """`service.entity.verb`, or `*`: whatever a country reports."""
    apart: tuple[Apart, ...] = ()
    amount: str = ""
    """Field holding what an event adds; empty: 1."""
    before: str = ""
    """Field holding what an event adds that was recorded before the amount was; `1`: each of them 1."""
    weight: str = ""
    """Field by which the amount is multiplied."""
    present: bool = False
    """How many events have the amount, instead of their sum."""
    scale: tuple[tuple[str, int], ...] = ()
    digits: int = 0
    clock: str = "time"
    on: str = ""
    """Field with the day on which it counts; empty: by the clock."""
    place: str = ""
    """Field naming the country of the cell; empty: the event's own."""
    owned: bool = False
    """The field holds an identifier, whose owner is meant."""
    once: str = ""
    """Field with the parts that an event says it changes: added up by these, in the countries that they name."""

    @property
    def amounts(self) -> set[str]:
        """Return the fields that say how much an event adds, and when."""
        return {self.amount, self.before, self.weight, self.on} - {"", ONE}

    @property
    def name(self) -> str:
        """Return the name under which the state holds it."""
        return self.event if self == EVERYTHING else msgspec.json.encode(self).decode()

    @property
    def paths(self) -> set[str]:
        """Return the fields that name the cell of an event."""
        return {path for path, _ in self.apart} | ({self.place} if self.place else set())

    def keys(self, country: str, said: Said) -> Iterator[Key]:
        """Yield the cells of an event: several where a field stands for each member of a list."""
        place = _place(said[self.place] if self.place else "", country, owned=self.owned)
        told = [_told(said[path], known, path) for path, known in self.apart]
        if math.prod(map(len, told)) > CELLS_MAX:
            raise ValueError("one event is not counted in so many cells")
        for values in itertools.product(*told):
            yield (place, *values)


EVERYTHING = Account(ANY_REPORT, clock="recordedtime")
"""How many reports there are, whatever they say."""
DELAYS = Account(ANY_REPORT, (("delay", None), ("service", None)), clock="recordedtime")
"""The same by what an envelope says: the delay (`planned.delays`) and the service."""


class Source(Struct, frozen=True):
    """How a term of a row reads an account."""

    account: Account
    name: str
    factor: int
    where: tuple[tuple[int, frozenset[str], bool], ...]
    """(place in the account's key, values, whether it is to be one of them or none of them)"""
    labels: tuple[int | str, ...]
    """For each label of the row its place in the account's key, or a constant."""
    apart: tuple[int, ...] = ()
    """Places of which the first that is given tells levels apart, behind the labels."""

    def key(self, cell: Key) -> Key | None:
        """Return the row's cell that a cell of the account belongs to; None: a condition does not hold."""
        for place, values, among in self.where:
            if cell[place] == ABSENT or (cell[place] in values) is not among:
                return None
        labels = [one if isinstance(one, str) else cell[one] or UNKNOWN for one in self.labels]
        given = [cell[place] for place in self.apart if cell[place] != ABSENT]
        return (cell[0], *labels, *(given[:1] or [UNKNOWN] if self.apart else []))


class Accounts:
    """What a plan's rows need added up, in as few accounts as give every figure without telling more apart."""

    def __init__(self, rows: Iterable[Row]) -> None:
        rows = [*rows]
        needs = [
            (row, role, term, _account(row, role, term))
            for row in rows
            for term in row.term
            for role in _roles(row, term)
        ]
        needs += [(row, REPORTED, *one) for row in rows for one in _reported(row)]
        widest: dict[Account, list[Account]] = {}
        chosen: dict[Account, Account] = {}
        for need in sorted({need for *_, need in needs}, key=lambda need: (-len(need.apart), need.name)):
            family = widest.setdefault(msgspec.structs.replace(need, apart=_lists(need)), [])
            if need.event == ANY_REPORT:
                chosen[need] = DELAYS if need.apart else EVERYTHING  # these are kept whatever the plan's rows ask
                continue
            # The narrowest that covers it, or else it is one of its own.
            chosen[need] = next((one for one in reversed(family) if set(need.apart) <= set(one.apart)), need)
            if chosen[need] is need:
                family.append(need)
        reports = Source(EVERYTHING, EVERYTHING.name, 1, (), ())
        self.sources: dict[tuple[str, str], list[Source]] = {(ANY_REPORT, "value"): [reports]}
        """(row, role) -> what its sums are read from; `*` stands for a row of all reports."""
        self.by_event: dict[str, dict[Account, list[Account]]] = {}
        """Event type -> a thing that is added up (as an account that tells nothing apart) -> the accounts of it."""
        for row, role, term, need in needs:
            if role == REPORTED:
                source = _source(msgspec.structs.replace(row, labels={}), term, chosen[need], 1)
            else:
                add = 1 if role in COUNTS.values() else term.add
                source = _source(row, term, chosen[need], add)
                if row.once:
                    as_one = _source(row, term, chosen[need], add, region=True)
                    self.sources.setdefault((row.id, role + AS_ONE), []).append(as_one)
            self.sources.setdefault((row.id, role), []).append(source)
            if role == SECONDS:
                bucket = Source(chosen[need], row.stored(BUCKET), 1, (), (1,))
                self.sources[row.id, BUCKET] = [bucket]
        for account in sorted({*chosen.values()}, key=lambda account: account.name):
            alike = msgspec.structs.replace(account, apart=(), place="")
            self.by_event.setdefault(account.event, {}).setdefault(alike, []).append(account)

    def ahead(self, row: Row, role: str) -> bool:
        """Say whether the row may have counts, in that role, on days that lie ahead."""
        read = [source.account for source in self.sources.get((row.id, role), ())]
        return any(one.on or fields.ahead(one.event, one.amount) for one in read)


@lru_cache(maxsize=16)
def accounts_of(plan: Plan) -> Accounts:
    """Return what is added up for a plan's rows."""
    return Accounts(plan.rows.values())


COUNT, SECONDS, BUCKET, REPORTED = "count", "seconds", "bucket", "reported"
"""Roles that rows have of themselves: of a mean how many; of a latency how long together, and how many by how long; of
all how many reports of theirs each country sent."""
COUNTS = {"value": COUNT, "baseline": "baseline_count"}
"""Role of what is averaged -> the role of how many there are."""
AS_ONE = "/region"
"""Behind a role: its cells for the region, in which one thing told by several counts once."""


def own(row: Row, term: Term) -> Source:
    """Return how a term finds its cells that needs more of an event than its account adds up: a level, a bucket."""
    amount = term.last or str(term.add)
    scale = tuple(term.scale.items())
    between = [(path, None) for path in term.apart.split("|") if path]
    apart = tuple(sorted({*_apart(row, term), *between}, key=str))
    account = Account(term.event, apart, amount, scale=scale, digits=row.digits, place=term.country)
    places = tuple(1 + apart.index(one) for one in between)
    return msgspec.structs.replace(_source(row, term, account, 1), apart=places)


def _roles(row: Row, term: Term) -> list[str]:
    if term.last:
        return []
    if row.kind == "latency" and term.role == "value":
        return [SECONDS]
    return [term.role, COUNTS[term.role]] if row.kind in {"mean", "difference"} else [term.role]


def _reported(row: Row) -> Iterator[tuple[Term, Account]]:
    """Yield what counts the reports for a row by who sent them.

    Of what is to be 0 the good news is that it is not reported: who reports such things at all has reported.
    """
    bare = msgspec.structs.replace(row, labels={})
    for term in row.term:
        if term.event != ANY_REPORT and any(one.reported for one in checks.contracts_named(term.event)):
            where = {} if row.direction in {"at_most", "below"} and row.kind in {"count", "current"} else term.where
            where = {path: wanted for path, wanted in where.items() if not fields.unsaid(term.event, path)}
            told = msgspec.structs.replace(term, where=where, labels={})
            yield told, Account(event=term.event, apart=_apart(bare, told), clock=row.clock)


def _account(row: Row, role: str, term: Term) -> Account:
    """Return the account that would do for a term alone."""
    amount = term.add if isinstance(term.add, str) else ""
    return Account(
        event=term.event,
        apart=_apart(row, term),
        amount=amount,
        before=str(term.before) if amount else "",
        weight=term.weight,
        present=bool(amount) and role in COUNTS.values(),
        scale=tuple(term.scale.items()) if amount else (),
        digits=row.digits if amount else 0,
        clock=row.clock,
        on=term.on,
        place=term.country,
        owned=bool(term.country) and not checks.names_country(term.event, term.country),
        once=term.once,
    )


def _source(row: Row, term: Term, account: Account, add: int | str, *, region: bool = False) -> Source:
    """Return how a term finds its cells: those of countries, or (`region`) what they are for the region as one."""
    places = {apart: 1 + place for place, apart in enumerate(account.apart)}
    where = [(places[_condition(term.event, path, said)], *_wanted(path, said)) for path, said in term.where.items()]
    if term.once:
        where.append((0, frozenset({REGION}), region))
    labels = [
        path[1:] if path.startswith("=") else places[_label(row, name, path)]
        for name, path in checks.labels_of(row, term).items()
    ]
    return Source(account, account.name, add if isinstance(add, int) else 1, tuple(where), tuple(labels))


def _apart(row: Row, term: Term) -> tuple[Apart, ...]:
    labels = [_label(row, name, path) for name, path in checks.labels_of(row, term).items() if not path.startswith("=")]
    where = [_condition(term.event, path, wanted) for path, wanted in term.where.items()]
    return tuple(sorted({*labels, *where}, key=str))


def _label(row: Row, name: str, path: str) -> Apart:
    return path, tuple(row.known[name]) if name in row.known else None


def _condition(event: str, path: str, wanted: Scalar | list[Scalar] | Unless) -> Apart:
    if path.endswith(fields.ANY):
        return path, tuple(sorted(_values(wanted)))
    closed = all(fields.closed_values(fields.type_at(agreed, path)) for agreed in checks.contracts_named(event))
    return path, None if closed else tuple(sorted(_values(wanted)))


def _wanted(path: str, wanted: Scalar | list[Scalar] | Unless) -> tuple[frozenset[str], bool]:
    """Return the values of a condition, and whether it holds for these or for any but these."""
    values = frozenset({word(True)}) if path.endswith(fields.ANY) else _values(wanted)
    return values, not hasattr(wanted, "unless")


def _values(wanted: Scalar | list[Scalar] | Unless) -> frozenset[str]:
    values = getattr(wanted, "unless", wanted)
    return frozenset(map(word, values if isinstance(values, list) else [values]))


def _lists(account: Account) -> tuple[Apart, ...]:
    """Return the fields that stand for each of several: without asking for each, an event would count several times."""
    return tuple(apart for apart in account.apart if apart[0].endswith(EVERY))


def _place(said: Any, country: str, *, owned: bool) -> str:
    """Return where it counts: a country named, or the owner of an identifier; ValueError if that is none of ours."""
    place = (identity.parted(str(said or ""))[0] if owned else said) or country
    if place not in PLACES:
        raise ValueError("not a country of the region")
    return str(place)


def _told(found: Any, known: tuple[str, ...] | None, path: str) -> list[str]:
    if path.endswith(EVERY):
        return [_one_told(value, known) for value in found]
    if path.endswith(fields.ANY):
        return [word(any(word(value) in (known or ()) for value in found))]
    return [_one_told(found, known)]


def _one_told(value: Any, known: tuple[str, ...] | None) -> str:
    told = ABSENT if value is None else plain(word(value))
    return told if known is None or told in known or told in {UNKNOWN, ABSENT} else "other"


def amount(account: Account) -> Callable[[Any], int | None]:
    """Return the function that reads a whole number: as it stands, by its scale, weighted, or with so many decimals."""
    read, number = fields.reader(account.amount), measured(account)
    if account.weight:
        weighed = fields.reader(account.weight)
        return lambda data: None if read(data) is None else _weighed(account, read(data), weighed(data))
    return (lambda data: number(read(data))) if account.scale or account.digits else read


def _weighed(account: Account, found: Any, weight: Any) -> int:
    return int(weight or 0) if account.present else round(found * (weight or 0) * 10**account.digits)


def measured(account: Account) -> Callable[[Any], int | None]:
    """Return what makes a field a whole number: as it stands, by its scale, or with so many decimals."""
    if account.scale:
        scale = dict(account.scale)
        return scale.get
    if account.digits:
        factor = 10**account.digits
        return lambda found: None if found is None else round(found * factor)
    return lambda found: found
