"""A portal with a past: requests that went every way, a row in each sealed table, files, and published checkpoints."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import JSON, Boolean, Date, Integer, LargeBinary, String, Table, func, select
from sqlalchemy.orm import Session

from catalog.attachments.model import Attachment
from catalog.attachments.store import FolderStore
from catalog.offerings.publish import publish
from catalog.requests.model import Request
from portal.audit.checkpoint import Signer, checkpoint
from portal.audit.model import Entry
from portal.audit.sealed_tables import SEALED
from portal.audit.verify import verify_ledger
from portal.core.clock import now
from portal.core.database import Base, Database, EnumByValue, UTCDateTime
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person
from portal.tables import METADATA
from reports.evidence.model import EvidenceFile
from reports.records.verify import verify_records
from tests.chaos.keepers import Keeper
from tests.fixtures_people import ISSUER, MFA, Cast, StandingClock, add_cast
from tests.fixtures_requests import OFFERING, ManagerRouter, ShelfConnector, Shelves
from tests.reports.conftest import EvidenceWorld, make_world

WAYS: tuple[str, ...] = (
    "fulfilled", "rejected", "withdrawn", "failed", "replanned", "edited", "half_there", "by_policy", "waiting", "refused",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A finding of either verification."""

    entry: int | None
    sentence: str
    table: str = ""
    key: str = ""


@dataclass
class Estate:
    """The portal, where its database is kept, and what lies on disk."""

    world: EvidenceWorld
    keeper: Keeper
    folder: Path
    #: Rows and salts of sealed tables as they were early in the story, by table and key.
    early: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    early_size: int = 0

    @property
    def db(self) -> Database:
        return self.world.db

    @property
    def home(self) -> Path:
        return self.world.bench.settings.home

    @property
    def signer(self) -> Signer:
        return self.world.bench.signer

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.home / "attachments")

    def keep(self, name: str) -> None:
        """The database and the files, under a name."""
        self.db.dispose()
        self.keeper.keep(name)
        shutil.copytree(self.home, self.folder / f"{name}.home", dirs_exist_ok=True)

    def bring_back(self, name: str, *, files: bool = True) -> None:
        """Both are as they were; the files may stay as they are."""
        self.db.dispose()
        self.keeper.bring_back(name)
        if files:
            shutil.rmtree(self.home)
            shutil.copytree(self.folder / f"{name}.home", self.home)

    def size(self) -> int:
        with self.db.reading() as session:
            return session.scalar(select(func.max(Entry.number))) or 0

    def verify(self) -> list[Found]:
        """What `countersign audit verify` finds: the ledger first, and then what stands beside it."""
        ledger = verify_ledger(
            self.db, name=self.signer.name, keys=self.signer.public_keys, folder=self.signer.folder
        )
        if not ledger.holds:
            return [Found(finding.entry, finding.sentence) for finding in ledger.findings]
        records = verify_records(self.db, store=self.store, evidence=self.world.bench.folder)
        return [Found(one.entry, one.sentence, one.table, one.key) for one in records]


def make_estate(keeper: Keeper, folder: Path) -> Estate:
    """An empty portal; its people and one offering are there."""
    clock = StandingClock()
    db = Database(keeper.url, clock=clock)
    METADATA.create_all(db.engine)
    settings = Settings.from_environment(
        {"COUNTERSIGN_HOME": str(folder / "home"), "DATABASE_URL": keeper.url, "OIDC_ISSUER": ISSUER}
    )
    with db.transaction() as session:
        ids = add_cast(session)
    cast = Cast(**ids, ids=ids)
    told: list[Any] = []
    shelves = Shelves(
        db, settings, 0, ShelfConnector(), ShelfConnector(kind="rack"), ManagerRouter(cast.manager), told
    )
    return Estate(make_world(shelves, cast, clock, actors(db, clock)), keeper, folder)


def actors(db: Database, clock: StandingClock) -> Callable[..., Actor]:
    """Gives a person, by id, signed in just now."""

    def make(person_id: int) -> Actor:
        with db.reading() as session:
            person = session.get_one(Person, person_id)
            groups = session.execute(
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
            roles=frozenset({"person", *(role for _, roles in groups for role in roles)}),
            group_ids=frozenset(group for group, _ in groups),
            session_id=1,
            auth_time=clock(),
            acr=MFA,
            amr=("pwd", "otp"),
            timezone=person.timezone,
        )

    return make


def live_through(estate: Estate, ways: Sequence[str]) -> None:
    """Let requests go these ways, one after the other, with a checkpoint after each."""
    offering = estate.world.shelves.version_id
    for way in ways:
        # One word is on the shelf once; a request for it again would be another story.
        for target in (estate.world.shelves.shelf, estate.world.shelves.rack):
            target.shelf.clear()
        getattr(estate.world, way)()
        estate.world.shelves.version_id = offering
        estate.world.clock.pass_time(hours=3)
        checkpoint(estate.db, estate.signer)


def fill(estate: Estate) -> None:
    """A row in each sealed table that the stories left empty, two files, and the checkpoint over all."""
    for table in METADATA.sorted_tables:
        if table.name in SEALED:
            with estate.db.transaction() as session:
                if not session.scalar(select(func.count()).select_from(table)):
                    session.add(_row(session, table))
    digest = estate.store.put(b"a plan of the house")
    evidence = b"%PDF-1.7 stands for an evidence file, which takes seconds to make"
    name = hashlib.sha256(evidence).hexdigest()
    estate.world.bench.folder.mkdir(parents=True, exist_ok=True)
    (estate.world.bench.folder / f"{name}.pdf").write_bytes(evidence)
    with estate.db.transaction() as session:
        request_id = session.scalars(select(Request.id).order_by(Request.id)).first()
        assert request_id is not None
        session.add(
            Attachment(
                digest=digest,
                size=19,
                kind="pdf",
                name="plan.pdf",
                uploader_id=estate.world.cast.requester,
                created_at=now(session),
                request_id=request_id,
            )
        )
        session.add(
            EvidenceFile(
                request_id=request_id,
                story="sha256:1",
                language="en",
                checkpoint_size=1,
                note="",
                digest=f"sha256:{name}",
                bytes=len(evidence),
                made_at=now(session),
            )
        )
    checkpoint(estate.db, estate.signer)


def _row(session: Session, table: Table) -> Any:
    kind = next(mapper.class_ for mapper in Base.registry.mappers if mapper.local_table is table)
    values: dict[str, Any] = {}
    for column in table.columns:
        if column.nullable or (column.primary_key and column.autoincrement is True):
            continue
        if column.primary_key and not column.foreign_keys and isinstance(column.type, Integer):
            continue
        values[column.key] = _value(session, table, column)
    if table.name == "asset":
        values["owner_id"] = session.scalars(select(Person.id).order_by(Person.id)).first()
    if table.name == "change_restriction":
        values["scope"] = "all"
    if table.name == "standing_approval":
        values["uses"] = 9
    return kind(**values)


def _value(session: Session, table: Table, column: Any) -> Any:  # noqa: PLR0911  (one line a type)
    for key in column.foreign_keys:
        if key.column.table is not table:
            return session.scalars(select(key.column).order_by(key.column).limit(1)).first()
    kind = column.type
    if isinstance(kind, EnumByValue):
        return next(iter(kind.kind))
    if isinstance(kind, UTCDateTime):
        return now(session) + timedelta(days=1)
    if isinstance(kind, Date):
        return date(2026, 12, 1)
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, JSON):
        return (
            []
            if column.name
            in {
                "transports",
                "amr",
                "times",
                "seats",
                "changes",
                "addresses",
                "scopes",
                "units",
                "offerings",
                "controls",
                "warnings",
            }
            else {}
        )
    if isinstance(kind, LargeBinary):
        return b"bytes"
    if isinstance(kind, String) or "Text" in type(kind).__name__:
        return f"{table.name}-{column.name}"[: getattr(kind, "length", None) or 40]
    return 1


def build(keeper: Keeper, folder: Path) -> Estate:
    """The estate for tampering: its early state is kept as `early`, and the end as `clean`."""
    estate = make_estate(keeper, folder)
    with estate.db.transaction() as session:
        # A version that nobody uses, so that a version can be changed without any request.
        text = yaml.safe_dump({**OFFERING, "slug": "words-unused"})
        publish(session, estate.world.actor_of(estate.world.cast.operator), text, "unused.yaml")
    live_through(estate, ("waiting", "fulfilled", "rejected"))
    estate.early_size = estate.size()
    estate.keep("early")
    _remember(estate)
    _go_on(estate)
    live_through(estate, ("edited", "failed", "withdrawn", "by_policy"))
    fill(estate)
    estate.keep("clean")
    return estate


def _go_on(estate: Estate) -> None:
    """Rows of the early state change in an orderly way, so that an older state of them exists."""
    world = estate.world
    with world.db.reading() as session:
        waiting = session.scalars(select(Request.id).order_by(Request.id)).first()
    assert waiting is not None
    world.decide(waiting, world.cast.manager)
    world.shelves.work()
    with world.db.transaction() as session:
        person = session.get_one(Person, world.cast.outsider)
        person.title = "Head of nothing"


def _remember(estate: Estate) -> None:
    with estate.db.reading() as session:
        for name in SEALED:
            table = METADATA.tables[name]
            for row in session.execute(select(table)):
                key = "/".join(str(row._mapping[column]) for column in table.primary_key)
                estate.early[name, key] = dict(row._mapping)


def random_ways(seed: int) -> list[str]:
    """A story of its own for each seed."""
    chance = random.Random(f"story {seed}")
    return [chance.choice(WAYS) for _ in range(chance.randint(1, 3))]
