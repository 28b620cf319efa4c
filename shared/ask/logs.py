"""The questions about the log itself: its checkpoints, its tree, receipts, and the countries' cosignatures."""

from collections.abc import Sequence
from pathlib import Path

from shared.ask.questions import Asked, Questions
from shared.contracts import Problem
from shared.contracts.logs import (
    CheckpointAnswer,
    CheckpointAsk,
    CosignAnswer,
    CosignAsk,
    ReceiptAnswer,
    ReceiptAsk,
    TileAnswer,
    TileAsk,
)
from shared.contracts.questions import Answered, invalid
from shared.record import growing, note, tree
from shared.record.note import NoteError, Verifier
from shared.run.database import Connection, Row

NEWEST = "select size, signed from checkpoint where size >= $1 order by size desc limit 1"
COSIGNED = (
    "select c.size, c.signed from checkpoint as c join cosignature as s using (size) where size >= $1"
    " group by c.size having count(*) >= $2 order by c.size desc limit 1"
)


def answering(witnesses: Path | None) -> Questions:
    """Return what answers the questions; `witnesses` is the file of the countries' public keys. Raises NoteError."""
    known = verifiers(witnesses)

    async def cosigned(asked: Sequence[Asked[CosignAsk]], connection: Connection) -> Sequence[Answered]:
        return [await _cosigned(one, known, connection) for one in asked]

    return {CheckpointAsk: _checkpoints, TileAsk: _tiles, ReceiptAsk: _receipts, CosignAsk: cosigned}


def verifiers(witnesses: Path | None) -> list[Verifier]:
    """Return the witnesses in a file; NoteError."""
    try:
        return note.verifiers_in(witnesses) if witnesses else []
    except OSError as error:
        raise NoteError(f"CRM_WITNESSES cannot be read: {error.strerror}") from None


async def _checkpoints(asked: Sequence[Asked[CheckpointAsk]], connection: Connection) -> Sequence[Answered]:
    return [await _checkpoint(one.ask, connection) for one in asked]


async def _checkpoint(ask: CheckpointAsk, connection: Connection) -> CheckpointAnswer:
    row = await _signed(connection, 0, ask.cosigned)
    if row is None:
        return CheckpointAnswer()
    size, (signed, _) = row["size"], await _with_lines(connection, row)
    if not 0 < ask.since <= size:
        return CheckpointAnswer(checkpoint=signed)
    spans = [(0, ask.since), *tree.consistency(ask.since, size)]
    root, *proof = map(note.encoded, await growing.roots(connection, spans, size))
    return CheckpointAnswer(checkpoint=signed, root=root, proof=tuple(proof))


async def _tiles(asked: Sequence[Asked[TileAsk]], connection: Connection) -> Sequence[Answered]:
    row = await _signed(connection, 0, 0)
    last = row["size"] if row else 0
    return [await _tile(one.ask, last, connection) for one in asked]


async def _tile(ask: TileAsk, last: int, connection: Connection) -> TileAnswer:
    wanted = (ask.level, ask.number)
    size = last if ask.size is None else min(ask.size, last)
    found = await growing.tiles(connection, [wanted], size)
    return TileAnswer(hashes=note.encoded(found.get(wanted, b"")))


async def _receipts(asked: Sequence[Asked[ReceiptAsk]], connection: Connection) -> Sequence[Answered]:
    return [await _receipt(one, connection) for one in asked]


async def _receipt(asked: Asked[ReceiptAsk], connection: Connection) -> ReceiptAnswer:
    row = await connection.fetchrow(
        "select l.position, l.payload, l.signature, t.salt from recorded as r"
        " join log as l on l.position = r.position cross join tree as t"
        " where r.id = $1 and (r.source like $2 or l.country = $3) and ($4::text is null or r.source = $4)"
        " order by r.source like $2 desc limit 1",
        asked.ask.id,
        f"urn:crm:country:{asked.country}:%",
        asked.country,
        asked.ask.source,
    )
    signed = await _signed(connection, row["position"], asked.ask.cosigned) if row else None
    if row is None or signed is None:
        return ReceiptAnswer()
    position, size = row["position"], signed["size"]
    salt = tree.salted(bytes(row["salt"]), position)
    covered = tree.entry(position, salt, bytes(row["payload"]), bytes(row["signature"] or b""))
    proof = await growing.roots(connection, tree.inclusion(position - 1, size), size)
    checkpoint, cosigned = await _with_lines(connection, signed)
    return ReceiptAnswer(receipt=note.Receipt(position - 1, covered, tuple(proof), checkpoint).text, cosigned=cosigned)


async def _cosigned(asked: Asked[CosignAsk], witnesses: Sequence[Verifier], connection: Connection) -> Answered:
    """Keep a cosignature that holds, of a checkpoint that was signed, by a key of the country that hands it in."""
    ask = asked.ask
    signed = await connection.fetchval("select signed from checkpoint where size = $1", ask.size)
    own = [one for one in witnesses if one.name.rpartition("/")[2] == asked.country and one.kind == note.COSIGNS]
    if signed is None:
        return invalid(Problem("/size", "unknown_checkpoint", "no checkpoint of that size is kept"))
    try:
        (name, key, signature), *more = note.signatures(f"{ask.line}\n")
        found = [one for one in own if (one.name, one.id) == (name, key)]
        if more or not found or not found[0].holds(note.parted(signed)[0], signature):
            raise NoteError
    except NoteError:
        why = "not this checkpoint's cosignature by a key that the region knows of this country"
        return invalid(Problem("/line", "bad_cosignature", why))
    await connection.execute(
        "insert into cosignature (size, witness, line) values ($1, $2, $3)"
        " on conflict (size, witness) do update set line = excluded.line",
        *(ask.size, name, f"{ask.line}\n"),
    )
    count = await connection.fetchval("select count(*) from cosignature where size = $1", ask.size)
    return CosignAnswer(cosigned=count)


async def _signed(connection: Connection, size: int, cosigned: int) -> Row | None:
    """Return the newest checkpoint of at least a size, of those that so many cosigned; else the newest of all."""
    found = await connection.fetchrow(COSIGNED, size, cosigned) if cosigned else None
    return found or await connection.fetchrow(NEWEST, size)


async def _with_lines(connection: Connection, row: Row) -> tuple[str, int]:
    """Return a checkpoint with its cosignatures, and how many they are."""
    lines = await connection.fetch("select line from cosignature where size = $1 order by witness", row["size"])
    return "".join([row["signed"], *(one["line"] for one in lines)]), len(lines)
