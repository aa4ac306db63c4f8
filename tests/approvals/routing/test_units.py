"""A unit's own approver groups and targets in a route, and an outlook that is never better than the truth."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from approvals.routing.deadlines import promised_by
from approvals.routing.outlook import outlook
from approvals.routing.proposals import proposal_of
from approvals.routing.resolve import resolve
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from portal.core.clock import now
from portal.identity.model import Absence, Group, Person, Unit
from tests.approvals.conftest import MANAGER_STAGE, OWNER_STAGE, Story


def resolved(story: Story, request_id: int) -> Any:
    with story.db.reading() as session:
        return resolve(session, proposal_of(session, session.get_one(Request, request_id)))


def set_unit(story: Story, **settings: Any) -> None:
    with story.db.transaction() as session:
        session.execute(update(Unit).where(Unit.slug == "holding").values(settings=settings))


@pytest.mark.on_sqlite
def test_a_units_own_group_decides_where_the_offering_names_another(story: Story) -> None:
    request_id = story.request(story.offer(MANAGER_STAGE, OWNER_STAGE))
    set_unit(story, approver_groups={"crm-owners": "security"})
    _, owners = resolved(story, request_id)
    assert [person.person_id for person in owners.approvers] == [story.cast.security]
    # The seal holds the very group, so that eligibility is computed from it again when somebody decides.
    assert {person.rule for person in owners.approvers} == {"group:security"}


@pytest.mark.on_sqlite
def test_another_units_people_are_asked_as_the_offering_says(story: Story) -> None:
    request_id = story.request(story.offer(MANAGER_STAGE, OWNER_STAGE))
    with story.db.transaction() as session:
        session.execute(
            update(Unit)
            .where(Unit.slug == "lisbon")
            .values(settings={"approver_groups": {"crm-owners": "security"}})
        )
    _, owners = resolved(story, request_id)
    assert {person.rule for person in owners.approvers} == {"group:crm-owners"}


def test_an_own_group_that_is_empty_climbs_as_any_other(story: Story) -> None:
    request_id = story.request(story.offer(OWNER_STAGE))
    with story.db.transaction() as session:
        session.add(Group(slug="nobody", name="Nobody", roles=[]))
    set_unit(story, approver_groups={"crm-owners": "nobody"})
    (owners,) = resolved(story, request_id)
    assert owners.because.startswith("Nobody can be asked as member of the group nobody.")


@pytest.mark.on_sqlite
def test_a_units_target_stands_in_for_the_offerings_and_the_nearer_one_counts(story: Story) -> None:
    version_id = story.offer(MANAGER_STAGE, OWNER_STAGE)
    request_id = story.request(version_id)
    set_unit(story, targets={"line-manager": 60, "resource-owner": 120, "crm-access-0/resource-owner": 30})
    assert [stage.target_minutes for stage in resolved(story, request_id)] == [60, 30]


@pytest.mark.parametrize(
    "approvers",
    [
        {"relation": "line-manager"},
        {"relation": "manager-of-manager"},
        {"relation": "unit-head"},
        {"group": "crm-owners"},
        {"group_from": "'catalogue-owners'"},
        {"owner_of": "role"},
        {"owner_of_group": "crm-owners"},
    ],
    ids=str,
)
@pytest.mark.parametrize("away", ["", "manager", "owner"])
def test_the_outlook_is_never_better_than_the_route_turns_out(
    story: Story, approvers: dict[str, Any], away: str
) -> None:
    stage = {**OWNER_STAGE, "approvers": approvers}
    conditional = {**MANAGER_STAGE, "slug": "second", "when": "answers.role == 'nothing like it'"}
    request_id = story.request(story.offer(stage, conditional))
    with story.db.transaction() as session:
        if away:
            person = getattr(story.cast, away)
            session.add(Absence(person_id=person, first_day=date(2026, 11, 1), last_day=date(2026, 11, 27)))
    with story.db.reading() as session:
        request = session.get_one(Request, request_id)
        stages = resolve(session, proposal_of(session, request))
        truth = promised_by(session, stages, now(session))
        person = session.scalars(
            select(Person).where(Person.id == request.beneficiary_id).options(joinedload(Person.unit))
        ).one()
        document = document_of(request.version)
        found = outlook(session, person, [document], now(session))
    assert found[document.slug] >= truth
