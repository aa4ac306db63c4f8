"""Proofs of many entries: the same as one by one, in a few statements."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, select, text

from portal.audit import record
from portal.audit.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    root_hash,
)
from portal.audit.model import Entry
from portal.audit.plain_proof import sides
from portal.audit.proofs import proven_entries
from portal.audit.tree import node_reader, with_nodes
from portal.core.database import Database
from portal.identity.actor import PORTAL

SIZE = 301


@contextmanager
def statements(db: Database) -> Iterator[list[str]]:
    said: list[str] = []

    def hear(connection: object, cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(db.engine, "before_cursor_execute", hear)
    yield said
    event.remove(db.engine, "before_cursor_execute", hear)


def write(db: Database, count: int) -> None:
    with db.transaction() as session:
        for number in range(count):
            about = f"thing:{number % 2}"
            record(session, "thing:done", subject=about, actor=PORTAL, personal={"b": "so", "a": "so"})


def test_many_entries_are_proven_by_few_statements_as_they_are_one_by_one(db: Database) -> None:
    write(db, SIZE)
    with db.reading() as session, statements(db) as said:
        found = proven_entries(session, ("thing:1",), size=SIZE)
    assert len(found) == SIZE // 2
    assert [entry.number for entry in found] == list(range(2, SIZE, 2))
    # The entries, their personal values, and the nodes: one by one those would be some 1,300 statements.
    assert len(said) == 3
    with db.reading() as session:
        node = node_reader(session)
        root = root_hash(node, SIZE)
        leaves = {entry.number: entry.leaf_hash for entry in session.scalars(select(Entry))}
        for entry in found:
            proof = [base64.b64decode(step) for step in entry.proof]
            assert proof == inclusion_proof(node, entry.number - 1, SIZE)
            assert root_from_inclusion(leaves[entry.number], entry.number - 1, SIZE, proof) == root
    assert all(list(entry.personal) == ["a", "b"] for entry in found)


def test_nothing_asked_for_is_nothing_read(db: Database) -> None:
    write(db, 3)
    with db.reading() as session, statements(db) as said:
        assert proven_entries(session, ("thing:9",), size=3) == []
    assert len(said) == 1


@pytest.mark.parametrize(
    "make", [lambda node: inclusion_proof(node, 4, 9), lambda node: consistency_proof(node, 3, 9)]
)
@pytest.mark.on_sqlite
def test_a_node_that_is_missing_is_named(db: Database, make: Callable) -> None:
    write(db, 9)
    with db.transaction() as session:
        session.execute(text("DROP TRIGGER ledger_node_no_delete"))
        session.execute(text("DELETE FROM ledger_node WHERE level = 2"))
    with db.reading() as session:
        for read in (with_nodes, lambda session, make: make(node_reader(session))):
            with pytest.raises(LookupError, match="has no node 2/"):
                read(session, make)


def test_hashing_on_the_sides_that_are_told_leads_to_the_root() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(40)]

    def node(level: int, position: int) -> bytes:
        return (
            node_hash(node(level - 1, position * 2), node(level - 1, position * 2 + 1))
            if level
            else leaves[position]
        )

    for size in range(1, 40):
        for index in range(size):
            made = leaves[index]
            proof = inclusion_proof(node, index, size)
            for side, step in zip(sides(index, size), proof, strict=True):
                made = node_hash(step, made) if side == "left" else node_hash(made, step)
            assert made == root_hash(node, size)
