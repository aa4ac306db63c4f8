"""Requests that went their whole way, with real approvals and targets in memory, and the evidence made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pypdf
import pytest
import yaml
from sqlalchemy import select

from approvals.decisions.decide import decide
from approvals.decisions.model import Verdict
from approvals.routing import holding, reactions
from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.orders import on_approved
from catalog.offerings.publish import publish
from catalog.requests import events
from catalog.requests.edit import edit
from catalog.requests.withdraw import withdraw
from portal.audit.checkpoint import Signer
from portal.audit.model import Entry
from portal.core.database import Database
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.model import Person
from reports.evidence.document import Evidence, read_evidence
from reports.evidence.make import Workbench, introduced_key, make_evidence
from reports.evidence.verify import Trusted
from reports.pdf.keys import PdfKey
from tests.fixtures_once import lay_tables
from tests.fixtures_people import MFA, Cast, StandingClock, add_cast
from tests.fixtures_requests import OFFERING, ManagerRouter, ShelfConnector, Shelves

ROUTE = {
    "stages": [
        {
            "slug": "manager",
            "name": "Line manager",
            "approvers": {"relation": "line-manager"},
            "target": "8h",
        },
        {
            "slug": "owner",
            "name": "Owner of the shelf",
            "approvers": {"group": "crm-owners"},
            "when": "risk.level != 'low'",
            "target": "8h",
        },
    ]
}


@dataclass
class EvidenceWorld:
    """Everybody and everything that a request meets, and the bench on which its evidence is made."""

    shelves: Shelves
    cast: Cast
    clock: StandingClock
    actor_of: Callable[..., Actor]
    bench: Workbench

    @property
    def db(self) -> Database:
        return self.shelves.db

    @property
    def key(self) -> PdfKey:
        return introduced_key(self.bench)

    def asked(self, **answers: Any) -> int:
        """A request that waits for its first approver."""
        request_id = self.shelves.prepared(self.actor_of(self.cast.requester), **answers)
        self.clock.pass_time(minutes=7)
        return request_id

    def decide(
        self, request_id: int, person: int, verdict: Verdict = Verdict.APPROVE, comment: str = ""
    ) -> None:
        """One person's word, and what follows from it."""
        seal = self.shelves.request(request_id).seal
        with self.db.transaction() as session:
            decide(
                session,
                self.actor_of(person),
                request_id,
                verdict=verdict,
                comment=comment,
                seal=seal,
                settings=self.shelves.settings,
            )
        self.clock.pass_time(minutes=11)

    def fulfilled(self, **answers: Any) -> str:
        """The reference of a request that two stages approved and that is done."""
        request_id = self.asked(**{"word": "root", **answers})
        self.decide(request_id, self.cast.manager, comment="She needs it for the quarter's end.")
        self.decide(request_id, self.cast.owner)
        self.shelves.work()
        self.clock.pass_time(minutes=1)
        return self.reference(request_id)

    def rejected(self) -> str:
        request_id = self.asked(word="root")
        self.decide(request_id, self.cast.manager)
        self.decide(request_id, self.cast.owner, Verdict.DENY, "Ask for the smaller word first.")
        return self.reference(request_id)

    def withdrawn(self) -> str:
        request_id = self.asked()
        with self.db.transaction() as session:
            withdraw(session, self.actor_of(self.cast.requester), request_id, "Not needed any more.")
        return self.reference(request_id)

    def failed(self) -> str:
        """Two steps: the first is done and undone, because the second is refused."""
        request_id = self.asked(second="blue")
        self.shelves.rack.trouble["apply"] = ConnectorError("The rack refuses blue words.", permanent=True)
        self.decide(request_id, self.cast.manager)
        self.shelves.work()
        return self.reference(request_id)

    def replanned(self) -> str:
        """The target changed after the approval, so the request was sealed and approved twice."""
        request_id = self.asked()
        self.decide(request_id, self.cast.manager, comment="First time.")
        self.shelves.shelf.generation += 1
        self.shelves.work()
        self.clock.pass_time(minutes=5)
        self.decide(request_id, self.cast.manager, comment="Second time.")
        self.shelves.work()
        return self.reference(request_id)

    def edited(self) -> str:
        """The requester changed the answers after the first approval, so it was sealed and approved anew."""
        request_id = self.asked(word="root")
        self.decide(request_id, self.cast.manager, comment="First time.")
        with self.db.transaction() as session:
            edit(
                session,
                self.actor_of(self.cast.requester),
                request_id,
                {"word": "root", "reason": "A better reason."},
            )
        self.shelves.work()
        self.clock.pass_time(minutes=2)
        self.decide(request_id, self.cast.manager)
        self.decide(request_id, self.cast.owner)
        self.shelves.work()
        return self.reference(request_id)

    def ended(self) -> str:
        """It was fulfilled until a day that has passed."""
        request_id = self.asked(until="2026-11-20")
        self.decide(request_id, self.cast.manager)
        self.shelves.work()
        self.clock.pass_time(days=4)
        self.shelves.work()
        return self.reference(request_id)

    def half_there(self) -> str:
        """The first of two words stood there before."""
        self.shelves.shelf.shelf["hello"] = "somebody else's"
        request_id = self.asked(second="blue")
        self.decide(request_id, self.cast.manager)
        self.shelves.work()
        return self.reference(request_id)

    def by_policy(self) -> str:
        """No stage applies to it, so the published offering approves it."""
        route = {"stages": [{**ROUTE["stages"][1]}]}
        with self.db.transaction() as session:
            text = yaml.safe_dump({**OFFERING, "slug": "words-by-policy", "route": route})
            publisher = self.actor_of(self.cast.operator)
            self.shelves.version_id = publish(session, publisher, text, "policy.yaml").id
        request_id = self.shelves.submitted(self.actor_of(self.cast.requester))
        self.shelves.work()
        return self.reference(request_id)

    def refused(self) -> str:
        """The target cannot do what it asks for."""
        request_id = self.shelves.submitted(self.actor_of(self.cast.requester))
        self.shelves.shelf.trouble["plan"] = ConnectorError("The shelf takes no such word.", permanent=True)
        self.shelves.work()
        return self.reference(request_id)

    def waiting(self) -> str:
        """Nobody has decided yet, and the stage is overdue."""
        request_id = self.asked()
        self.clock.pass_time(days=5)
        return self.reference(request_id)

    def reference(self, request_id: int) -> str:
        return self.shelves.request(request_id).reference

    def file(self, reference: str) -> Path:
        """The request's evidence as a file."""
        return make_evidence(self.bench, reference).path

    def tags(self, subject: str) -> list[str]:
        with self.db.reading() as session:
            return list(
                session.scalars(select(Entry.tag).where(Entry.subject == subject).order_by(Entry.number))
            )


def evidence_in(file: Path) -> Evidence:
    """The facts that are attached to the file."""
    return read_evidence(pypdf.PdfReader(file).attachments["evidence.json"][0])


def make_world(
    shelves: Shelves, cast: Cast, clock: StandingClock, actor_of: Callable[..., Actor]
) -> EvidenceWorld:
    """Wired as in portal.wiring, but for the targets; the offering is published by the operator."""
    db, settings = shelves.db, shelves.settings
    db.info["handlers"] = {
        events.RequestPlanned: (partial(reactions.on_planned, settings=settings),),
        events.RequestReplanned: (reactions.on_replanned,),
        events.RequestWithdrawn: (reactions.on_withdrawn,),
        events.RequestRefused: (reactions.on_refused,),
        events.RequestApproved: (on_approved,),
        events.FulfilmentStarting: (holding.on_fulfilment_starting,),
    }
    offering = {**OFFERING, "slug": "words-approved-twice", "route": ROUTE}
    with db.transaction() as session:
        publisher = actor_of(cast.operator)
        shelves.version_id = publish(session, publisher, yaml.safe_dump(offering), "words.yaml").id
    return EvidenceWorld(
        shelves, cast, clock, actor_of, Workbench(db, settings, Signer.from_settings(settings))
    )


@pytest.fixture
def world(
    shelves: Shelves, cast: Cast, clock: StandingClock, actor_of: Callable[..., Actor]
) -> EvidenceWorld:
    """On each database in turn."""
    return make_world(shelves, cast, clock, actor_of)


@dataclass
class Genuine:
    """One true file, made once for all tests that only look at files; and the keys behind it."""

    content: bytes
    evidence: Evidence
    key: PdfKey
    verifier: str

    @property
    def trusted(self) -> Trusted:
        """The ledger's key as an auditor was given it."""
        return Trusted.of([self.verifier])


def world_in(home: Path, *, days_before: int = 0) -> EvidenceWorld:
    """A world of its own that outlives one test, on SQLite. It begins so many days before the cast's morning."""
    clock = StandingClock()
    clock.pass_time(days=-days_before)
    settings = Settings.from_environment(
        {"COUNTERSIGN_HOME": str(home), "DATABASE_URL": f"sqlite:///{home / 'db'}"}
    )
    db = Database(settings.database_url, clock=clock)
    lay_tables(db)
    with db.transaction() as session:
        ids = add_cast(session)

    def actor_of(person_id: int, *roles: str) -> Actor:
        with db.reading() as session:
            person = session.get_one(Person, person_id)
        return Actor(
            name=person.name,
            person_id=person.id,
            issuer=person.issuer,
            subject=person.subject,
            unit_id=person.unit_id,
            roles=frozenset({"person", *roles}),
            auth_time=clock(),
            acr=MFA,
            amr=("pwd", "otp"),
        )

    shelves = Shelves(
        db, settings, 0, ShelfConnector(), ShelfConnector(kind="rack"), ManagerRouter(ids["manager"]), []
    )
    return make_world(shelves, Cast(**ids, ids=ids), clock, actor_of)


@pytest.fixture(scope="session")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Genuine:
    """Evidence of a fulfilled request that two stages approved."""
    world = world_in(tmp_path_factory.mktemp("genuine"))
    file = world.file(world.fulfilled())
    made = Genuine(file.read_bytes(), evidence_in(file), world.key, world.bench.signer.verifier)
    world.db.dispose()
    return made
