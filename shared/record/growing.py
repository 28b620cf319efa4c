"""The tiles of the log's tree in the database: made from the log's rows, and read for roots and proofs.

The tree follows the log: nobody waits for it who records. What it is made of is the log alone, so that a log of before,
or what an older version records beside this one, gets its leaves as well.
"""

from collections.abc import Iterable, Sequence

from shared.record import tree
from shared.record.tree import BYTES, WIDTH, Span, Tile
from shared.run.database import Connection, Queried

TILES_MAX = 256
"""Full tiles made in one transaction: some tenths of a second."""


class HoleError(RuntimeError):
    """The log has not all the rows that a leaf is made of."""


async def begin(connection: Connection) -> None:
    """Have this transaction be the only one that makes tiles and checkpoints."""
    await connection.execute("select from tree for update")


async def grow(connection: Connection, position: int) -> bool:
    """Make the next full tiles, of a log that ends at a position; return whether there are more to make.

    The caller holds the transaction of `begin`. Raises HoleError.
    """
    first: int = await connection.fetchval("select coalesce(max(number) + 1, 0) from tile where level = 0")
    count = min(position // WIDTH - first, TILES_MAX)
    if count <= 0:
        return False
    hashes = await leaves(connection, (first * WIDTH, (first + count) * WIDTH))
    size = WIDTH * BYTES
    full = [hashes[at : at + size] for at in range(0, len(hashes), size)]
    above = await _stored(connection, [tile for tile in tree.widths(first * WIDTH) if tile[0]])
    added = {(0, first + at): one for at, one in enumerate(full)} | tree.grown(first, full, above)
    await connection.execute(
        "insert into tile (level, number, hashes) select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])"
        " on conflict (level, number) do update set hashes = tile.hashes || excluded.hashes",
        [level for level, _ in added],
        [number for _, number in added],
        list(added.values()),
    )
    return position // WIDTH > first + count


async def leaves(queried: Queried, span: Span) -> bytes:
    """Return the concatenated hashes of leaves, computed from the rows; raises HoleError."""
    hashes = await queried.fetchval(
        "select string_agg(leaf(l.position, t.salt, l.payload, l.signature), ''::bytea order by l.position)"
        " from log as l, tree as t where l.position > $1 and l.position <= $2",
        *span,
    )
    if len(hashes or b"") != (span[1] - span[0]) * BYTES:
        raise HoleError(f"the log lacks rows between {span[0] + 1} and {span[1]}")
    return bytes(hashes)


async def tiles(queried: Queried, wanted: Iterable[Tile], size: int) -> dict[Tile, bytes]:
    """Return those of the tiles wanted that a tree of a size has, as far as it has them; raises HoleError."""
    known = {tile for tile in wanted if _width(*tile, size) > 0}
    found = await _stored(queried, known)
    for tile in known - found.keys():
        level, number = tile
        if level == 0 and (number + 1) * WIDTH > size:  # the one at the edge, whose leaves are not stored
            found[tile] = await leaves(queried, (number * WIDTH, size))
    return {(level, number): hashes[: _width(level, number, size) * BYTES] for (level, number), hashes in found.items()}


async def roots(queried: Queried, spans: Sequence[Span], size: int) -> list[bytes]:
    """Return the roots of subtrees of a tree of a size; raises HoleError, or UnprovenError of a short tile."""
    found = await tiles(queried, tree.needed(spans), size)
    try:
        return tree.roots(spans, found)
    except KeyError as wanting:
        raise HoleError(f"there is no tile {wanting.args[0]}") from None


async def root(queried: Queried, size: int) -> bytes:
    """Return the root of the tree of a size; raises as `roots`."""
    return (await roots(queried, [(0, size)], size))[0]


def _width(level: int, number: int, size: int) -> int:
    """Return how many hashes a tile has in a tree of a size."""
    return min((size >> (8 * level)) - number * WIDTH, WIDTH)


async def _stored(queried: Queried, wanted: Iterable[Tile]) -> dict[Tile, bytes]:
    keys = list(wanted)
    rows = await queried.fetch(
        "select t.level, t.number, t.hashes from unnest($1::smallint[], $2::bigint[]) as q (level, number)"
        " join tile as t on t.level = q.level and t.number = q.number",
        [level for level, _ in keys],
        [number for _, number in keys],
    )
    return {(row["level"], row["number"]): bytes(row["hashes"]) for row in rows}
