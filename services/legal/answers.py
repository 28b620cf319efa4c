"""The legal service's tables as questions look into them: one query for all questions of a kind in a batch.

`number` in a row is the place (from 1) of the question that it belongs to.
"""

from collections.abc import Sequence

from shared.database import Connection, Row


async def parties(connection: Connection, treaties: Sequence[tuple[str, str]]) -> set[int]:
    """Return the numbers of those (country, instrument) in which the country is party to the treaty."""
    rows = await connection.fetch(
        "select q.number from unnest($1::text[], $2::text[]) with ordinality as q (country, instrument, number)"
        " join party as p on p.country = q.country and p.instrument = q.instrument",
        [country for country, _ in treaties],
        [instrument for _, instrument in treaties],
    )
    return {row["number"] for row in rows}


async def gaps(connection: Connection, treaties: Sequence[tuple[str, str]]) -> list[Row]:
    """Return the open gaps of each (country, instrument)."""
    return await connection.fetch(
        "select q.number, g.article, g.since"
        " from unnest($1::text[], $2::text[]) with ordinality as q (country, instrument, number)"
        " join gap as g on g.country = q.country and g.instrument = q.instrument",
        [country for country, _ in treaties],
        [instrument for _, instrument in treaties],
    )
