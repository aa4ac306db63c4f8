"""Requests on their way through approvals: an offering with a route of the test's choice, and a planned request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import html5lib
import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from approvals.conversation import waiting
from approvals.decisions.decide import decide as decide_it
from approvals.decisions.model import Verdict
from approvals.routing import holding, reactions
from approvals.routing.model import Stage
from catalog.offerings.publish import publish
from catalog.requests import events
from catalog.requests.events import RequestPlanned
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.app import create_app
from portal.core.clock import now
from portal.core.database import Database
from portal.core.events import publish as happen
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.identity.web_sessions import start_session
from portal.notifications.model import Message
from portal.wiring import Portal, build
from tests.fixtures_once import lay_tables
from tests.fixtures_people import MFA, Cast, StandingClock, add_cast

MANAGER_STAGE: dict[str, Any] = {
    "slug": "line-manager",
    "name": "Line manager",
    "approvers": {"relation": "line-manager"},
    "target": "8h",
}
OWNER_STAGE: dict[str, Any] = {
    "slug": "resource-owner",
    "name": "Owner of the application",
    "approvers": {"group": "crm-owners"},
    "target": "8h",
}
LOW_RISK: dict[str, Any] = {"level": "low", "score": 0, "reasons": []}


def offering_text(stages: Sequence[Mapping[str, Any]], *, slug: str = "crm-access", **changed: Any) -> str:
    """A small offering with this route, owned by the group catalogue-owners."""
    return yaml.safe_dump(
        {
            "slug": slug,
            "name": "Application access",
            "summary": "A role in an application.",
            "description": "Gives a person a role in an application.",
            "category": "Access",
            "owner": "catalogue-owners",
            "controls": {"NIST SP 800-53 Rev. 5": ["AC-2"]},
            "undone": "The role is taken away again.",
            "form": {
                "sections": [
                    {
                        "title": "What",
                        "fields": [
                            {"kind": "person", "name": "person", "label": "Who"},
                            {"kind": "text", "name": "role", "label": "Role"},
                            {"kind": "long_text", "name": "reason", "label": "Why"},
                            {"kind": "person", "name": "sponsor", "label": "Sponsor", "required": False},
                            {"kind": "asset", "name": "system", "label": "System", "required": False},
                        ],
                    }
                ]
            },
            "beneficiary": "person",
            "reason": "reason",
            "title": "answers.role",
            "route": {
                "stages": [dict(stage) for stage in stages],
                **({"fallback": changed.pop("fallback")} if "fallback" in changed else {}),
            },
            "resources": {"role": [{"name": "CRM", "values": ["sales.*"], "owner": "crm-owners"}]},
            "target": "2d",
            "fulfilment": [
                {
                    "step": "grant",
                    "name": "Grant the role",
                    "connector": "scim",
                    "action": "grant",
                    "with": {"role": {"answer": "role"}},
                }
            ],
            **changed,
        },
        sort_keys=False,
    )


@dataclass
class Story:
    """A portal with one offering, in which requests are planned and decided."""

    db: Database
    cast: Cast
    settings: Settings
    made: int = 0
    texts: list[str] = field(default_factory=list)

    def offer(
        self,
        *stages: Mapping[str, Any],
        publisher: int | None = None,
        **changed: Any,
    ) -> int:
        """Publish an offering with these stages; gives the version's number in the database.

        `changed` are further keys of the offering, and `fallback` of its route.
        """
        text = offering_text(stages, slug=f"crm-access-{len(self.texts)}", **changed)
        self.texts.append(text)
        actor = Actor(name="Publisher", person_id=publisher or self.cast.operator)
        with self.db.transaction() as session:
            return publish(session, actor, text, "crm-access.yaml").id

    def request(
        self,
        version_id: int,
        *,
        requester: int | None = None,
        beneficiary: int | None = None,
        editor: int | None = None,
        risk: Mapping[str, Any] = LOW_RISK,
        answers: Mapping[str, Any] | None = None,
    ) -> int:
        """A request as preparing leaves it, just before its route is resolved; gives its number in the database."""
        self.made += 1
        with self.db.transaction() as session:
            asking = session.get_one(Person, requester or self.cast.requester)
            receiving = session.get_one(Person, beneficiary or asking.id)
            request = Request(
                number=self.made,
                reference=f"SR-{self.made:06d}",
                offering_version_id=version_id,
                requester_id=asking.id,
                beneficiary_id=receiving.id,
                editor_id=editor or asking.id,
                unit_id=receiving.unit_id,
                title="CRM: sales",
                reason="Month-end closing",
                answers={
                    "person": receiving.user_name,
                    "role": "sales",
                    "reason": "Month-end closing",
                    **(answers or {}),
                },
                state=State.PENDING,
                revision=1,
                submitted_at=now(session),
                risk=dict(risk),
                plans=[
                    {
                        "name": "Grant the role",
                        "connector": "scim",
                        "action": "grant",
                        "target": "CRM",
                        "lines": [{"change": "add", "text": f"{receiving.name} joins sales"}],
                        "document": {"role": "sales", "user": receiving.user_name},
                        "inverse": {"role": "sales", "user": receiving.user_name},
                        "already_true": False,
                        "warnings": [],
                    }
                ],
            )
            session.add(request)
            session.flush()
            return request.id

    def plan(self, request_id: int) -> None:
        """What preparing does next: the route is resolved, sealed and opened."""
        with self.db.transaction() as session:
            happen(session, RequestPlanned(request_id))

    def planned(self, *stages: Mapping[str, Any], **people: Any) -> int:
        """A request whose first stage is open."""
        publisher = people.pop("publisher", None)
        offering = people.pop("offering", {})
        request_id = self.request(self.offer(*stages, publisher=publisher, **offering), **people)
        self.plan(request_id)
        return request_id

    def stages(self, request_id: int) -> list[Stage]:
        """The request's stages, in order, all revisions."""
        with self.db.reading() as session:
            return list(
                session.scalars(
                    select(Stage)
                    .where(Stage.request_id == request_id)
                    .order_by(Stage.revision, Stage.position, Stage.part)
                )
            )

    def decide_in(
        self, session: Session, actor: Actor, request_id: int, verdict: Verdict, comment: str = ""
    ) -> None:
        """A decision inside the caller's transaction, on the seal that stands now."""
        decide_it(
            session,
            actor,
            request_id,
            verdict=verdict,
            comment=comment,
            seal=self.see(request_id).seal,
            settings=self.settings,
        )

    def see(self, request_id: int) -> Request:
        """The request as it stands."""
        with self.db.reading() as session:
            return session.get_one(Request, request_id)


@pytest.fixture
def story(db: Database, cast: Cast, settings: Settings) -> Story:
    """A portal in which what follows a planned request is wired as in portal.wiring."""
    db.info["handlers"] = {
        events.RequestPlanned: (partial(reactions.on_planned, settings=settings),),
        events.RequestReplanned: (reactions.on_replanned, waiting.on_request_moved),
        events.RequestWithdrawn: (reactions.on_withdrawn, waiting.on_request_moved),
        events.RequestRefused: (reactions.on_refused, waiting.on_request_moved),
        events.RequestRejected: (waiting.on_request_moved,),
        events.RequestApproved: (waiting.on_request_moved,),
        events.FulfilmentStarting: (holding.on_fulfilment_starting,),
    }
    return Story(db, cast, settings)


@pytest.fixture
def decide(story: Story, actor_of: Callable[..., Actor]) -> Callable[..., None]:
    """Lets a person decide on a request in a transaction of its own, on the seal that stands now."""

    def made(
        request_id: int,
        person: int,
        verdict: Verdict = Verdict.APPROVE,
        *,
        comment: str = "",
        seal: str | None = None,
        actor: Actor | None = None,
    ) -> None:
        seen = story.see(request_id).seal if seal is None else seal
        with story.db.transaction() as session:
            decide_it(
                session,
                actor or actor_of(person),
                request_id,
                verdict=verdict,
                comment=comment or ("Not needed" if verdict is Verdict.DENY else ""),
                seal=seen,
                settings=story.settings,
            )

    return made


@dataclass
class Browser:
    """One person's browser on the portal's pages: its cookies, and the forms that it was shown."""

    client: FlaskClient
    origin: str

    def get(self, path: str, **query: str) -> TestResponse:
        """Open a page."""
        return self.client.get(path, query_string=query or None)

    def press(self, path: str, button: str, *, comment: str = "", **changed: str) -> TestResponse:
        """Open the card, and press one of its buttons with what its form holds; `changed` replaces fields."""
        fields = {**self.form(path), "comment": comment, "decision": button, **changed}
        return self.client.post(f"{path}/decision", data=fields, headers={"Origin": self.origin})

    def form(self, path: str) -> dict[str, str]:
        """The hidden fields and the comment that the page's form holds now."""
        page = html5lib.parse(self.get(path).get_data(as_text=True), namespaceHTMLElements=False)
        form = next(form for form in page.iter("form") if form.get("action", "").endswith("/decision"))
        fields = {
            field.get("name", ""): field.get("value", "")
            for field in form.iter("input")
            if field.get("type") == "hidden"
        }
        return {**fields, "comment": "".join(next(form.iter("textarea")).itertext())}


@dataclass
class Web:
    """The whole portal as an application, with the named cast in it."""

    app: Flask
    portal: Portal
    story: Story
    clock: StandingClock

    def browser(self, person: int | None = None, *, acr: str = MFA, **ago: float) -> Browser:
        """A browser; signed in as the person, that long ago (such as `minutes=16`)."""
        client = self.app.test_client()
        if person is not None:
            with self.portal.db.transaction() as session:
                row, token = start_session(session, {})
                row.person_id, row.auth_time, row.acr = person, self.clock() - timedelta(**ago), acr
                row.amr = ["pwd", "otp"]
            client.set_cookie("countersign", token)
        return Browser(client, self.portal.settings.public_url)

    def link_of(self, person: int, event: str = "approval_requested") -> str:
        """The path of the link in the last mail to this person."""
        with self.portal.db.reading() as session:
            text = session.scalars(
                select(Message.text)
                .where(Message.person_id == person, Message.event == event)
                .order_by(Message.id.desc())
            ).first()
        found = re.search(r"/a/[\w-]+", text or "")
        assert found, f"the last mail to {person} holds no link"
        return found[0]


@pytest.fixture
def web(settings: Settings, clock: StandingClock) -> Iterator[Web]:
    """The portal's own application, on each database in turn."""
    portal = build(settings, clock=clock)
    lay_tables(portal.db)
    with portal.db.transaction() as session:
        ids = add_cast(session)
    story = Story(portal.db, Cast(**ids, ids=ids), settings)
    yield Web(create_app(portal=portal), portal, story, clock)
    portal.db.dispose()
