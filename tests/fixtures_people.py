"""The named cast, a clock that stands still, and a database of each kind with every table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.database import Database
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person, Unit
from portal.tables import METADATA
from tests.fixtures_once import lay_tables, written_once
from tests.fixtures_servers import PostgresServer

ISSUER = "https://sso.test"
#: A Wednesday, 10:00 in Berlin.
MORNING = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
MFA = "urn:countersign:acr:mfa"


@dataclass
class StandingClock:
    """A clock that moves only when it is told to, or by a `tick` whenever it is looked at."""

    time: datetime = MORNING
    tick: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        self.time += self.tick
        return self.time

    def pass_time(self, **parts: float) -> None:
        """Let time pass, such as `minutes=16`."""
        self.time += timedelta(**parts)


@dataclass(frozen=True)
class Cast:
    """The people of every story. Ids only, so that no test holds a row of a closed session."""

    requester: int
    manager: int
    head: int
    owner: int
    second_owner: int
    security: int
    compliance: int
    operator: int
    auditor: int
    outsider: int
    leaver: int
    ids: dict[str, int] = field(default_factory=dict)


PEOPLE = {
    # key: (name, unit, manager, groups)
    "head": ("Hanna Head", "holding", None, ("unit-heads",)),
    "manager": ("Milo Manager", "holding", "head", ()),
    "requester": ("Rosa Requester", "holding", "manager", ()),
    "owner": (
        "Olga Owner",
        "holding",
        "head",
        ("crm-owners", "erp-owners", "pki-owners", "network-security"),
    ),
    "second_owner": ("Otto Owner", "holding", "head", ("crm-owners", "pki-owners", "network-security")),
    "security": ("Sami Security", "holding", "head", ("security", "network-security")),
    "compliance": ("Cora Compliance", "holding", "head", ("compliance",)),
    "operator": ("Oskar Operator", "holding", "head", ("operators", "catalogue-owners")),
    "auditor": ("Ada Auditor", "holding", "head", ("auditors",)),
    "outsider": ("Ola Outsider", "lisbon", "head", ()),
    "leaver": ("Lena Leaver", "holding", "manager", ("crm-owners",)),
}
GROUPS = {
    "crm-owners": [],
    "erp-owners": [],
    "pki-owners": [],
    "network-security": [],
    "unit-heads": [],
    "security": ["security"],
    "compliance": ["compliance"],
    "operators": ["operator"],
    "catalogue-owners": ["catalogue_owner"],
    "auditors": ["auditor"],
}


def add_cast(session: Session) -> dict[str, int]:
    """Write the cast; gives each one's id by their part."""
    holding = Unit(slug="holding", name="Holding", timezone="Europe/Berlin", country="DE")
    session.add(holding)
    session.flush()
    lisbon = Unit(slug="lisbon", name="Lisbon", parent_id=holding.id, timezone="Europe/Lisbon", country="PT")
    session.add(lisbon)
    groups = {
        slug: Group(slug=slug, name=slug.replace("-", " "), roles=roles) for slug, roles in GROUPS.items()
    }
    session.add_all(groups.values())
    session.flush()
    units = {"holding": holding, "lisbon": lisbon}
    people: dict[str, Person] = {}
    for part, (name, unit, _, _) in PEOPLE.items():
        user_name = name.lower().replace(" ", ".")
        people[part] = Person(
            issuer=ISSUER,
            subject=f"s-{part}",
            user_name=user_name,
            name=name,
            email=f"{user_name}@meridian.example",
            unit_id=units[unit].id,
            timezone=units[unit].timezone,
            active=part != "leaver",
        )
    session.add_all(people.values())
    session.flush()
    for part, (_, _, manager, member_of) in PEOPLE.items():
        people[part].manager_id = people[manager].id if manager else None
        session.add_all(Membership(group_id=groups[slug].id, person_id=people[part].id) for slug in member_of)
    holding.head_id = people["head"].id
    return {part: person.id for part, person in people.items()}


@pytest.fixture
def clock() -> StandingClock:
    """The portal's time in this test."""
    return StandingClock()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of a portal whose data folder is this test's own."""
    return Settings.from_environment(
        {"COUNTERSIGN_HOME": str(tmp_path / "home"), "DATABASE_URL": database_url, "OIDC_ISSUER": ISSUER}
    )


@dataclass
class StandingPostgres:
    """A PostgreSQL database whose tables are made once; making them takes a second, emptying them a few milliseconds."""

    server: PostgresServer
    make: Callable[[], tuple[str, str]]
    name: str = ""
    url: str = ""
    shape: tuple[object, ...] = ()

    def emptied(self) -> str:
        """Its address, after everybody else has left it and every row is gone."""
        if self.name:
            with psycopg.connect(
                host=str(self.server.folder), user="postgres", dbname=self.name
            ) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                if self._shape(connection) == self.shape:
                    connection.execute(_EMPTY)
                    return self.url
        # The first time, and after a test that changed tables or triggers.
        self.name, self.url = self.make()
        database = Database(self.url)
        METADATA.create_all(database.engine)
        database.dispose()
        with psycopg.connect(host=str(self.server.folder), user="postgres", dbname=self.name) as connection:
            self.shape = self._shape(connection)
        return self.url

    @staticmethod
    def _shape(connection: psycopg.Connection[tuple[object, ...]]) -> tuple[object, ...]:
        """What tells that a test changed more than rows."""
        row = connection.execute(_SHAPE).fetchone()
        assert row is not None
        return row


#: Triggers and foreign keys do not fire for a replica, so the append-only tables can be emptied too.
_EMPTY = (
    "SET LOCAL session_replication_role = replica; "
    + "; ".join(f'DELETE FROM "{table}"' for table in METADATA.tables)
    + "; SELECT setval(quote_ident(relname)::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
)
_SHAPE = """
    SELECT (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'),
           (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
           (SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
             WHERE c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped),
           (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
           (SELECT count(*) FROM pg_constraint),
           (SELECT count(*) FROM pg_roles)
"""


@pytest.fixture(scope="session")
def standing_postgres(
    postgres_server: PostgresServer, postgres_databases: Callable[[], tuple[str, str]]
) -> StandingPostgres:
    """The one that this test process empties and uses again."""
    return StandingPostgres(postgres_server, postgres_databases)


@pytest.fixture
def standing_postgres_url(standing_postgres: StandingPostgres) -> str:
    """A database with every table and no row."""
    return standing_postgres.emptied()


@pytest.fixture
def db(database_url: str, clock: StandingClock) -> Iterator[Database]:
    """A database with every table, of each kind in turn; no event handlers."""
    database = Database(database_url, clock=clock)
    lay_tables(database)
    yield database
    database.dispose()


@pytest.fixture
def cast(db: Database) -> Cast:
    """The named cast, written into `db`."""

    def write() -> Cast:
        with db.transaction() as session:
            ids = add_cast(session)
        return Cast(**ids, ids=ids)

    return written_once(db, "cast", write)


@pytest.fixture
def actor_of(db: Database, clock: StandingClock) -> Callable[..., Actor]:
    """Gives a person, by id, as the actor of a session that signed in just now."""

    def make(person_id: int, *, acr: str = MFA, signed_in: datetime | None = None) -> Actor:
        with db.reading() as session:
            person = session.get_one(Person, person_id)
            rows = session.execute(
                select(Group.id, Group.roles)
                .join(Membership, Membership.group_id == Group.id)
                .where(Membership.person_id == person_id)
            ).all()
            return Actor(
                name=person.name,
                person_id=person.id,
                issuer=person.issuer,
                subject=person.subject,
                unit_id=person.unit_id,
                roles=frozenset({"person", *(role for _, roles in rows for role in roles)}),
                group_ids=frozenset(group_id for group_id, _ in rows),
                session_id=1,
                auth_time=signed_in or clock(),
                acr=acr,
                amr=("pwd", "otp"),
                timezone=person.timezone,
            )

    return make
