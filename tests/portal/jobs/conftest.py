"""A database with the task table, a clock that the test moves, and a workshop with handlers of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portal.core.database import Base, Database
from portal.core.settings import Settings
from portal.jobs import Handler, Task, Workshop
from portal.jobs.runner import OnSetAside, tell_nobody


class MovableClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        """Let time pass."""
        self.time += timedelta(**by)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def db(database_url: str, clock: MovableClock) -> Iterator[Database]:
    database = Database(database_url, clock=clock)
    Base.metadata.create_all(database.engine, tables=[Task.__table__])
    yield database
    database.dispose()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment({"COUNTERSIGN_HOME": str(tmp_path / "home")})


@pytest.fixture
def workshop(db: Database, settings: Settings) -> Callable[..., Workshop]:
    """Makes a workshop from handlers by kind."""

    def make(
        on_set_aside: OnSetAside = tell_nobody, lease_seconds: float = 30.0, **handlers: Handler
    ) -> Workshop:
        return Workshop(
            db=db,
            settings=settings,
            handlers=handlers,
            on_set_aside=on_set_aside,
            lease_seconds=lease_seconds,
        )

    return make
