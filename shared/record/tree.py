"""The Merkle tree over a log (RFC 6962, section 2.1), kept as tiles of 256 hashes (C2SP tlog-tiles).

Pure: what is read of the tiles and where from is the caller's. An index counts from 0: the row at position n is the
leaf at index n - 1.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

HEIGHT, WIDTH = 8, 256
"""Of a tile; a hash in a tile of level n covers 256^n leaves."""
BYTES = 32
"""Of a hash (SHA-256)."""
PAYLOAD_AT = 8 + BYTES + 4
"""Where the payload begins in what a leaf covers."""
LEVELS_MAX = 8
"""Of tiles: no log gets longer than 2^63."""
EMPTY = hashlib.sha256(b"").digest()
"""The root of the empty tree."""

Span: TypeAlias = tuple[int, int]
"""The leaves from an index up to before another."""
Tile: TypeAlias = tuple[int, int]
"""Level and number."""


class UnprovenError(ValueError):
    """A proof does not prove what it is given for."""


def entry(position: int, salt: bytes, payload: bytes, signature: bytes = b"") -> bytes:
    """Return what the leaf of a row covers, in one way only.

    Position (8 bytes), the row's salt (32), length of the payload (4), the payload, the signature; numbers big-endian.
    """
    return position.to_bytes(8) + salt + len(payload).to_bytes(4) + payload + signature


def payload_of(covered: bytes) -> bytes:
    """Return the payload of a row by what its leaf covers."""
    return covered[PAYLOAD_AT:][: int.from_bytes(covered[PAYLOAD_AT - 4 : PAYLOAD_AT])]


def salted(secret: bytes, position: int) -> bytes:
    """Return a row's salt: without it a leaf's hash tells nobody whether a guess at the row is right."""
    return hashlib.sha256(secret + position.to_bytes(8)).digest()


def leaf(covered: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\0" + covered).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()


def folded(hashes: bytes) -> bytes:
    """Return the root over concatenated hashes, as many as a power of two."""
    parts = [hashes[at : at + BYTES] for at in range(0, len(hashes), BYTES)]
    while len(parts) > 1:
        parts = [node(parts[at], parts[at + 1]) for at in range(0, len(parts), 2)]
    return parts[0]


class Edge:
    """The right edge of a tree that grows: the roots of its complete subtrees, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    @classmethod
    def of(cls, size: int, tiles: Mapping[Tile, bytes]) -> "Edge":
        """Return the edge of a tree of a size, by its tiles; raises as `root`."""
        edge = cls()
        edge.size = size
        edge._roots = [_of_tile(height, index, tiles) for height, index in _complete(0, size)]
        return edge

    def add(self, hashed: bytes) -> None:
        """Add a leaf."""
        size, self.size = self.size, self.size + 1
        while size & 1:
            hashed = node(self._roots.pop(), hashed)
            size >>= 1
        self._roots.append(hashed)

    def root(self) -> bytes:
        """Return the tree's root."""
        return _joined(self._roots)


def _joined(roots: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees that follow each other, each at least as large as what follows it."""
    if not roots:
        return EMPTY
    hashed = roots[-1]
    for left in reversed(roots[:-1]):
        hashed = node(left, hashed)
    return hashed


# --- What a proof consists of --------------------------------------------------------------------------------------
def inclusion(index: int, size: int) -> list[Span]:
    """Return the subtrees whose roots prove that a leaf is in a tree (RFC 6962, 2.1.1)."""
    first, end, found = 0, size, list[Span]()
    while end - first > 1:
        middle = first + _half(end - first)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((first, middle))
            first = middle
    return found[::-1]


def consistency(old: int, new: int) -> list[Span]:
    """Return the subtrees whose roots prove that a tree begins with an older one (RFC 6962, 2.1.2)."""
    if not 0 < old < new:
        return []
    first, end, found = 0, new, list[Span]()
    while old != end:
        middle = first + _half(end - first)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((first, middle))
            first = middle
    return ([(first, end)] if first else []) + found[::-1]


def _half(size: int) -> int:
    """Return the largest power of two below a size."""
    return 1 << ((size - 1).bit_length() - 1)


# --- Tiles ---------------------------------------------------------------------------------------------------------
def needed(spans: Iterable[Span]) -> set[Tile]:
    """Return the tiles that the roots of these subtrees are computed from."""
    return {_place(height, index)[0] for span in spans for height, index in _complete(*span)}


def widths(size: int) -> dict[Tile, int]:
    """Return the tiles at the right edge of a tree that are not full, and how many hashes each has."""
    found = {}
    for level in range(LEVELS_MAX):
        whole = size >> (HEIGHT * level)
        if whole % WIDTH:
            found[level, whole // WIDTH] = whole % WIDTH
    return found


def root(span: Span, tiles: Mapping[Tile, bytes]) -> bytes:
    """Return the root of a subtree; KeyError where a tile is wanting, UnprovenError where it is too short."""
    return _joined([_of_tile(height, index, tiles) for height, index in _complete(*span)])


def roots(spans: Iterable[Span], tiles: Mapping[Tile, bytes]) -> list[bytes]:
    """Return the roots of subtrees: a proof."""
    return [root(span, tiles) for span in spans]


def grown(first: int, leaves: Sequence[bytes], tiles: Mapping[Tile, bytes]) -> dict[Tile, bytes]:
    """Return what is to be added to the tiles above for full tiles of leaves, from the number `first` on.

    `tiles` holds the tiles of the levels above that are not full yet.
    """
    added: dict[Tile, bytes] = {}
    level, fresh = 1, [folded(one) for one in leaves]
    while fresh:
        above = []
        for at, hashed in enumerate(fresh, first):
            tile = (level, at // WIDTH)
            added[tile] = added.get(tile, b"") + hashed
            if at % WIDTH == WIDTH - 1:
                above.append(folded(tiles.get(tile, b"") + added[tile]))
        level, first, fresh = level + 1, first // WIDTH, above
    return added


def _complete(first: int, end: int) -> Iterable[tuple[int, int]]:
    """Yield height and index of the complete subtrees that make up a span, from the left."""
    while first < end:
        height = (end - first).bit_length() - 1
        if first:
            height = min(height, (first & -first).bit_length() - 1)
        yield height, first >> height
        first += 1 << height


def _place(height: int, index: int) -> tuple[Tile, int, int]:
    """Return in which tile the root of a complete subtree is, or what it is computed from: where, and how many."""
    level, above = divmod(height, HEIGHT)
    number, offset = divmod(index << above, WIDTH)
    return (level, number), offset, 1 << above


def _of_tile(height: int, index: int, tiles: Mapping[Tile, bytes]) -> bytes:
    tile, offset, count = _place(height, index)
    hashes = tiles[tile][offset * BYTES : (offset + count) * BYTES]
    if len(hashes) != count * BYTES:
        raise UnprovenError(f"tile {tile[0]}/{tile[1]} is too short")
    return folded(hashes)


# --- Checking ------------------------------------------------------------------------------------------------------
def included(hashed: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that a proof gives for a leaf; UnprovenError where it has not the length of one."""
    spans = inclusion(index, size) if 0 <= index < size else None
    if spans is None or len(spans) != len(proof):
        raise UnprovenError("not as many hashes as a proof has")
    for (_, end), other in zip(spans, proof, strict=True):
        hashed = node(other, hashed) if end <= index else node(hashed, other)
    return hashed


def extended(old: int, new: int, old_root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the roots that a proof gives for the older and the newer tree; UnprovenError as `included`.

    The older root goes in only where it is itself a part of the newer tree (its size is a power of two).
    """
    spans = consistency(old, new)
    if not 0 < old <= new or len(spans) != len(proof):
        raise UnprovenError("not as many hashes as a proof has")
    if old == new:
        return old_root, old_root
    alone = old & (old - 1) == 0
    before = after = old_root if alone else proof[0]
    for (first, _), other in list(zip(spans, proof, strict=True))[0 if alone else 1 :]:
        if first >= old:
            after = node(after, other)
        else:
            before, after = node(other, before), node(other, after)
    return before, after
