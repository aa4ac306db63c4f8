"""Who looks back, and how many must agree, is counted by how things stand when it begins."""

import copy

import pytest

from catalog.requests.states import State
from tests.fixtures_emergency import urgent


@pytest.mark.on_sqlite
def test_a_stage_with_too_few_people_is_reviewed_by_those_it_has_and_silences_no_other(urgency, cast):
    stages = copy.deepcopy(urgent()["route"]["stages"])
    stages.append({"slug": "owners", "name": "Owners", "approvers": {"group": "crm-owners"}, "quorum": 3})
    urgency.publish(route={"stages": stages})
    request_id = urgency.started()
    assert [(seat["slug"], seat["quorum"]) for seat in urgency.review(request_id).seats] == [
        ("manager", 1),
        ("owners", 2),
    ]
    assert set(urgency.hands.mailed("review_asked")) == {cast.manager, cast.owner, cast.second_owner}


def test_emergencies_asked_for_together_weigh_on_the_last_when_its_committee_would_agree(urgency, cast):
    asked = [urgency.pending(word=f"word-{number}") for number in range(4)]
    assert {urgency.stages(one)[0].quorum for one in asked} == {2}
    for one in asked:
        urgency.hands.approve(one, cast.security, cast.head)
    assert [urgency.request(one).state for one in asked] == [State.SCHEDULED] * 3 + [State.PREPARING]
    urgency.hands.work()
    assert urgency.request(asked[3]).state is State.PENDING
    assert urgency.stages(asked[3])[0].quorum == 3
    assert "word-3" not in urgency.hands.shelf.shelf
