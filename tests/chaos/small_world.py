"""A whole portal around two shelves in memory, quick to copy: everything that is wired, but no process beside it."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from approvals.decisions.decide import decide
from approvals.decisions.model import Verdict
from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings.model import OfferingVersion
from catalog.requests.checking import check_draft
from catalog.requests.drafts import get_draft, keep, new_token
from catalog.requests.model import Draft, Request
from catalog.requests.submit import submit
from portal.audit.merkle import EMPTY_ROOT
from portal.audit.signer.notary import Notary
from portal.core.database import Database
from portal.core.errors import Conflict
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.jobs import Task, TaskState, run_due
from portal.jobs.doorbell import Doorbell, RedisDoorbell
from portal.jobs.sweep import sweep
from portal.tables import METADATA
from portal.wiring import Portal, build, workshop
from reports.evidence.make import Workbench, introduced_key, make_evidence, record_download
from tests.chaos.calls import Meter, MeteredConnector, meter_database, meter_redis
from tests.chaos.keepers import Keeper
from tests.fixtures_once import engines_of_their_own
from tests.fixtures_people import ISSUER, MFA, StandingClock, add_cast
from tests.fixtures_requests import KEY, ShelfConnector, add_offering

#: Longer than any pause before a task's next try.
A_PAUSE = timedelta(minutes=20)
MOST_ROUNDS = 12


@dataclass(frozen=True)
class Moment:
    """All that is so at one moment of the story beside the database, which is kept under the name."""

    name: str
    time: datetime
    shelf: ShelfConnector
    rack: ShelfConnector


@dataclass
class SmallWorld:
    """One portal, whose every call may be counted."""

    portal: Portal
    clock: StandingClock
    shelf: ShelfConnector
    rack: ShelfConnector
    bell: Doorbell
    meter: Meter
    keeper: Keeper

    @property
    def db(self) -> Database:
        return self.portal.db

    def keep(self, name: str) -> Moment:
        """The moment that this world has come to."""
        self.db.dispose()
        self.keeper.keep(name)
        return Moment(name, self.clock(), copy.deepcopy(self.shelf), copy.deepcopy(self.rack))

    def bring_back(self, moment: Moment) -> None:
        """Everything is as it was at the moment; the keys on disk stay."""
        self.db.dispose()
        self.keeper.bring_back(moment.name)
        self.clock.time = moment.time
        for mine, then in ((self.shelf, moment.shelf), (self.rack, moment.rack)):
            vars(mine).update(vars(copy.deepcopy(then)))
        if isinstance(self.bell, RedisDoorbell):
            self.bell._quiet_until = 0.0  # a Redis that failed in the last run is asked again
            self.bell._redis.connection_pool.disconnect()  # and greeted again, which is a call too
        for folder in (self.portal.signer.folder, self.portal.settings.home / "evidence"):
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(self.portal.signer.desk, Notary):
            self.portal.signer.desk.adopt(0, EMPTY_ROOT)  # what it signed after that moment never was

    def actor(self, part: str) -> Actor:
        """Somebody of the cast, signed in just now."""
        with self.db.reading() as session:
            person = session.scalars(select(Person).where(Person.subject == f"s-{part}")).one()
        return Actor(
            name=person.name,
            person_id=person.id,
            issuer=person.issuer,
            subject=person.subject,
            unit_id=person.unit_id,
            roles=frozenset({"person"}),
            session_id=1,
            auth_time=self.clock(),
            acr=MFA,
            amr=("pwd", "otp"),
            timezone=person.timezone,
        )

    def draft(self) -> None:
        """The form is filled in, with two words."""
        actor = self.actor("requester")
        token = new_token(actor.person_id or 0, KEY)
        answers = {"word": "hello", "second": "world", "reason": "To be read.", "until": "2026-12-18"}
        with self.db.transaction() as session:
            keep(session, token, _version(session), answers, key=KEY)

    def submit(self) -> None:
        """What the form's button does; whoever gets an error presses it again."""

        def press() -> None:
            actor = self.actor("requester")
            with self.db.reading() as session:
                token = session.scalars(select(Draft.token)).one()
                draft = get_draft(session, actor, token)
                checked = check_draft(session, actor, draft, _version(session), self.portal.connectors)
            with self.db.transaction() as session:
                submit(session, actor, checked)

        again_after_an_error(press)

    def approve(self) -> None:
        """What the manager's button does; pressed again it may say that they have decided already."""

        def press() -> None:
            actor = self.actor("manager")
            with self.db.reading() as session:
                seal = session.scalars(select(Request.seal)).one()
            with self.db.transaction() as session:
                decide(
                    session,
                    actor,
                    1,
                    verdict=Verdict.APPROVE,
                    comment="Go on.",
                    seal=seal,
                    settings=self.portal.settings,
                )

        again_after_an_error(press, settled=Conflict)

    def take_evidence(self) -> None:
        """What the page of evidence does."""
        bench = Workbench(self.db, self.portal.settings, self.portal.signer)

        def press() -> None:
            auditor = self.actor("auditor")
            made = make_evidence(bench, "SR-000001")
            made.path.read_bytes()
            with self.db.transaction() as session:
                record_download(session, auditor, made)

        again_after_an_error(press)

    def work(self) -> None:
        """What worker and scheduler do until nothing is due; neither dies of a database that is away."""
        for job in (lambda: sweep(self.db, self.bell), lambda: run_due(workshop(self.portal))):
            try:
                job()
            except SQLAlchemyError:
                continue

    def settle(self) -> int:
        """Let leases and pauses pass until nothing is under way; says how many rounds that took."""
        for rounds in range(MOST_ROUNDS):
            with self.db.transaction() as session:
                soon = self.clock() + A_PAUSE
                open_ones = or_(
                    Task.state == TaskState.RUNNING,
                    and_(Task.state == TaskState.WAITING, Task.run_at <= soon),
                )
                if session.scalars(select(Task.id).where(open_ones)).first() is None:
                    return rounds
                # Not the clock is moved but what waits for it, so that all that tells of times stays the same.
                session.execute(
                    update(Task)
                    .where(Task.state == TaskState.RUNNING)
                    .values(lease_until=datetime.now(UTC) - timedelta(seconds=1))
                )
                session.execute(
                    update(Task)
                    .where(Task.state == TaskState.WAITING, Task.run_at.between(self.clock(), soon))
                    .values(run_at=self.clock())
                )
            self.work()
        raise AssertionError("tasks are still open: " + ", ".join(self.open_tasks()))

    def open_tasks(self) -> list[str]:
        with self.db.reading() as session:
            rows = session.scalars(select(Task).where(Task.state.in_([TaskState.WAITING, TaskState.RUNNING])))
            return sorted(
                f"{task.kind} {task.state} after {task.attempts}: {task.last_error}" for task in rows
            )


def again_after_an_error(press: Callable[[], None], *, settled: type[Exception] | None = None) -> None:
    """A person who is shown an error tries once more; `settled` is how the portal says that it had been done."""
    try:
        press()
    except Exception as first:  # noqa: BLE001  (a person tries again whatever the error was)
        try:
            press()
        except Exception as second:
            if settled is None or not isinstance(second, settled):
                raise second from first


def _version(session: Session) -> OfferingVersion:
    return session.scalars(select(OfferingVersion)).one()


@contextmanager
def small_world(folder: Path, keeper: Keeper, **environment: str) -> Iterator[SmallWorld]:
    """The cast and one offering of two steps, in the keeper's database, which is empty now."""
    settings = Settings.from_environment(
        {"COUNTERSIGN_HOME": str(folder), "DATABASE_URL": keeper.url, "OIDC_ISSUER": ISSUER, **environment}
    )
    clock, meter = StandingClock(), Meter()
    shelf, rack = ShelfConnector(), ShelfConnector(kind="rack")
    with engines_of_their_own():  # its database is metered
        portal = build(settings, clock=clock)
    connectors = Connectors([MeteredConnector(shelf, meter), MeteredConnector(rack, meter)])
    portal = replace(portal, connectors=connectors)
    METADATA.create_all(portal.db.engine)
    with portal.db.transaction() as session:
        add_cast(session)
    with portal.db.transaction() as session:
        publisher = session.scalars(select(Person).where(Person.subject == "s-operator")).one()
        add_offering(session, publisher_id=publisher.id)
    meter_database(portal.db.engine, meter)
    bell: Doorbell = portal.db.info["doorbell"]
    if isinstance(bell, RedisDoorbell):
        meter_redis(bell._redis, meter)
    world = SmallWorld(portal, clock, shelf, rack, bell, meter, keeper)
    introduced_key(Workbench(portal.db, settings, portal.signer))
    try:
        yield world
    finally:
        portal.db.dispose()
        if isinstance(bell, RedisDoorbell):
            bell._redis.close()
