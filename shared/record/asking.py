"""Reading reports by what they are about, outside a batch: for questions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.database import Connection
from shared.record.judgement import Standing
from shared.record.tables import Tables


async def about(connection: Connection, things: Iterable[str]) -> Mapping[str, Sequence[Standing[Any]]]:
    """Return the reports about each thing as they stand, by time, in one statement."""
    tables = Tables()
    wanted = [*dict.fromkeys(things)]
    tables.things.want((thing, None, None, None) for thing in wanted)
    await tables.load(connection)
    return {thing: tables.things.get((thing, None, None, None)) for thing in wanted}
