"""Recording: in the same transaction, gap-free, and nobody can change it afterwards."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from portal.audit import record
from portal.audit.merkle import inclusion_proof, root_from_inclusion, root_hash
from portal.audit.model import APPEND_ONLY, Entry, PersonalValue
from portal.audit.tree import node_reader
from portal.core.database import Database
from portal.identity.actor import PORTAL
from portal.identity.model import Unit


def write(db: Database, count: int, **facts: object) -> None:
    for number in range(count):
        with db.transaction() as session:
            record(
                session,
                "thing:done",
                subject=f"thing:{number}",
                actor=PORTAL,
                facts={"n": number, **facts},
                personal={"reason": f"because {number}"},
            )


def test_an_entry_commits_with_what_it_tells_of(db: Database) -> None:
    write(db, 1)
    with db.reading() as session:
        entry = session.get_one(Entry, 1)
        body = json.loads(entry.body)
    assert body["facts"] == {"n": 0}
    assert body["actor"] == "portal"
    assert body["personal"]["reason"].startswith("hmac-sha256:")


def test_personal_values_stay_outside_the_tree(db: Database) -> None:
    write(db, 1)
    with db.reading() as session:
        assert "because" not in session.get_one(Entry, 1).body
        assert session.get_one(PersonalValue, (1, "reason")).value == "because 0"


def test_a_failed_action_leaves_no_entry_and_no_gap(db: Database) -> None:
    write(db, 1)
    with pytest.raises(RuntimeError), db.transaction() as session:
        record(session, "thing:done", subject="thing:x", actor=PORTAL)
        raise RuntimeError
    write(db, 1)
    with db.reading() as session:
        assert session.scalars(select(Entry.number).order_by(Entry.number)).all() == [1, 2]


def test_an_entry_that_cannot_be_written_fails_the_action(db: Database) -> None:
    with pytest.raises(ValueError, match="nan"), db.transaction() as session:
        session.execute(text("CREATE TABLE done (x INTEGER)"))
        record(session, "thing:done", subject="thing:x", actor=PORTAL, facts={"n": float("nan")})
    with db.reading() as session, pytest.raises(DBAPIError):
        session.execute(text("SELECT * FROM done"))


def test_entries_of_many_threads_are_numbered_without_a_gap(db: Database) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            write(db, 5)
        except BaseException as error:  # noqa: BLE001  (told to the test below)
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with db.reading() as session:
        assert session.scalars(select(Entry.number).order_by(Entry.number)).all() == list(range(1, 41))


def test_the_stored_tree_proves_every_entry(db: Database) -> None:
    write(db, 21)
    with db.reading() as session:
        node = node_reader(session)
        root = root_hash(node, 21)
        for entry in session.scalars(select(Entry)):
            proof = inclusion_proof(node, entry.number - 1, 21)
            assert root_from_inclusion(entry.leaf_hash, entry.number - 1, 21, proof) == root


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_the_database_itself_refuses_to_change_the_ledger(
    db: Database, table: str, verb: str, tmp_path: Path
) -> None:
    write(db, 2)
    column = {
        "ledger_entry": "body",
        "ledger_node": "hash",
        "ledger_checkpoint": "note",
        "ledger_row": "seal",
    }[table]
    if table == "ledger_row":
        with db.transaction() as session:
            session.add(Unit(slug="hq", name="Headquarters"))
    if table == "ledger_checkpoint":
        with db.transaction() as session:
            session.execute(
                text("INSERT INTO ledger_checkpoint (size, root, note, at) VALUES (1, :root, 'n', :at)"),
                {"root": b"r", "at": "2026-01-01 00:00:00+00:00"},
            )
    with pytest.raises(DBAPIError, match="append-only"), db.transaction() as session:
        session.execute(text(verb.format(table, column)))


def test_postgresql_refuses_to_truncate_the_ledger(postgres_url: str) -> None:
    db = Database(postgres_url)
    Entry.metadata.create_all(db.engine)
    write(db, 1)
    with pytest.raises(DBAPIError, match="append-only"), db.transaction() as session:
        session.execute(text("TRUNCATE ledger_entry"))
    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Entry)) == 1
    db.dispose()
