"""Rows against their seals: what goes through the portal is sealed however it is written, and nothing else fits."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, func, insert, select, text, update

from portal.audit import record
from portal.audit.model import Entry, PersonalValue, RowSalt, SealedRow
from portal.audit.sealed_tables import SEALED, UNSEALED
from portal.audit.sealing import GONE
from portal.core.database import Database
from portal.identity.actor import PORTAL
from portal.identity.model import Group, Membership, Person, Unit
from portal.tables import METADATA
from reports.records.found import RecordFinding
from reports.records.verify import verify_records
from tests.fixtures_people import Cast


def found(db: Database) -> list[RecordFinding]:
    return verify_records(db, store=None, evidence=None)


def past_the_portal(db: Database, statement: str) -> None:
    """As somebody does who has the database's own command line."""
    with db.engine.begin() as connection:
        connection.execute(text(statement))


def entries(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(Entry)) or 0


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_each_table_is_sealed_or_it_is_said_why_not(table: str) -> None:
    assert (table in SEALED) != (table in UNSEALED), "name it in portal/audit/sealed_tables.py"
    assert set(SEALED.get(table, ())) <= {column.name for column in METADATA.tables[table].columns}


def test_nothing_is_named_that_is_no_table() -> None:
    assert set(SEALED) | set(UNSEALED) == set(METADATA.tables)


def test_what_the_portal_writes_fits(db: Database, cast: Cast) -> None:
    with db.transaction() as session:
        session.get_one(Person, cast.manager).title = "Team lead"
        session.add(Group(slug="new", name="New", roles=["auditor"]))
    with db.transaction() as session:
        session.execute(update(Person).where(Person.id == cast.owner).values(active=False))
        session.execute(delete(Membership).where(Membership.person_id == cast.owner))
    assert found(db) == []
    with db.reading() as session:
        gone = session.scalar(select(func.count()).where(SealedRow.seal == GONE))
    assert gone == 4


@pytest.mark.parametrize(
    ("statement", "table", "says"),
    [
        ("UPDATE person SET name = 'Mallory' WHERE id = {manager}", "person", "was changed past the portal"),
        ("UPDATE unit SET settings = '{{\"a\": 1}}' WHERE slug = 'lisbon'", "unit", "was changed past the portal"),
        ("DELETE FROM membership WHERE person_id = {security}", "membership", "is missing"),
        ("INSERT INTO membership (group_id, person_id) SELECT group_id, {outsider} FROM membership"
         " WHERE person_id = {compliance}", "membership", "was added past the portal"),
    ],
)  # fmt: skip
def test_what_somebody_writes_past_it_is_named(
    db: Database, cast: Cast, statement: str, table: str, says: str
) -> None:
    past_the_portal(db, statement.format(**cast.ids))
    findings = found(db)
    assert findings
    assert {finding.table for finding in findings} == {table}
    assert all(says in finding.sentence for finding in findings)


@pytest.mark.on_sqlite
def test_an_older_state_that_is_put_back_with_its_seal_is_found(db: Database, cast: Cast) -> None:
    with db.reading() as session:
        old = session.get_one(RowSalt, ("person", str(cast.manager))).salt
    with db.transaction() as session:
        session.get_one(Person, cast.manager).active = False
    changed = entries(db)
    past_the_portal(db, f"UPDATE person SET active = true WHERE id = {cast.manager}")
    past_the_portal(
        db,
        f"UPDATE row_salt SET salt = x'{old.hex()}' WHERE table_name = 'person' AND row_key = '{cast.manager}'",
    )
    (finding,) = found(db)
    assert (finding.table, finding.key, finding.entry) == ("person", str(cast.manager), changed)
    past_the_portal(db, "DROP TRIGGER ledger_row_no_delete")
    past_the_portal(db, f"DELETE FROM ledger_row WHERE table_name = 'person' AND entry_number = {changed}")
    (finding,) = found(db)
    assert (finding.table, finding.entry) == ("ledger_row", changed)


@pytest.mark.on_sqlite
def test_what_was_undone_in_its_own_transaction_leaves_no_seal(db: Database) -> None:
    with db.transaction() as session:
        record(session, "thing:done", subject="thing:1", actor=PORTAL)
        with session.begin_nested() as inner:
            session.add(Unit(slug="never", name="Never"))
            session.flush()
            inner.rollback()
        unit = Unit(slug="short", name="Short")
        session.add(unit)
        session.flush()
        session.delete(unit)
    with db.reading() as session:
        assert session.scalars(select(SealedRow)).all() == []
        assert "rows" not in session.get_one(Entry, 1).body
    assert found(db) == []


@pytest.mark.on_sqlite
def test_what_says_nothing_makes_no_entry(db: Database, cast: Cast) -> None:
    before = entries(db)
    with db.transaction() as session:
        session.get_one(Person, cast.manager).daily_mail = True
        session.execute(update(Person).where(Person.id == cast.owner).values(language="de"))
    assert entries(db) == before
    assert found(db) == []


@pytest.mark.on_sqlite
def test_rows_cannot_be_written_in_bulk_past_the_ledger(db: Database) -> None:
    with pytest.raises(RuntimeError, match="unit"), db.transaction() as session:
        session.execute(insert(Unit).values(slug="bulk", name="Bulk"))


@pytest.mark.on_sqlite
def test_an_erased_value_is_no_alarm_and_a_stolen_one_is(db: Database) -> None:
    for number in (1, 2):
        with db.transaction() as session:
            record(
                session,
                "thing:done",
                subject=f"thing:{number}",
                actor=PORTAL,
                personal={"why": "Rosa asked."},
            )
    with db.transaction() as session:
        session.execute(delete(PersonalValue).where(PersonalValue.entry_number == 1))
        record(session, "thing:erased", subject="thing:1", actor=PORTAL)
    assert found(db) == []
    past_the_portal(db, "DELETE FROM personal_value WHERE entry_number = 2")
    (finding,) = found(db)
    assert finding.entry == 2
    assert "“why”" in finding.sentence


@pytest.mark.on_sqlite
def test_no_seal_tells_what_a_row_once_said(db: Database, cast: Cast) -> None:
    with db.transaction() as session:
        session.get_one(Person, cast.manager).name = "Another name"
    with db.reading() as session:
        key = (SealedRow.table_name == "person") & (SealedRow.row_key == str(cast.manager))
        assert session.scalar(select(func.count()).where(key)) == 2
        salts = select(func.count()).where(
            RowSalt.table_name == "person", RowSalt.row_key == str(cast.manager)
        )
        assert session.scalar(salts) == 1


@pytest.mark.on_sqlite
def test_progress_reaches_the_end(db: Database, cast: Cast) -> None:
    told: list[tuple[int, int]] = []
    verify_records(db, store=None, evidence=None, progress=lambda done, total: told.append((done, total)))
    assert told
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
