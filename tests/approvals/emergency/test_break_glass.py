"""Break-glass: two people with that role, one seal, everybody passed over told at once, undone if nobody reviews."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from approvals.decisions.model import Decision
from approvals.emergency.glass import break_glass, glass_stage, seal_of
from approvals.emergency.model import Cause, Finding, ReviewState
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.errors import Conflict, FieldError, Forbidden
from portal.identity.model import Membership
from portal.identity.step_up import StepUpNeeded
from tests.fixtures_requests import OFFERING

WHY = "Everybody who could approve is on one plane, and orders stop within the hour."


@pytest.fixture
def pressed(urgency, cast, actor_of):
    """A request that waits for its manager and for two owners; gives what lets a person break the glass on it."""
    content = json.loads(json.dumps(OFFERING))
    owners = {"slug": "owners", "name": "Owners", "approvers": {"group": "crm-owners"}, "quorum": 2}
    content["route"]["stages"].append(owners)
    urgency.hands.publish({**content, "slug": "glass-words"})
    for person in (cast.auditor, cast.compliance, cast.requester):
        urgency.join(person, "break-glass", "break_glass")
    request_id = urgency.pending()

    def press(person, reason=WHY, *, seal=None, actor=None):
        with urgency.db.transaction() as session:
            request = session.get_one(Request, request_id)
            seen = seal or seal_of(request, glass_stage(session, request))
            return break_glass(
                session,
                actor or actor_of(person),
                request_id,
                reason,
                seal=seen,
                settings=urgency.hands.portal.settings,
            )

    press.request_id = request_id
    return press


@pytest.mark.on_sqlite
def test_one_person_alone_changes_nothing_and_the_others_are_called(urgency, cast, pressed):
    assert pressed(cast.auditor) is False
    request = urgency.request(pressed.request_id)
    assert (request.state, request.revision) == (State.PENDING, 1)
    assert urgency.hands.mailed("break_glass_proposed") == [cast.compliance]
    with pytest.raises(Conflict, match="A second person"):
        pressed(cast.auditor)
    urgency.hands.approve(pressed.request_id, cast.manager)
    assert urgency.request(pressed.request_id).state is State.PENDING
    assert urgency.hands.shelf.acts == []


def test_two_people_carry_it_past_its_approvers_who_are_told_and_review_it(urgency, cast, pressed, clock):
    urgency.hands.approve(pressed.request_id, cast.manager)
    pressed(cast.auditor)
    assert pressed(cast.compliance, "I agree: the pumps stand still.") is True
    urgency.hands.work()
    request = urgency.request(pressed.request_id)
    assert request.state is State.FULFILLED
    assert [stage["slug"] for stage in request.route] == ["break-glass"]
    with urgency.db.reading() as session:
        decisions = session.scalars(select(Decision).order_by(Decision.id)).all()
    assert [(one.person_id, one.voided_at is None) for one in decisions] == [
        (cast.manager, False),
        (cast.auditor, True),
        (cast.compliance, True),
    ]
    assert {one.seal for one in decisions[1:]} == {request.seal}
    # The manager had agreed; the owners were passed over.
    assert urgency.hands.mailed("review_asked") == [cast.owner, cast.second_owner]
    review = urgency.review(pressed.request_id)
    assert (review.cause, review.due_at - review.opened_at) == (Cause.BREAK_GLASS, timedelta(hours=24))
    (body,) = urgency.hands.bodies("glass:broken")
    facts = json.loads(body)["facts"]
    assert facts["people"] == [f"person:{cast.auditor}", f"person:{cast.compliance}"]
    assert facts["passed_over"] == [f"person:{cast.owner}", f"person:{cast.second_owner}"]
    with pytest.raises(Forbidden):
        urgency.say(pressed.request_id, cast.auditor, Finding.RIGHT)
    urgency.say(pressed.request_id, cast.owner, Finding.RIGHT)
    assert urgency.review(pressed.request_id).state is ReviewState.OPEN
    urgency.say(pressed.request_id, cast.second_owner, Finding.RIGHT)
    assert urgency.review(pressed.request_id).state is ReviewState.RIGHT


@pytest.mark.on_sqlite
def test_nobody_reviews_it_so_it_is_undone(urgency, cast, pressed, clock):
    pressed(cast.auditor)
    pressed(cast.compliance)
    urgency.hands.work()
    clock.pass_time(hours=24, seconds=1)
    urgency.hands.work()
    assert urgency.review(pressed.request_id).state is ReviewState.LAPSED
    assert urgency.request(pressed.request_id).state is State.ENDED
    assert urgency.hands.shelf.acts == [("put", "Rosa"), ("take", "Rosa")]


@pytest.mark.on_sqlite
def test_neither_a_party_nor_anybody_without_the_role_nor_who_has_decided_may(urgency, cast, pressed):
    with pytest.raises(Forbidden, match="You asked for this"):
        pressed(cast.requester)
    with pytest.raises(Forbidden, match="do not hold this role"):
        pressed(cast.outsider)
    urgency.join(cast.manager, "break-glass", "break_glass")
    urgency.hands.approve(pressed.request_id, cast.manager)
    with pytest.raises(Forbidden, match="have decided"):
        pressed(cast.manager)


def test_it_takes_a_reason_a_fresh_sign_in_and_the_very_seal_that_the_first_one_saw(
    urgency, cast, pressed, clock, actor_of
):
    with pytest.raises(FieldError):
        pressed(cast.auditor, "Urgent")
    with pytest.raises(StepUpNeeded):
        pressed(cast.auditor, actor=actor_of(cast.auditor, signed_in=clock() - timedelta(minutes=6)))
    with pytest.raises(Conflict, match="has changed"):
        pressed(cast.auditor, seal="sha256:0")
    pressed(cast.auditor)
    # A third person gets the role meanwhile: what the first one signed is no longer what the second one would.
    urgency.join(cast.head, "break-glass", "break_glass")
    with pytest.raises(Conflict, match="has changed"):
        pressed(cast.compliance)
    clock.pass_time(hours=1, seconds=1)
    assert pressed(cast.compliance) is False
    assert pressed(cast.auditor) is True


@pytest.mark.on_sqlite
def test_a_role_that_is_gone_before_the_work_begins_stops_it(urgency, cast, pressed):
    pressed(cast.auditor)
    pressed(cast.compliance)
    with urgency.db.transaction() as session:
        for row in session.scalars(select(Membership).where(Membership.person_id == cast.auditor)):
            session.delete(row)
    urgency.hands.work()
    request = urgency.request(pressed.request_id)
    assert request.state is State.PENDING
    assert [stage["slug"] for stage in request.route] == ["manager", "owners"]
    assert urgency.hands.shelf.acts == []
    assert urgency.review(pressed.request_id).state is ReviewState.VOID
