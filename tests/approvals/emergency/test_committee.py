"""A committee decides an emergency: at once, by distinct people, and only first aid."""

import copy

import pytest
from sqlalchemy import select

from approvals.emergency.model import ReviewState
from catalog.fulfilment.model import Step
from catalog.requests.states import State
from portal.core.errors import Conflict
from portal.notifications.model import Message
from tests.fixtures_emergency import urgent
from tests.fixtures_requests import OFFERING


def test_two_of_the_committee_agree_and_it_starts_at_once_without_a_window(urgency, cast):
    request_id = urgency.pending()
    (stage,) = urgency.stages(request_id)
    assert (stage.slug, stage.quorum) == ("emergency-committee", 2)
    assert "Security: Sami Security." in stage.because
    urgency.hands.approve(request_id, cast.security)
    assert urgency.request(request_id).state is State.PENDING
    urgency.hands.approve(request_id, cast.head)
    urgency.hands.work()
    assert urgency.request(request_id).state is State.FULFILLED
    assert urgency.hands.shelf.acts == [("put", "Rosa")]


def test_those_who_would_have_approved_are_told_at_once_and_get_the_review(urgency, cast, clock):
    request_id = urgency.started()
    assert urgency.hands.mailed("review_asked") == [cast.manager]
    review = urgency.review(request_id)
    assert review.state is ReviewState.OPEN
    assert (review.due_at - review.opened_at).total_seconds() == 24 * 3600
    with urgency.db.reading() as session:
        text = session.scalars(select(Message.text).where(Message.event == "review_asked")).one()
    assert "Put “Rosa” on the shelf" in text
    assert f"/approvals/{urgency.request(request_id).reference}/review" in text
