"""A small portal whose one offering is carried out by hand, with files and an asset in its form."""

from __future__ import annotations

import copy
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from approvals.decisions.decide import decide
from approvals.decisions.model import Verdict
from approvals.routing.router import Router
from catalog.assets.importing import import_assets
from catalog.assets.reading import read_assets
from catalog.attachments.s3 import store_for
from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.manual.connector import ManualConnector
from catalog.fulfilment.connectors.manual.model import ManualTask
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.model import Step
from catalog.fulfilment.set_aside import on_set_aside
from catalog.offerings.model import OfferingVersion
from catalog.requests.checking import check_draft
from catalog.requests.drafts import get_draft, keep, new_token
from catalog.requests.model import Request
from catalog.requests.submit import submit
from portal.app import create_app
from portal.audit.checkpoint import Signer
from portal.audit.model import Entry
from portal.core.development import listen_on_loopback, serving
from portal.core.settings import Settings
from portal.identity.actor import PORTAL, Actor
from portal.identity.web_sessions import start_session
from portal.jobs import Workshop
from portal.jobs.model import Task
from portal.notifications.model import Message
from portal.wiring import Portal, job_handlers, reactions_table
from tests.fixtures_requests import OFFERING, ShelfConnector, add_offering, run_but_mail

ASSETS = b"""id,name,kind,owner,criticality,zone,addresses,unit
APP-1,Customer system,application,erp-owners,high,servers,10.8.1.10,holding
APP-2,Payroll,application,olga.owner,critical,servers,,holding
SRV-1,app1.meridian.example,server,erp-owners,low,dmz,,
"""


def by_hand(**changes: Any) -> dict[str, Any]:
    """The offering: a badge that the group crm-owners makes, after the owner of an asset has agreed."""
    content = copy.deepcopy(OFFERING)
    content |= {"slug": "badge", "name": "Door badge", "title": "'Badge for ' + answers.word"}
    content["form"]["sections"][0]["fields"] += [
        {
            "name": "door",
            "kind": "asset",
            "label": "Which system",
            "kinds": ["application"],
            "required": False,
        },
        {
            "name": "papers",
            "kind": "file",
            "label": "Papers",
            "required": False,
            "at_most": 2,
            "kinds": ["pdf", "png", "txt"],
        },
    ]
    content["route"]["stages"].append(
        {
            "slug": "owner",
            "name": "Owner of the system",
            "when": "answered.door",
            "approvers": {"owner_of": "door"},
        }
    )
    content["risk"]["reasons"].append(
        {"when": "derived.door.criticality == 'critical'", "points": 60, "because": "The system is critical."}
    )
    content["fulfilment"] = [
        {
            "step": "make",
            "name": "Make the badge",
            "connector": "manual",
            "action": "do",
            "with": {
                "group": "crm-owners",
                "title": {"cel": "'Make a badge for ' + answers.word"},
                "instructions": "The printer stands on the second floor.",
                "checklist": "Check the papers\nPrint the badge\nHand it over",
                "undo": "Take the badge back and shred it.",
            },
        },
        *changes.pop("more_steps", ()),
    ]
    return {**content, **changes}


@dataclass
class Hands:
    """The portal, and the shelf for steps that machines do."""

    portal: Portal
    app: Flask
    version_id: int
    shelf: ShelfConnector
    actor_of: Callable[..., Actor]

    def work(self) -> int:
        """Run what is due."""
        handlers = {**job_handlers(self.portal), "send_mail": lambda job: None}
        return run_but_mail(
            Workshop(self.portal.db, self.portal.settings, handlers, on_set_aside=on_set_aside)
        )

    def publish(self, content: dict[str, Any]) -> None:
        """Publish the next version of the offering."""
        with self.portal.db.transaction() as session:
            self.version_id = add_offering(session, content)

    def submitted(self, person: int, **answers: Any) -> int:
        """A request that waits to be prepared."""
        actor, key = self.actor_of(person), self.portal.settings.secret_key
        token = new_token(person, key)
        with self.portal.db.transaction() as session:
            version = session.get_one(OfferingVersion, self.version_id)
            keep(session, token, version, {"word": "Rosa", "reason": "To get in.", **answers}, key=key)
        with self.portal.db.reading() as session:
            version = session.get_one(OfferingVersion, self.version_id)
            draft = get_draft(session, actor, token)
            checked = check_draft(session, actor, draft, version, self.portal.connectors)
        with self.portal.db.transaction() as session:
            return submit(session, actor, checked).id

    def approve(self, request_id: int, *people: int) -> None:
        """Let these people agree, one after the other."""
        for person in people:
            with self.portal.db.transaction() as session:
                request = session.get_one(Request, request_id)
                decide(
                    session,
                    self.actor_of(person),
                    request_id,
                    verdict=Verdict.APPROVE,
                    comment="Go on.",
                    seal=request.seal,
                    settings=self.portal.settings,
                )

    def handed_over(self, cast: Any, **answers: Any) -> int:
        """A request whose manual task is open."""
        request_id = self.submitted(cast.requester, **answers)
        self.work()
        self.approve(request_id, cast.manager)
        self.work()
        return request_id

    def request(self, request_id: int) -> Request:
        """The request as it is now."""
        with self.portal.db.reading() as session:
            return session.get_one(Request, request_id)

    def rows(self, kind: Any) -> Sequence[Any]:
        """Every row of a table."""
        with self.portal.db.reading() as session:
            return session.scalars(select(kind).order_by(kind.id)).all()

    def tasks(self) -> Sequence[ManualTask]:
        """Every manual task."""
        return self.rows(ManualTask)

    def steps(self) -> Sequence[Step]:
        """Every step."""
        return self.rows(Step)

    def jobs(self, kind: str) -> list[Task]:
        """The background tasks of a kind."""
        return [task for task in self.rows(Task) if task.kind == kind]

    def tags(self) -> list[str]:
        """What the ledger says, in order."""
        with self.portal.db.reading() as session:
            return list(session.scalars(select(Entry.tag).order_by(Entry.number)))

    def bodies(self, tag: str) -> list[str]:
        """The entries with this tag."""
        with self.portal.db.reading() as session:
            return list(session.scalars(select(Entry.body).where(Entry.tag == tag).order_by(Entry.number)))

    def mailed(self, event: str) -> list[int | None]:
        """Who was mailed of this event."""
        return [message.person_id for message in self.rows(Message) if message.event == event]

    def token(self, person: int) -> str:
        """A session's cookie for this person, who signed in just now."""
        with self.portal.db.transaction() as session:
            row, token = start_session(session, {})
            row.person_id = person
            row.auth_time = row.created_at
            row.acr = "urn:countersign:acr:mfa"
        return token

    @contextmanager
    def served(self) -> Iterator[str]:
        """Answer on the port of the public address."""
        port = int(self.portal.settings.public_url.rpartition(":")[2])
        with serving(listen_on_loopback("portal", "127.0.0.1", port), self.app):
            yield self.portal.settings.public_url


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def hands(db: Any, cast: Any, settings: Settings, actor_of: Any) -> Hands:
    """The offering published, the assets imported, nothing asked for yet."""
    settings = replace(settings, public_url=f"http://localhost:{_free_port()}")
    handlers = reactions_table(settings)
    db.handlers = handlers
    db.info["handlers"] = handlers
    shelf = ShelfConnector()
    portal = Portal(
        settings=settings,
        db=db,
        connectors=Connectors([shelf, ManualConnector(db)]),
        router=Router(),
        authority=CertificateAuthority(settings.ca_folder, f"{settings.public_url}/pki"),
        signer=Signer.from_settings(settings),
        store=store_for(settings),
    )
    with db.transaction() as session:
        version_id = add_offering(session, by_hand())
        import_assets(session, PORTAL, read_assets(ASSETS, "assets.csv"))
    return Hands(portal, create_app(portal=portal), version_id, shelf, actor_of)
