"""The PostgreSQL connector over a server of its own, as a role that may give two roles on and no more."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import psycopg

from catalog.fulfilment.connectors.contract import Beneficiary, Order
from catalog.fulfilment.connectors.postgresql import PostgresqlConnector
from tests.catalog.fulfilment.connectors.case import ConnectorCase
from tests.fixtures_servers import PostgresServer

BEATRIZ = Beneficiary("beatriz.sousa", "Beatriz Sousa", "beatriz.sousa@meridian.example")
TARGET = """
    CREATE ROLE portal LOGIN;
    CREATE ROLE "CRM readers"; COMMENT ON ROLE "CRM readers" IS 'Read the customer tables';
    CREATE ROLE "a ""quoted""; role";
    CREATE ROLE unmanaged;
    CREATE ROLE mighty CREATEROLE;
    CREATE ROLE "beatriz.sousa" LOGIN;
    CREATE ROLE "mei-ling.chen" LOGIN;
    GRANT "CRM readers", "a ""quoted""; role", mighty TO portal WITH ADMIN OPTION;
    GRANT unmanaged TO portal;
    GRANT "CRM readers" TO "mei-ling.chen";
"""
#: Everything that a test may have left, but for the server's own.
CLEAN = """
    DO $$ DECLARE left_over text; BEGIN
        DROP TABLE IF EXISTS customer;
        FOR left_over IN SELECT quote_ident(rolname) FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'
        LOOP EXECUTE 'DROP OWNED BY ' || left_over || ' CASCADE'; END LOOP;
        FOR left_over IN SELECT quote_ident(rolname) FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'
        LOOP EXECUTE 'DROP ROLE ' || left_over; END LOOP;
    END $$;
"""
_MEMBERS = """
    SELECT roleid::regrole::text, member::regrole::text, grantor::regrole::text, admin_option
    FROM pg_auth_members ORDER BY 1, 2, 3
"""


@lru_cache(maxsize=1)
def _server() -> PostgresServer:
    """One server for all tests of this process: making one takes longer than all that they ask of it."""
    # A unix socket's path may have 107 bytes at most, so it does not lie in a test's own folder.
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="cs-pg-")))
    server.create()
    server.start()
    atexit.register(shutil.rmtree, server.folder, ignore_errors=True)
    atexit.register(server.stop)
    return server


@contextmanager
def running(role: str = "portal") -> Iterator[tuple[PostgresServer, str]]:
    """A server with a handful of roles, and how the portal reaches it."""
    server = _server()
    if server.process is None:
        server.start()
    server.execute_many(CLEAN + TARGET)
    yield server, f"host={server.folder} user={role} dbname=postgres"


def members(server: PostgresServer) -> list[tuple[object, ...]]:
    """Every membership that the server has."""
    with psycopg.connect(host=str(server.folder), user="postgres", dbname="postgres") as db:
        return db.execute(_MEMBERS).fetchall()


@contextmanager
def _case(folder: Path, *, role: str) -> Iterator[ConnectorCase]:
    with running() as (server, conninfo):
        order = Order("SR-000007", "grant", {"role": role}, BEATRIZ)
        yield ConnectorCase(
            connector=PostgresqlConnector(conninfo, timeout=5.0),
            order=order,
            bad_orders=(
                replace(order, parameters={"role": "No such role"}),
                replace(order, parameters={"role": "unmanaged"}),
                replace(order, parameters={"role": "mighty"}),
                replace(order, parameters={"role": "pg_read_all_data"}),
                replace(order, parameters={"role": "mei-ling.chen"}),
                replace(order, parameters={"role": "x\x00"}),
                replace(order, parameters={"role": "CRM readers" + " " * 60}),
                replace(order, parameters={"role": 7}),
                replace(order, beneficiary=Beneficiary("", "Nobody", "")),
                replace(order, beneficiary=Beneficiary("nobody.here", "Nobody", "")),
                replace(order, beneficiary=Beneficiary("CRM readers", "A role that cannot sign in", "")),
            ),
            snapshot=lambda: members(server),
            take_target_away=server.stop,
            patience=4.0,
        )


CASES = {
    "postgresql-role": partial(_case, role="CRM readers"),
    "postgresql-quoted": partial(_case, role='a "quoted"; role'),
}
