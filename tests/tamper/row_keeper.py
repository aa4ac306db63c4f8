"""A PostgreSQL database that keeps its own rows: copying them back is faster than copying a whole database."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from portal.tables import METADATA


@dataclass
class RowKeeper:
    """Keeps every table's rows in a schema of the moment's name."""

    url: str

    def keep(self, name: str) -> None:
        copies = "; ".join(
            f'CREATE TABLE "{name}"."{table}" AS TABLE public."{table}"' for table in METADATA.tables
        )
        self._run(f'CREATE SCHEMA "{name}"; {copies}')

    def bring_back(self, name: str) -> None:
        """Triggers and foreign keys do not fire for a replica, so the append-only tables can be changed too."""
        rows = "; ".join(
            f'DELETE FROM public."{table}"; INSERT INTO public."{table}" SELECT * FROM "{name}"."{table}"'
            for table in METADATA.tables
        )
        self._run(f"SET LOCAL session_replication_role = replica; {rows}")

    def _run(self, statements: str) -> None:
        with psycopg.connect(self.url.replace("+psycopg", "")) as connection:
            connection.execute(statements)  # type: ignore[call-overload]
