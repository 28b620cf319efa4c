"""What a query finds, as the things that its rows are of."""

from dataclasses import asdict
from typing import Any, TypeVar

from services.intel.gate import Marking, marking
from shared.contracts import Data
from shared.database import Connection

T = TypeVar("T")


def marks(data: Data) -> dict[str, Any]:
    """Return the columns that keep how a report is marked."""
    return asdict(marking(data))


MARKS = asdict(Marking()).keys()


async def found(connection: Connection, kind: type[T], query: str, *values: Any) -> list[T]:
    """Return the rows that a query finds; its columns are the fields of `kind`, those of a marking together one."""
    return [_thing(kind, dict(row)) for row in await connection.fetch(query, *values)]


def _thing(kind: type[T], columns: dict[str, Any]) -> T:
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in columns.items()
    }
    if fields.keys() >= MARKS:
        fields["marking"] = Marking(**{name: fields.pop(name) for name in MARKS})
    return kind(**fields)
