"""Keepers: a database as it was at a moment, kept under a name and brought back in milliseconds."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from psycopg import sql

from tests.fixtures_servers import PostgresServer


class Keeper(Protocol):
    """Keeps a database as it is at a moment, under a name, and brings it back. Nobody is connected meanwhile."""

    url: str

    def keep(self, name: str) -> None: ...

    def bring_back(self, name: str) -> None: ...


@dataclass
class SqliteKeeper:
    """Keeps an SQLite database by copying its file."""

    folder: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'story.db'}"

    def keep(self, name: str) -> None:
        shutil.copyfile(self.folder / "story.db", self.folder / f"{name}.kept")

    def bring_back(self, name: str) -> None:
        for rest in ("story.db-wal", "story.db-shm"):
            (self.folder / rest).unlink(missing_ok=True)
        shutil.copyfile(self.folder / f"{name}.kept", self.folder / "story.db")


@dataclass
class PostgresKeeper:
    """Keeps a PostgreSQL database as a template of its own."""

    server: PostgresServer
    name: str
    kept: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def create(self) -> None:
        """Begin with an empty one."""
        self.server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.name)))

    def keep(self, name: str) -> None:
        self.kept.append(name)
        self._copy(self.name, f"{self.name} {name}")

    def bring_back(self, name: str) -> None:
        self._copy(f"{self.name} {name}", self.name)

    def drop(self) -> None:
        """Leave nothing on the server."""
        for name in (self.name, *(f"{self.name} {name}" for name in self.kept)):
            self._drop(name)

    def _copy(self, source: str, target: str) -> None:
        self._drop(target)
        names = {"source": sql.Identifier(source), "target": sql.Identifier(target)}
        self.server.execute(sql.SQL("CREATE DATABASE {target} TEMPLATE {source}").format(**names))

    def _drop(self, name: str) -> None:
        self.server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
