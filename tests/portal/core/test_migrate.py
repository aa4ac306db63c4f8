"""The migrations lead to exactly the tables of the code, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.core.database import make_engine
from portal.core.errors import SettingsError
from portal.core.migrate import head, require_head, revision_of, upgrade
from portal.core.settings import Settings
from portal.tables import APPEND_ONLY, METADATA


def test_an_empty_database_is_brought_to_the_tables_of_the_code(settings: Settings) -> None:
    upgrade(settings)
    engine = make_engine(settings.database_url)
    try:
        assert revision_of(engine) == head()
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": False})
            assert compare_metadata(context, METADATA) == []
    finally:
        engine.dispose()


def test_a_second_upgrade_changes_nothing(settings: Settings) -> None:
    upgrade(settings)
    upgrade(settings)
    require_head(settings)


def test_a_migrated_database_refuses_to_change_the_ledger(settings: Settings) -> None:
    upgrade(settings)
    engine = make_engine(settings.database_url)
    assert "ledger_entry" in APPEND_ONLY
    try:
        with engine.begin() as connection:
            connection.execute(
                text("INSERT INTO ledger_node (level, position, hash) VALUES (0, 0, :hash)"), {"hash": b"x"}
            )
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text("DELETE FROM ledger_node"))
    finally:
        engine.dispose()


def test_a_database_that_is_not_there_yet_says_how_to_make_it(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(exist_ok=True)
    with pytest.raises(SettingsError, match="run: countersign db upgrade"):
        require_head(settings)


def test_a_newer_database_is_left_alone(settings: Settings) -> None:
    upgrade(settings)
    engine = make_engine(settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SettingsError, match="newer version of Countersign"):
        upgrade(settings)


def test_somebody_elses_database_is_left_alone(settings: Settings) -> None:
    engine = make_engine(settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (x INTEGER)"))
    engine.dispose()
    with pytest.raises(SettingsError, match="'theirs'"):
        upgrade(settings)


def test_a_database_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {"COUNTERSIGN_HOME": str(tmp_path), "DATABASE_URL": "postgresql://postgres@127.0.0.1:1/none"}
    )
    with pytest.raises(SettingsError, match="does not answer"):
        upgrade(settings)
