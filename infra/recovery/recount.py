"""The Merkle tree over a log made anew from its rows, and held against what is stored and against what was signed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nats.aio.client import Client

from infra.recovery.reading import messages
from shared.flow.checkpoints import subject
from shared.flow.streams import CHECKPOINTS
from shared.record import note, tree
from shared.record.log import head
from shared.record.note import Checkpoint, NoteError, Verifier
from shared.run.database import Connection


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What is known of the logs outside the database: public keys, and checkpoints that somebody kept."""

    logs: Sequence[Verifier] = ()
    """Empty: no signature is checked."""
    witnesses: Sequence[Verifier] = ()
    notes: Sequence[str] = ()
    asked: bool = False
    """Whether the countries were asked for what they kept; it may be nothing."""

    @classmethod
    def of(cls, keys: Path | None, kept: Iterable[Path] = ()) -> "Witnessed":
        """Read the files `logs` and `witnesses` of a folder, and notes from files or folders; NoteError or OSError."""
        asked = list(kept)
        files = [file for one in asked for file in ([one] if one.is_file() else sorted(one.glob("*.checkpoint")))]
        notes = tuple(file.read_text() for file in files)
        if keys is None or not (keys / "logs").exists():
            return cls(notes=notes, asked=bool(asked))
        return cls(note.verifiers_in(keys / "logs"), note.verifiers_in(keys / "witnesses"), notes, bool(asked))


@dataclass(slots=True)
class Recount:
    """A log's tree as its rows give it."""

    service: str
    connection: Connection
    secret: bytes
    claims: dict[int, list[tuple[bytes, str]]]
    """Of each size that somebody signed, the roots, and where each stands."""
    edge: tree.Edge = field(default_factory=tree.Edge)
    whole: bool = True
    """Whether all rows were there, from the first on."""
    untrue: list[int] = field(default_factory=list)
    """First positions of tiles of leaves that are not those of the rows."""
    crooked: list[str] = field(default_factory=list)
    """Tiles above that are not those of the rows."""
    faults: list[str] = field(default_factory=list)
    """What else is wrong, in words."""
    cosigned: int = 0
    """The largest size that a witness signed."""
    _leaves: list[bytes] = field(default_factory=list)
    _above: dict[tree.Tile, bytes] = field(default_factory=dict)
    _stored: dict[int, bytes] = field(default_factory=dict)
    """Tiles of leaves, by number."""

    async def skip(self, size: int) -> None:
        """Begin behind the first rows, a multiple of WIDTH: of these the tiles are believed.

        What is signed of more rows holds only if they are right.
        """
        wanted = tree.needed([(0, size)]) | {tile for tile in tree.widths(size) if tile[0]}
        stored = await self.connection.fetch(
            f"select level, number, hashes from {self.service}.tile"  # noqa: S608 - our own names
            " where (level, number) in (select * from unnest($1::smallint[], $2::bigint[]))",
            [level for level, _ in wanted],
            [number for _, number in wanted],
        )
        tiles = {(level, number): bytes(hashes) for level, number, hashes in stored}
        try:
            self.edge = tree.Edge.of(size, tiles)
        except (KeyError, tree.UnprovenError):
            self.whole = False
            self.faults.append(f"tree: it has no tiles of the first {size} rows: verify from the start")
        above = {tile: width for tile, width in tree.widths(size).items() if tile[0]}
        self._above = {tile: tiles.get(tile, b"")[: width * tree.BYTES] for tile, width in above.items()}
        self.claims = {signed: claims for signed, claims in self.claims.items() if signed > size}

    async def load(self, first: int, last: int) -> None:
        """Read the stored tiles of leaves of these rows, before they are added."""
        rows = await self.connection.fetch(
            f"select number, hashes from {self.service}.tile"  # noqa: S608 - our own names
            " where level = 0 and number between $1 and $2",
            (first - 1) // tree.WIDTH,
            (last - 1) // tree.WIDTH,
        )
        self._stored.update((number, bytes(hashes)) for number, hashes in rows)

    def add(self, position: int, payload: bytes, signature: bytes = b"") -> None:
        """Add the next row."""
        self.whole = self.whole and position == self.edge.size + 1
        if not self.whole:
            return
        hashed = tree.leaf(tree.entry(position, tree.salted(self.secret, position), payload, signature))
        self.edge.add(hashed)
        self._leaves.append(hashed)
        if len(self._leaves) == tree.WIDTH:
            self._tile()
        for root, where in self.claims.pop(position, ()):
            if root != self.edge.root():
                self.faults.append(f"{where}: the first {position} rows are not those that were signed")

    def _tile(self) -> None:
        number = self.edge.size // tree.WIDTH - 1
        hashes, self._leaves = b"".join(self._leaves), []
        for tile, added in tree.grown(number, [hashes], self._above).items():
            self._above[tile] = self._above.get(tile, b"") + added
        stored = self._stored.pop(number, None)
        if stored is not None and stored != hashes:
            self.untrue.append(number * tree.WIDTH + 1)

    async def done(self) -> None:
        """Look at what is left when all rows were added."""
        rows = await self.connection.fetch(
            f"select level, number, hashes from {self.service}.tile where level > 0"  # noqa: S608 - our own names
        )
        for level, number, hashes in rows if self.whole else ():
            # Rows may have come since these were read: what is stored begins with what was counted, or the reverse.
            counted, stored = self._above.get((level, number), b""), bytes(hashes)
            if not (counted.startswith(stored) or stored.startswith(counted)):
                self.crooked.append(f"{level}/{number}")
        for size, claims in sorted(self.claims.items()) if self.whole else ():
            self.faults += [f"{where}: {size} rows were signed, the log has {self.edge.size}" for _, where in claims]


async def begun(connection: Connection, nc: Client, service: str, witnessed: Witnessed) -> Recount | None:
    """Begin the recount of a log, with all that was signed of it; None: no tree was made of it yet."""
    secret = await connection.fetchval(f"select salt from {service}.tree")  # noqa: S608 - our own names
    found = Recount(service, connection, bytes(secret or bytes(32)), {})
    origin = next((one.name for one in witnessed.logs if one.name.rpartition("/")[2] == service), "")
    stored = await connection.fetch(
        "select c.size, c.root, c.signed, array_agg(s.line) filter (where s.line is not null) as lines"  # noqa: S608
        f" from {service}.checkpoint as c left join {service}.cosignature as s using (size) group by c.size"
    )
    for size, root, signed, lines in stored:
        one = _claimed(found, witnessed, origin, signed + "".join(lines or ()), "checkpoint")
        if one and (one.size, one.root) != (size, root):
            found.faults.append(f"checkpoint: what is stored of {size} is not what was signed")
    async for message in messages(nc, CHECKPOINTS, 1, subject(service)):
        _claimed(found, witnessed, origin, message.payload.decode(errors="replace"), CHECKPOINTS)
    for text in witnessed.notes:
        if text.split("\n", 1)[0].rpartition("/")[2] == service:
            _claimed(found, witnessed, origin, text, "a checkpoint kept elsewhere")
    if secret is None and not found.claims:
        return None
    return found


async def gone(connection: Connection, nc: Client, service: str, witnessed: Witnessed) -> list[str]:
    """Say in words where a log ends before what was signed of it; empty: it does not."""
    found = await begun(connection, nc, service, witnessed)
    position, _ = await head(connection)
    signed = max(found.claims, default=0) if found else 0
    if found is None or signed <= position:
        return []
    where = found.claims[signed][0][1]
    return [f"{where}: {signed} rows were signed, the log has {position}: rows that others have seen are gone"]


async def signed(connection: Connection, service: str, position: int, text: str) -> list[str]:
    """Say in words why a checkpoint is not one of a log that goes up to a position at least; empty: it is."""
    try:
        one = note.checkpoint(note.parted(text)[0])
    except NoteError as error:
        return [f"{service}: {error}"]
    if one.origin.rpartition("/")[2] != service or one.size < position:
        return [f"{service}: the checkpoint that is named is of {one.size} rows of {one.origin}"]
    found = await _root(connection, service, one.size)
    return [] if found == one.root else [f"{service}: the first {one.size} rows are not those that were signed"]


async def _root(connection: Connection, service: str, size: int) -> bytes | None:
    """Return the root over a log's first rows, by its tiles; None where rows or tiles are wanting."""
    edge = size // tree.WIDTH * tree.WIDTH
    secret = await connection.fetchval(f"select salt from {service}.tree")  # noqa: S608 - our own names
    tiles = {
        (level, number): bytes(hashes)
        for level, number, hashes in await connection.fetch(
            "select t.level, t.number, t.hashes from unnest($1::smallint[], $2::bigint[]) as q (level, number)"  # noqa: S608
            f" join {service}.tile as t on t.level = q.level and t.number = q.number",
            *map(list, zip(*sorted(tree.needed([(0, size)])), strict=True)),
        )
    }
    rows = await connection.fetch(
        f"select position, payload, signature from {service}.log"  # noqa: S608 - our own names
        " where position > $1 and position <= $2 order by position",
        *(edge, size),
    )
    hashed = [
        tree.leaf(tree.entry(at, tree.salted(bytes(secret), at), bytes(payload), bytes(signature or b"")))
        for at, payload, signature in rows
    ]
    if hashed:
        tiles[0, edge // tree.WIDTH] = b"".join(hashed)
    try:
        return tree.root((0, size), tiles)
    except (KeyError, tree.UnprovenError):
        return None


def _claimed(found: Recount, witnessed: Witnessed, origin: str, text: str, where: str) -> Checkpoint | None:
    """Take in what a checkpoint claims; one that cannot be read, or is signed wrongly, is told."""
    try:
        one = note.checkpoint(note.parted(text)[0])
        if witnessed.logs:
            _, by = note.opened(text, [*(log for log in witnessed.logs if log.name == origin), *witnessed.witnesses])
            if not any(verifier.kind == note.SIGNS for verifier in by):
                raise NoteError("not signed by the log")
            if any(verifier.kind == note.COSIGNS for verifier in by):
                found.cosigned = max(found.cosigned, one.size)
    except NoteError as error:
        found.faults.append(f"{where}: {error}")
        return None
    claim = (one.root, where)
    if claim not in found.claims.setdefault(one.size, []):
        found.claims[one.size].append(claim)
    return one
