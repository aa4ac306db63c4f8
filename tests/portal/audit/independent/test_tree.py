"""Another implementation finds our roots and accepts our proofs, for every small size and around powers of two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from bench.verify_ledger import fill
from portal.audit.merkle import NodeReader, consistency_proof, inclusion_proof, root_hash
from portal.audit.model import Entry
from portal.audit.tree import with_nodes
from portal.core.database import Database
from tests.portal.audit.independent.foreign import consistent, includes

ALL_UP_TO = 66
ENTRIES = 1_100
LARGER = (127, 128, 129, 255, 256, 257, 511, 512, 513, 777, 1_000, 1_023, 1_024, 1_025, ENTRIES)
SIZES = (*range(1, ALL_UP_TO + 1), *LARGER)
Proof = list[bytes]


@dataclass
class Proven:
    """What the stored tree of one ledger proves."""

    entries: list[bytes]
    roots: dict[int, bytes]
    inclusion: dict[tuple[int, int], Proof]
    consistency: dict[tuple[int, int], Proof]


def indices(size: int) -> set[int]:
    """Every leaf of a small tree; of a larger one its ends, its middle and some on the way."""
    if size <= ALL_UP_TO:
        return set(range(size))
    return {0, 1, size // 3, size // 2 - 1, size // 2, size - 2, size - 1, *range(5, size, 97)}


def prove(node: NodeReader) -> Proven:
    return Proven(
        [],
        {size: root_hash(node, size) for size in SIZES},
        {(index, size): inclusion_proof(node, index, size) for size in SIZES for index in indices(size)},
        {(old, new): consistency_proof(node, old, new) for new in SIZES for old in SIZES if old < new},
    )


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proven]:
    db = Database(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.db'}")
    fill(db, ENTRIES, Ed25519PrivateKey.generate())
    with db.reading() as session:
        made = with_nodes(session, prove)
        made.entries += [body.encode() for body in session.scalars(select(Entry.body).order_by(Entry.number))]
    yield made
    db.dispose()


def test_sigstore_finds_every_leaf_under_every_root(proven: Proven) -> None:
    # All leaves of a size leading to one root is what makes it the root over them.
    refused = [
        where
        for where, proof in proven.inclusion.items()
        if not includes(proven.entries[where[0]], *where, proven.roots[where[1]], proof)
    ]
    assert refused == []
    assert len(proven.inclusion) > ALL_UP_TO**2 / 2


def test_sigstores_chains_lead_from_every_size_to_every_larger_one(proven: Proven) -> None:
    refused = [
        (old, new)
        for (old, new), proof in proven.consistency.items()
        if not consistent(old, proven.roots[old], new, proven.roots[new], proof)
    ]
    assert refused == []
    assert len(proven.consistency) == len(SIZES) * (len(SIZES) - 1) // 2


def test_what_is_not_proven_is_refused_by_them_too(proven: Proven) -> None:
    """Else whoever accepts everything would have passed above."""
    tried = 0
    for (index, size), proof in proven.inclusion.items():
        if size not in {2, 7, 64, 1_000}:
            continue
        root, entry = proven.roots[size], proven.entries[index]
        assert not includes(proven.entries[index ^ 1], index, size, root, proof)
        assert not includes(entry, index ^ 1, size, root, proof)
        assert not includes(entry, index, size, other(root), proof)
        assert not includes(entry, index, size, root, proof[:-1])
        assert not includes(entry, index, size, root, [other(proof[0]), *proof[1:]])
        tried += 1
    for (old, new), proof in proven.consistency.items():
        if new not in {2, 7, 64, 1_000}:
            continue
        before, after = proven.roots[old], proven.roots[new]
        assert not consistent(old, other(before), new, after, proof)
        assert not consistent(old, before, new, other(after), proof)
        assert not consistent(old, before, new, after, proof[:-1])
        assert not consistent(old, before, new, after, [*proof[:-1], other(proof[-1])])
        tried += 1
    assert tried > 100


def other(one: bytes) -> bytes:
    return bytes([one[0] ^ 1]) + one[1:]
