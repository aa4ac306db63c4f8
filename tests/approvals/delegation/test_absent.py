"""An approver who is away is named in the route, with whoever decides in their place."""

from __future__ import annotations

from datetime import date

import pytest

from approvals.delegation.give import Wish, give
from portal.identity.actor import Actor
from portal.identity.model import Absence, Person
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story
from tests.fixtures_people import StandingClock


@pytest.mark.on_sqlite
def test_an_absent_approver_is_named_in_the_route_with_or_without_a_substitute(
    story: Story, clock: StandingClock
) -> None:
    with story.db.transaction() as session:
        for person in (story.cast.manager, story.cast.owner):
            session.add(Absence(person_id=person, first_day=date(2026, 11, 16), last_day=date(2026, 11, 20)))
        name = session.get_one(Person, story.cast.security).user_name
        day = date(2026, 11, 18)
        actor = Actor(name="Olga Owner", person_id=story.cast.owner, auth_time=clock())
        give(session, actor, Wish(name, day, day, every=True), settings=story.settings)
    first, second = story.stages(story.planned(MANAGER_STAGE, OWNER_STAGE))
    assert "Milo Manager is away until 20 November 2026, and nobody decides in their place." in first.because
    assert (
        "Olga Owner is away until 20 November 2026; Sami Security may decide in their place."
        in second.because
    )
    assert "Otto Owner is away" not in second.because


@pytest.mark.on_sqlite
def test_who_is_back_is_not_named(story: Story) -> None:
    with story.db.transaction() as session:
        session.add(
            Absence(person_id=story.cast.manager, first_day=date(2026, 11, 9), last_day=date(2026, 11, 17))
        )
    (stage,) = story.stages(story.planned(MANAGER_STAGE))
    assert "away" not in stage.because
