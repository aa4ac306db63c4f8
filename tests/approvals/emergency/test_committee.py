"""A committee decides an emergency: at once, by distinct people, and only first aid."""

import pytest
from sqlalchemy import select

from approvals.emergency.model import ReviewState
from catalog.requests.states import State
from portal.notifications.model import Message
from tests.fixtures_emergency import urgent


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


@pytest.mark.on_sqlite
def test_only_first_aid_is_planned_and_a_choice_beyond_it_is_refused_before_anybody_is_asked(urgency, cast):
    request_id = urgency.pending(second="late")
    plans = urgency.request(request_id).plans
    assert [plan["step"] for plan in plans] == ["first"]

    offering = urgent()
    offering["form"]["sections"][0]["fields"].append(
        {
            "name": "how",
            "kind": "one_of",
            "label": "How",
            "choices": [{"value": "up", "label": "Up"}, {"value": "away", "label": "Away"}],
        }
    )
    offering["emergency"]["first_aid"]["choices"] = {"how": ["up"]}
    urgency.hands.publish(offering)
    refused = urgency.request(urgency.pending(how="away"))
    assert refused.state is State.REFUSED
    assert "only first aid is done, and “away” under “How” is none" in refused.outcome
    assert urgency.request(urgency.pending(how="up")).state is State.PENDING


@pytest.mark.on_sqlite
def test_the_parties_and_the_publisher_sit_in_no_committee(urgency, cast):
    request_id = urgency.hands.submitted(cast.security)
    urgency.hands.work()
    (stage,) = urgency.request(request_id).route
    assert "s-security" not in {one["subject"] for one in stage["approvers"]}
    assert {one["subject"] for one in stage["approvers"]} == {"s-head", "s-owner", "s-second_owner"}


@pytest.mark.on_sqlite
def test_too_few_in_the_seats_climb_to_the_owners_and_else_nobody_is_asked_at_all(urgency, cast):
    seats = [{"name": "Security", "approvers": {"group": "security"}}]
    urgency.publish(emergency={**urgent()["emergency"], "committee": seats})
    (stage,) = urgency.stages(urgency.pending())
    assert "Asked beside them, for they are too few: Olga Owner, Otto Owner." in stage.because
    urgency.publish(owner="security", emergency={**urgent()["emergency"], "committee": seats})
    refused = urgency.request(urgency.pending())
    assert refused.state is State.REFUSED
    assert "needs 2 people to agree, and only 1 can be asked" in refused.outcome


@pytest.mark.on_sqlite
def test_three_open_reviews_tighten_the_next_quorum_by_one_and_the_route_says_so(urgency, cast):
    for number in range(3):
        urgency.started(word=f"word-{number}")
    request_id = urgency.pending(word="fourth")
    (stage,) = urgency.stages(request_id)
    assert stage.quorum == 3
    assert "3 emergencies wait for their review, so 3 must agree instead of 2." in stage.because
    urgency.hands.approve(request_id, cast.security, cast.head)
    assert urgency.request(request_id).state is State.PENDING
    urgency.hands.approve(request_id, cast.owner)
    assert urgency.request(request_id).state is State.SCHEDULED
