"""Requests in flight keep their version, and whoever published a version approves none of its requests."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from approvals.decisions.model import Verdict
from catalog.offerings.model import OfferingVersion
from catalog.offerings.publish import publish
from catalog.offerings.queries import document_of, find_current_version
from catalog.requests.model import Request
from portal.core.errors import PortalError
from portal.identity.actor import Actor
from tests.approvals.conftest import OWNER_STAGE, offering_text
from tests.approvals.conftest import decide as _decide
from tests.approvals.conftest import story as _story

story, decide = (pytest.fixture(getattr(one, "__wrapped__", one)) for one in (_story, _decide))


@pytest.mark.on_sqlite
def test_a_request_in_flight_keeps_its_version_and_its_route(story, decide):
    request_id = story.planned(OWNER_STAGE)
    before = story.see(request_id)
    slug = document_of(version_of(story, before)).slug
    text = offering_text([{**OWNER_STAGE, "quorum": 2, "target": "3d"}], slug=slug)
    with story.db.transaction() as session:
        newer = publish(session, Actor(name="P", person_id=story.cast.operator), text, "new.yaml")
        assert find_current_version(session, slug).id == newer.id
    after = story.see(request_id)
    assert (after.offering_version_id, after.seal, after.route) == (
        before.offering_version_id,
        before.seal,
        before.route,
    )
    decide(request_id, story.cast.owner)
    (stage,) = story.stages(request_id)
    assert (stage.quorum, stage.state.value) == (1, "approved")


@pytest.mark.on_sqlite
def test_the_publisher_of_a_version_approves_none_of_its_requests_but_those_of_another(story, decide):
    by_owner = story.planned(OWNER_STAGE, publisher=story.cast.owner)
    subjects = {person["subject"] for stage in story.see(by_owner).route for person in stage["approvers"]}
    assert subjects == {"s-second_owner"}
    with pytest.raises(PortalError):
        decide(by_owner, story.cast.owner)
    assert story.stages(by_owner)[0].state.value == "open"
    by_other = story.planned(OWNER_STAGE, publisher=story.cast.operator)
    decide(by_other, story.cast.owner, Verdict.APPROVE)
    assert story.stages(by_other)[0].state.value == "approved"


def version_of(story, request: Request) -> OfferingVersion:
    with story.db.reading() as session:
        return session.scalars(
            select(OfferingVersion).where(OfferingVersion.id == request.offering_version_id)
        ).one()
