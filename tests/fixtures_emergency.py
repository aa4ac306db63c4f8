"""Emergencies: the small portal of tests/fixtures_manual with an offering that a committee decides."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import html5lib
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from approvals.emergency.model import Finding, Review
from approvals.emergency.speaking import speak
from approvals.routing.model import Stage
from catalog.requests.model import Request
from portal.identity.actor import Actor
from portal.identity.model import Group, Membership
from tests.fixtures_manual import Hands
from tests.fixtures_requests import OFFERING


def urgent(**changes: Any) -> dict[str, Any]:
    """The shelf's offering as an emergency: security, the head and the owners decide, the manager would have."""
    content = copy.deepcopy(OFFERING)
    content |= {"slug": "urgent-words", "name": "Urgent words", "kind": "emergency"}
    content["window"] = {"timezone": "Europe/Berlin", "times": ["sat 22:00-04:00"]}
    content["emergency"] = {
        "committee": [
            {"name": "Security", "approvers": {"group": "security"}},
            {"name": "Chief", "approvers": {"relation": "unit-head"}},
            {"name": "Owners", "approvers": {"group": "crm-owners"}},
        ],
        "quorum": 2,
        "text": "Is waiting worse?",
        "first_aid": {"steps": ["first"]},
    }
    return {**content, **changes}


@dataclass
class Urgency:
    """The portal and its people."""

    hands: Hands
    cast: Any
    actor_of: Callable[..., Actor]
    clock: Any

    @property
    def db(self) -> Any:
        return self.hands.portal.db

    def publish(self, **changes: Any) -> None:
        self.hands.publish(urgent(**changes))

    def pending(self, **answers: Any) -> int:
        """An emergency that waits for its committee."""
        request_id = self.hands.submitted(self.cast.requester, **answers)
        self.hands.work()
        return request_id

    def started(self, **answers: Any) -> int:
        """One that security and the head have agreed to, and that was carried out."""
        request_id = self.pending(**answers)
        self.hands.approve(request_id, self.cast.security, self.cast.head)
        self.hands.work()
        return request_id

    def say(
        self, request_id: int, person: int, finding: Finding, reason: str = "I have looked at it."
    ) -> None:
        """Have the person say what they find, having signed in just now."""
        self.say_as(self.actor_of(person), request_id, finding, reason)

    def say_as(
        self,
        actor: Actor,
        request_id: int,
        finding: Finding = Finding.RIGHT,
        reason: str = "I have looked at it.",
    ) -> None:
        """Have the actor say what they find."""
        with self.db.transaction() as session:
            speak(session, actor, request_id, finding, reason, settings=self.hands.portal.settings)

    def review(self, request_id: int) -> Review:
        """The last review of the request."""
        with self.db.reading() as session:
            return session.scalars(
                select(Review).where(Review.request_id == request_id).order_by(Review.id.desc())
            ).first()

    def stages(self, request_id: int) -> list[Stage]:
        with self.db.reading() as session:
            revision = session.get_one(Request, request_id).revision
            statement = select(Stage).where(Stage.request_id == request_id, Stage.revision == revision)
            return list(session.scalars(statement.order_by(Stage.position, Stage.part)))

    def request(self, request_id: int) -> Request:
        return self.hands.request(request_id)

    def tags(self, request_id: int) -> list[str]:
        return [tag for tag in self.hands.tags() if not tag.startswith(("people", "offering"))]

    def join(self, person: int, slug: str, *roles: str) -> None:
        """Make the person a member of this group, which is made if it is not there."""
        with self.db.transaction() as session:
            session.add(Membership(person_id=person, group_id=_group(session, slug, roles)))


def _group(session: Session, slug: str, roles: tuple[str, ...]) -> int:
    group = session.scalars(select(Group).where(Group.slug == slug)).one_or_none()
    if group is None:
        group = Group(slug=slug, name=slug, roles=list(roles))
        session.add(group)
        session.flush()
    return group.id


@pytest.fixture
def urgency(hands: Hands, cast: Any, actor_of: Callable[..., Actor], clock: Any) -> Urgency:
    """An emergency's offering published, nothing asked for yet."""
    urgency = Urgency(hands, cast, actor_of, clock)
    urgency.publish()
    return urgency


@dataclass
class Visit:
    """One person's browser on the portal's pages."""

    client: FlaskClient
    origin: str

    def get(self, path: str) -> TestResponse:
        """Open a page."""
        return self.client.get(path)


@pytest.fixture
def browse(hands: Hands) -> Callable[[int], Visit]:
    """Opens a browser in which this person has signed in just now."""

    def opened(person: int) -> Visit:
        client = hands.app.test_client()
        client.set_cookie("countersign", hands.token(person))
        return Visit(client, hands.portal.settings.public_url)

    return opened


def press(visit: Visit, path: str, button: str, **fields: str) -> TestResponse:
    """Open the page and press the button that says this, with these fields of its form changed."""
    page = html5lib.parse(visit.get(path).get_data(as_text=True), namespaceHTMLElements=False)
    for form in page.iter("form"):
        for one in form.iter("button"):
            if "".join(one.itertext()).strip() == button:
                filled = {field.get("name"): field.get("value", "") for field in form.iter("input")}
                if one.get("name"):
                    filled[one.get("name")] = one.get("value")
                return visit.client.post(
                    form.get("action"), data={**filled, **fields}, headers={"Origin": visit.origin}
                )
    raise AssertionError(f"{path} has no button {button!r}")


def text_of(answer: TestResponse) -> str:
    """The page's words in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).split())
