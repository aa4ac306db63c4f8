"""The program that tells beside this process which parts fit: it tells the same, on both databases, or that it is gone."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.audit import record
from portal.audit.fitting import fit, reader
from portal.audit.others import Others
from portal.core.database import Database
from portal.core.language import Said
from portal.identity.actor import PORTAL

WORK = (1, 6, [2, 4], 6)


@pytest.fixture(autouse=True)
def _six_entries(db: Database) -> None:
    for number in range(6):
        with db.transaction() as session:
            personal = {"why": Said({"en": "so", "de": "darum"})} if number % 2 else {"why": "größer"}
            record(session, "thing:done", subject=f"größe:{number}", actor=PORTAL, personal=personal)


def told_here(db: Database) -> object:
    with db.engine.connect() as connection:
        driver = connection.connection.driver_connection
        return fit(reader(driver), db.engine.dialect.name, WORK)


def test_another_process_tells_what_this_one_does(db: Database) -> None:
    others = Others(db.engine, 2)
    try:
        told = [others.give(WORK).result(timeout=60) for _ in range(3)]
        assert told == [told_here(db)] * 3
        assert sorted(told[0].edges) == [2, 4]
        # What no checkpoint covers is for whoever looks with care.
        assert others.give((1, 6, [2, 4], 5)).result(timeout=60) is None
        with db.transaction() as session:
            session.execute(text("UPDATE personal_value SET value = 'smaller' WHERE entry_number = 5"))
        assert told_here(db) is None
        assert others.give(WORK).result(timeout=60) is None
    finally:
        others.close()


def test_a_process_that_is_gone_is_told_of_and_not_waited_for(db: Database) -> None:
    others = Others(db.engine, 1)
    assert others.give(WORK).result(timeout=60) == told_here(db)
    others.close()
    assert isinstance(others.give(WORK).exception(timeout=60), EOFError)
    assert others.waiting == 0
