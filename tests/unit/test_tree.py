"""The Merkle tree against RFC 6962's own words, the vectors of Certificate Transparency, and tiles of any size."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.record import tree

# The eight leaves and roots of the reference implementation's tests (certificate-transparency, merkle_tree_test).
LEAVES = [bytes.fromhex(one) for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
LEAVES.append(bytes(range(0x60, 0x70)))
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(leaves):
    """RFC 6962, 2.1, as it is written there."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\1" + mth(leaves[:half]) + mth(leaves[half:])).digest()


def numbered(size):
    return [tree.leaf(number.to_bytes(4)) for number in range(size)]


def tiled(leaves, batch=3):
    """The tiles of a tree that grew by batches of full tiles, its last leaves in a tile of their own."""
    tiles = {}
    whole = len(leaves) // tree.WIDTH
    for first in range(0, whole, batch):
        some = range(first, min(first + batch, whole))
        full = [b"".join(leaves[one * tree.WIDTH : (one + 1) * tree.WIDTH]) for one in some]
        tiles |= {(0, one): hashes for one, hashes in zip(some, full, strict=True)}
        for tile, hashes in tree.grown(first, full, tiles).items():
            tiles[tile] = tiles.get(tile, b"") + hashes
    if rest := leaves[whole * tree.WIDTH :]:
        tiles[0, whole] = b"".join(rest)
    return tiles


def test_the_roots_of_the_reference_implementation():
    edge = tree.Edge()
    assert edge.root() == tree.EMPTY
    for data, root in zip(LEAVES, ROOTS, strict=True):
        edge.add(tree.leaf(data))
        assert edge.root().hex() == root


def test_the_proofs_of_the_rfc():
    """RFC 6962, 2.1.3: the tree of seven leaves; spans in place of its letters."""
    assert tree.inclusion(0, 7) == [(1, 2), (2, 4), (4, 7)]  # b, h, l
    assert tree.inclusion(3, 7) == [(2, 3), (0, 2), (4, 7)]  # c, g, l
    assert tree.inclusion(4, 7) == [(5, 6), (6, 7), (0, 4)]  # f, j, k
    assert tree.inclusion(6, 7) == [(4, 6), (0, 4)]  # i, k
    assert tree.consistency(3, 7) == [(2, 3), (3, 4), (0, 2), (4, 7)]  # c, d, g, l
    assert tree.consistency(4, 7) == [(4, 7)]  # l
    assert tree.consistency(6, 7) == [(4, 6), (6, 7), (0, 4)]  # i, j, k


@given(st.integers(1, 700), st.data())
def test_every_proof_proves_itself_and_nothing_else(size, data):
    leaves = numbered(size)
    old = data.draw(st.integers(1, size))
    index = data.draw(st.integers(0, size - 1))
    tiles = tiled(leaves)
    root, before = mth(leaves), mth(leaves[:old])
    assert tree.root((0, size), tiles) == root
    assert tree.root((0, old), tiles) == before
    proof = tree.roots(tree.inclusion(index, size), tiles)
    assert tree.included(leaves[index], index, size, proof) == root
    between = tree.roots(tree.consistency(old, size), tiles)
    assert tree.extended(old, size, before, between) == (before, root)
    other = tree.leaf(b"other")
    assert tree.included(other, index, size, proof) != root
    if between:
        got = tree.extended(old, size, other, between)
        # An older tree of a power of two stands in the newer one itself; any other one is computed from the proof.
        assert got == (before, root) if old & (old - 1) else got[1] != root
    for wrong in ([*proof, other], proof[1:] if proof else [other]):
        with pytest.raises(tree.UnprovenError):
            tree.included(leaves[index], index, size, wrong)


@given(st.integers(0, 1 << 40))
def test_a_proof_is_short(size):
    tiles = tree.needed(tree.inclusion(size // 3, max(size, 1)))
    assert len(tree.inclusion(size // 3, max(size, 1))) <= 40
    assert len(tiles) <= 16
    assert all(width < tree.WIDTH for width in tree.widths(size).values())


def test_tiles_of_three_levels():
    """The size that tlog-tiles takes as its example: 70,000."""
    leaves = numbered(70_000)
    tiles = tiled(leaves, 100)
    assert tree.widths(70_000) == {(0, 273): 112, (1, 1): 17, (2, 0): 1}
    assert {tile: len(tiles[tile]) // 32 for tile in tree.widths(70_000)} == tree.widths(70_000)
    edge = tree.Edge()
    for one in leaves:
        edge.add(one)
    assert tree.root((0, 70_000), tiles) == edge.root()
    proof = tree.roots(tree.consistency(65_537, 70_000), tiles)
    assert tree.extended(65_537, 70_000, tree.root((0, 65_537), tiles), proof)[1] == edge.root()


def test_what_a_leaf_covers_is_told_in_one_way_only():
    salt = tree.salted(bytes(32), 7)
    assert tree.entry(7, salt, b"ab", b"c") != tree.entry(7, salt, b"a", b"bc")
    assert tree.entry(7, salt, b"ab").hex() == f"{7:016x}{salt.hex()}{2:08x}6162"
