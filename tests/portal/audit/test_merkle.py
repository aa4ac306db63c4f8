"""The tree against RFC 6962's own definitions, written down a second time as recursion over lists."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    root_hash,
)

#: The roots of certificate-transparency's published test vectors, for 1 to 8 leaves.
LEAVES = [bytes.fromhex(leaf) for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                                           "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
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


def mth(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def reader(leaves: list[bytes]):
    return lambda level, position: mth(leaves[position << level : (position + 1) << level])


def numbered(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_published_vectors(size: int) -> None:
    assert root_hash(reader(LEAVES), size).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root_hash(reader([]), 0) == EMPTY_ROOT == Frontier().root()


@given(st.integers(1, 70))
def test_a_frontier_gives_the_same_root_as_the_definition(size: int) -> None:
    frontier = Frontier()
    for leaf in numbered(size):
        frontier.append(leaf_hash(leaf))
    assert frontier.root() == mth(numbered(size))


@given(st.integers(1, 70), st.data())
def test_every_inclusion_proof_leads_to_the_root_and_no_other_leaf_does(
    size: int, data: st.DataObject
) -> None:
    leaves = numbered(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(reader(leaves), index, size)
    assert root_from_inclusion(leaf_hash(leaves[index]), index, size, proof) == mth(leaves)
    assert root_from_inclusion(leaf_hash(b"other"), index, size, proof) != mth(leaves)
    assert len(proof) <= max(1, (size - 1).bit_length())


@given(st.integers(0, 70), st.integers(0, 70))
def test_every_consistency_proof_holds_and_a_changed_past_does_not(first: int, second: int) -> None:
    old, new = sorted((first, second))
    leaves = numbered(new)
    proof = consistency_proof(reader(leaves), old, new)
    assert is_consistent(old, mth(leaves[:old]), new, mth(leaves), proof)
    if old:
        changed = [b"changed", *leaves[1:]]
        assert not is_consistent(old, mth(leaves[:old]), new, mth(changed), proof)
        assert not is_consistent(old, mth(changed[:old]), new, mth(leaves), proof)


@given(st.integers(2, 70), st.data())
def test_a_shortened_or_lengthened_proof_is_refused(size: int, data: st.DataObject) -> None:
    leaves = numbered(size)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(reader(leaves), index, size)
    for wrong in (proof[:-1], [*proof, node_hash(b"a", b"b")]):
        with pytest.raises(ValueError, match="proof is too"):
            root_from_inclusion(leaf_hash(leaves[index]), index, size, wrong)
