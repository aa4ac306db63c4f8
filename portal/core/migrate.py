"""Migrations: the database's structure, brought to this version by Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from portal.core.database import make_engine, normalised_url
from portal.core.errors import SettingsError
from portal.core.settings import Settings

SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(settings: Settings) -> None:
    """Bring the database to this version. Raises SettingsError with a sentence when that cannot be done."""
    _make_folder(settings.database_url)
    engine = make_engine(settings.database_url)
    try:
        with engine.connect() as connection:
            refuse_foreign(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except OperationalError as error:
        message = f"The database does not answer ({_first_line(error)}); check DATABASE_URL and that it runs."
        raise SettingsError(message) from error
    finally:
        engine.dispose()


def revision_of(engine: Engine) -> str | None:
    """The revision that the database is at; None when it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision that this version needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def require_head(settings: Settings) -> None:
    """Raise SettingsError unless the database is at this version's revision."""
    engine = make_engine(settings.database_url)
    try:
        with engine.connect() as connection:
            refuse_foreign(connection)
            current = MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        message = f"The database does not answer ({_first_line(error)}); check DATABASE_URL and that it runs."
        raise SettingsError(message) from error
    finally:
        engine.dispose()
    if current != head():
        message = f"The database is at {current or 'nothing yet'}, this version needs {head()}; run: countersign db upgrade"
        raise SettingsError(message)


def refuse_foreign(connection: Connection) -> None:
    """Raise SettingsError for a database of a newer version, or one that holds something else."""
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        tables = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
        if tables:
            message = f"The database holds tables that are not ours (such as {tables[0]!r}); give the portal its own."
            raise SettingsError(message)
        return
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if current not in known:
        message = (
            f"The database is at {current}, which a newer version of Countersign wrote; install that version."
        )
        raise SettingsError(message)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config


def _make_folder(url: str) -> None:
    parsed = make_url(normalised_url(url))
    if parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True, mode=0o700)


def _first_line(error: OperationalError) -> str:
    return str(error.orig or error).strip().splitlines()[0]
