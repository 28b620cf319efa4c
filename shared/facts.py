"""Facts: what a service keeps of reports so as to answer questions; a row for each, dropped or replaced as they are.

A row is told by the id and source of its report. Which of several rows holds is judged by the dates in them when a
question is asked; so neither the order of arrival nor corrections and retractions need any care.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from shared.amendments import Amend, Amends
from shared.contracts import Data, Event
from shared.database import Connection
from shared.rules import Rules, Stored

Columns: TypeAlias = Mapping[str, Any] | None
"""A row by its columns, without `event_id` and `source`; None: nothing of this report is kept."""


@dataclass(frozen=True, slots=True)
class Fact:
    """How reports of a type are kept."""

    table: str
    row: Callable[[Event[Any], Any], Columns]
    """(event first reported, the data that hold) -> the row; the columns are the same for every report."""
    also: Callable[[Event[Any], Any, Connection], Awaitable[None]] | None = None
    """(event first reported, the data that hold, connection): insert what goes with the row when that is deleted."""

    async def put(self, event: Event[Any], data: Any, connection: Connection) -> None:
        """Insert the row, if there is one to keep."""
        columns = self.row(event, data)
        if columns is None:
            return
        numbers = ", ".join(f"${number}" for number, _ in enumerate(columns, start=3))
        await connection.execute(
            f"insert into {self.table} (event_id, source, {', '.join(columns)}) values ($1, $2, {numbers})",  # noqa: S608 - our own names
            event.id,
            event.source,
            *columns.values(),
        )
        if self.also:
            await self.also(event, data, connection)


Facts: TypeAlias = Mapping[type[Data], Fact]


def with_facts(rules: Rules, amends: Amends, facts: Facts) -> tuple[Rules, Amends]:
    """Return a service's rules and amendments that also keep the facts.

    A type's own rule runs after its fact was put, and may read it.
    """
    kept = {kind: _kept(fact, _stored(rules, kind)) for kind, fact in facts.items()}
    mended = {kind: _mended(fact, amends.get(kind)) for kind, fact in facts.items()}
    return {**rules, **kept}, {**amends, **mended}


def _stored(rules: Rules, kind: type[Data]) -> Stored | None:
    rule = rules.get(kind)
    if rule is not None and not inspect.iscoroutinefunction(rule):
        raise TypeError(f"the rule for {kind.__name__}, of which facts are kept, must be async")
    return cast("Stored | None", rule)


def _kept(fact: Fact, rule: Stored | None) -> Stored:
    async def keep(event: Event[Any], connection: Connection) -> Iterable[Event[Any]]:
        await fact.put(event, event.data, connection)
        return await rule(event, connection) if rule else []

    return keep


def _mended(fact: Fact, amend: Amend | None) -> Amend:
    async def mend(
        root: Event[Any], previous: Data, new: Data | None, connection: Connection
    ) -> tuple[Data, Data | None]:
        if amend:
            previous, new = await amend(root, previous, new, connection)
        await connection.execute(
            f"delete from {fact.table} where event_id = $1 and source = $2",  # noqa: S608 - our own names
            root.id,
            root.source,
        )
        if new is not None:
            await fact.put(root, new, connection)
        return previous, new

    return mend
