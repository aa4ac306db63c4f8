"""The shipped offerings in a whole portal: real directory, authority, firewall policy, people who act by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from approvals.decisions.decide import decide
from approvals.decisions.model import Verdict
from approvals.routing.model import Stage, StageApprover, StageState
from approvals.routing.router import Router
from catalog.attachments.s3 import store_for
from catalog.entitlements.connector import EntitlementsConnector
from catalog.entitlements.model import Entitlement
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.ca.connector import CaConnector
from catalog.fulfilment.connectors.contract import Connector
from catalog.fulfilment.connectors.firewall.connector import FirewallConnector
from catalog.fulfilment.connectors.firewall.repository import create_repository
from catalog.fulfilment.connectors.firewall.starting_policy import BASELINE, ZONES
from catalog.fulfilment.connectors.manual.connector import ManualConnector
from catalog.fulfilment.connectors.manual.doing import Said, finish
from catalog.fulfilment.connectors.manual.model import ManualState, ManualTask
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.connectors.scim.connector import ScimConnector
from catalog.offerings.defaults import example_answers
from catalog.offerings.publish import publish_folder
from catalog.offerings.queries import document_of, get_current_version
from catalog.reconciliation.connector import ReconciliationConnector
from catalog.requests.checking import Checked, check_draft, form_context_of
from catalog.requests.drafts import get_draft, keep, new_token
from catalog.requests.model import Request
from catalog.requests.states import State
from catalog.requests.submit import submit
from portal.audit.checkpoint import Signer
from portal.core.assets import services_folder
from portal.core.database import Database
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership, Person, Unit
from portal.jobs import Workshop
from portal.wiring import Portal, job_handlers, reactions_table
from tests.catalog.fulfilment.connectors.directory import TOKEN, Directory, running
from tests.fixtures_once import written_once
from tests.fixtures_people import ISSUER, StandingClock
from tests.fixtures_requests import run_but_mail

KEY = "a key for tests"
#: Groups that only these stories need, with their members from the cast; the first one answers for the group.
GROUPS = {
    "platform-owners": ("owner", "second_owner"),
    "security-office": ("head", "security", "second_owner"),
    "change-board": ("head", "compliance", "owner"),
    "cio-office": ("head",),
    "service-desk": ("operator", "outsider"),
    "endpoint-security": ("security", "outsider"),
    "soc": ("security", "outsider"),
}


@dataclass
class World:
    """A portal with every shipped offering, and the people who ask, agree and act."""

    portal: Portal
    directory: Directory
    clock: StandingClock
    actor_of: Callable[..., Actor]
    cast: Any
    agreed: list[str] = field(default_factory=list)

    @property
    def db(self) -> Database:
        return self.portal.db

    def typed(self, actor: Actor, slug: str, **answers: Any) -> dict[str, Any]:
        """The offering's own worked example as this person would type it today."""
        with self.db.reading() as session:
            version = get_current_version(session, slug)
            _, context = form_context_of(session, actor, self.portal.connectors)
            return {**example_answers(document_of(version).example, context), **answers}

    def checked(self, actor: Actor, slug: str, **answers: Any) -> Checked:
        token = new_token(actor.person_id or 0, KEY)
        typed = self.typed(actor, slug, **answers)
        with self.db.transaction() as session:
            version = get_current_version(session, slug)
            keep(session, token, version, typed, key=KEY)
        with self.db.reading() as session:
            version = get_current_version(session, slug)
            return check_draft(
                session, actor, get_draft(session, actor, token), version, self.portal.connectors
            )

    def ordered(self, actor: Actor, slug: str, **answers: Any) -> int:
        """Submitted and prepared."""
        checked = self.checked(actor, slug, **answers)
        with self.db.transaction() as session:
            request_id = submit(session, actor, checked).id
        self.work()
        return request_id

    def done(self, actor: Actor, slug: str, **answers: Any) -> Request:
        """Ordered, agreed by everybody, waited for its time, and carried out, by hand where it must be."""
        request_id = self.ordered(actor, slug, **answers)
        for _ in range(20):
            request = self.request(request_id)
            if request.state is State.PENDING:
                self.agree(request_id)
            elif request.state is State.SCHEDULED and request.baton_due is not None:
                self.clock.time = max(self.clock.time, request.baton_due) + timedelta(seconds=1)
            elif request.state is State.FULFILLING:
                self.act_by_hand()
            else:
                break
            self.work()
        return self.request(request_id)

    def agree(self, request_id: int) -> None:
        """The first of those who may and have not yet agree, in the first stage that is open."""
        with self.db.reading() as session:
            stage = session.scalars(
                select(Stage)
                .where(Stage.request_id == request_id, Stage.state == StageState.OPEN)
                .order_by(Stage.position, Stage.part)
            ).all()[0]
            approvers = session.scalars(
                select(StageApprover.person_id)
                .where(StageApprover.stage_id == stage.id)
                .order_by(StageApprover.person_id)
            ).all()
            seal = session.get_one(Request, request_id).seal
        for person_id in approvers[: stage.quorum]:
            self.agreed.append(stage.slug)
            with self.db.transaction() as session:
                decide(
                    session,
                    self.actor_of(person_id),
                    request_id,
                    verdict=Verdict.APPROVE,
                    comment="Go on.",
                    seal=seal,
                    settings=self.portal.settings,
                )

    def act_by_hand(self) -> None:
        """Every open manual task is done by a member of its group who is no party to the request."""
        with self.db.reading() as session:
            tasks = session.scalars(select(ManualTask).where(ManualTask.state == ManualState.OPEN)).all()
            work = [
                (
                    task.id,
                    session.scalars(
                        select(Membership.person_id)
                        .where(
                            Membership.group_id == task.group_id,
                            Membership.person_id.not_in(
                                [task.request.requester_id, task.request.beneficiary_id]
                            ),
                        )
                        .order_by(Membership.person_id.desc())
                    ).first(),
                )
                for task in tasks
            ]
        for task_id, person_id in work:
            with self.db.transaction() as session:
                finish(session, self.actor_of(person_id), task_id, Said(ticked=range(1, 31), note="Done."))

    def work(self) -> None:
        handlers = {**job_handlers(self.portal), "send_mail": lambda job: None}
        run_but_mail(Workshop(self.db, self.portal.settings, handlers))

    def request(self, request_id: int) -> Request:
        with self.db.reading() as session:
            return session.get_one(Request, request_id)

    def entitlements(self) -> list[Entitlement]:
        with self.db.reading() as session:
            return list(session.scalars(select(Entitlement).order_by(Entitlement.id)))

    def roles_of(self, user_name: str) -> set[str]:
        """What the directory itself says."""
        try:
            account = self.directory.named(user_name)
        except StopIteration:
            return set()
        return {
            group.display_name
            for group in self.directory.storage.resources
            if any(member.value == account.id for member in getattr(group, "members", None) or ())
        }


@pytest.fixture
def further_connectors() -> Sequence[Connector]:
    """Connectors to targets that a portal may have or not; a test file that has some overrides this."""
    return ()


@pytest.fixture
def offered() -> Path:
    """The folder whose offerings are published; a test file that needs only one of its own overrides this."""
    return services_folder()


@pytest.fixture(scope="session")
def policy_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A firewall's policy as it begins, to be copied."""
    path = tmp_path_factory.mktemp("policy") / "repository"
    create_repository(path, zones=ZONES, baseline=BASELINE)
    return path


@pytest.fixture
def world(
    db: Database,
    settings: Settings,
    cast: Any,
    actor_of: Callable[..., Actor],
    clock: StandingClock,
    tmp_path: Path,
    further_connectors: Sequence[Connector],
    offered: Path,
    policy_repository: Path,
) -> Iterator[World]:
    """Every shipped offering that this portal can carry out, published by the operator."""
    handlers = reactions_table(settings)
    db.handlers = handlers
    db.info["handlers"] = handlers
    authority = CertificateAuthority(settings.ca_folder, f"{settings.public_url}/pki", now=clock)
    authority.create_if_missing()
    shutil.copytree(policy_repository, settings.firewall_repository)
    with running(tmp_path) as directory:
        connectors = Connectors(
            [
                ScimConnector(directory.url, TOKEN, timeout=5.0),
                CaConnector(authority),
                FirewallConnector(settings.firewall_repository, clock=clock),
                ManualConnector(db),
                EntitlementsConnector(db, lambda: connectors),
                *further_connectors,
                ReconciliationConnector(db, lambda: connectors),
            ]
        )
        portal = Portal(
            settings=settings,
            db=db,
            connectors=connectors,
            router=Router(),
            authority=authority,
            signer=Signer.from_settings(settings),
            store=store_for(settings),
        )

        def write() -> None:
            with db.transaction() as session:
                _add_people(session, cast)
            with db.transaction() as session:
                publish_folder(session, actor_of(cast.operator), offered, connectors=connectors)

        if offered == services_folder():
            written_once(db, ("offerings", *sorted(connector.kind for connector in connectors)), write)
        else:
            write()
        yield World(portal, directory, clock, actor_of, cast)


def _add_people(session: Any, cast: Any) -> None:
    plants = Unit(slug="energia-plants", name="Energia Power Plants", timezone="Europe/Lisbon", country="PT")
    session.add(plants)
    session.flush()
    session.add(
        Person(
            issuer=ISSUER,
            subject="s-beatriz",
            user_name="beatriz.sousa",
            name="Beatriz Sousa",
            email="beatriz.sousa@meridian.example",
            unit_id=plants.id,
            manager_id=cast.manager,
            timezone="Europe/Lisbon",
            active=True,
        )
    )
    for slug, members in GROUPS.items():
        group = Group(
            slug=slug, name=slug.replace("-", " ").capitalize(), roles=[], owner_id=cast.ids[members[0]]
        )
        session.add(group)
        session.flush()
        session.add_all(Membership(group_id=group.id, person_id=cast.ids[part]) for part in members)
