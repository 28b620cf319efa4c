"""Reading outside a batch: reports by what they are about, for questions, and who holds which seat."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.record import seats
from shared.record.judgement import Standing
from shared.record.storing import load
from shared.record.tables import Tables
from shared.run.database import Connection, Queried


async def about(connection: Connection, things: Iterable[str]) -> Mapping[str, Sequence[Standing[Any]]]:
    """Return the reports about each thing as they stand, by time, in one statement."""
    tables = Tables()
    wanted = [*dict.fromkeys(things)]
    tables.things.want((thing, None, None, None) for thing in wanted)
    await load(tables, connection)
    return {thing: tables.things.get((thing, None, None, None)) for thing in wanted}


async def holders(queried: Queried, at: datetime) -> dict[str, str]:
    """Return who holds each seat at an instant, as far as this service has heard."""
    rows = await queried.fetch(
        "select distinct on (body) since, body, holder from seat where since <= $1 order by body, since desc", at
    )
    return seats.in_force(at, [(row["since"], row["body"], row["holder"]) for row in rows])
