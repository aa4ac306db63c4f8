# ruff: noqa: RUF001  (the directory's roles carry a dash)
"""What an attacker tries with findings: another approver, another thing, a yes to oneself in somebody's place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from approvals.delegation.model import Delegation
from approvals.routing.eligible import eligible_now
from approvals.routing.model import Stage
from catalog.fulfilment.connectors.contract import Beneficiary, Order
from catalog.reconciliation.adopting import Row, adopt
from catalog.reconciliation.model import Finding
from catalog.reconciliation.reading import read_target
from catalog.reconciliation.removing import raise_removal
from catalog.requests.edit import edit
from catalog.requests.model import Request
from catalog.requests.states import State
from portal.core.clock import now
from portal.core.errors import Conflict
from portal.identity.model import Group, Membership, Person

pytestmark = pytest.mark.on_sqlite
WHY = "It was there before the portal came."


@pytest.fixture
def found(world) -> list[Finding]:
    """Two roles that somebody gave in the directory itself."""
    connector = world.portal.connectors.get("scim")
    for role in ("CRM – Sales user", "ERP – Administrator"):
        order = Order("", "grant", {"role": role}, Beneficiary("beatriz.sousa", "Beatriz", ""))
        connector.apply(connector.plan(order), "by hand")
    world.clock.pass_time(seconds=1)
    read_target(world.db, world.portal.connectors, "scim")
    with world.db.reading() as session:
        return list(session.scalars(select(Finding).order_by(Finding.id)))


def adopted_by(world, actor, finding: Finding, holder: str = "beatriz.sousa") -> Request:
    with world.db.transaction() as session:
        group = adopt(session, actor, [Row(finding.key, holder)], reason=WHY, token=finding.key)
    world.work()
    with world.db.reading() as session:
        request = session.scalars(select(Request).where(Request.order_group_id == group.id)).one()
    assert request.state is State.PENDING, request.outcome
    return request


def test_an_adoption_is_not_changed_into_one_of_another_thing_or_for_another_approver(
    world, cast, actor_of, found
):
    request = adopted_by(world, actor_of(cast.compliance), found[0])
    thing = {**request.answers["things"][0], "key": found[1].key}
    for changed in ({"owner": "catalogue-owners"}, {"things": [thing]}, {"holder": None}):
        with pytest.raises(Conflict, match="findings"), world.db.transaction() as session:
            edit(
                session,
                actor_of(cast.compliance),
                request.id,
                {**request.answers, **changed, "reason": "x" * 20},
            )
    assert world.request(request.id).revision == request.revision


def test_a_removal_is_not_changed_into_one_of_what_others_answer_for(world, cast, actor_of, found):
    with world.db.transaction() as session:
        request = raise_removal(session, actor_of(cast.compliance), found[0].id, "Nobody knows why.")
    world.work()
    answers = {**request.answers, "key": found[1].key, "owner": "catalogue-owners"}
    with pytest.raises(Conflict, match="findings"), world.db.transaction() as session:
        edit(session, actor_of(cast.compliance), request.id, answers)
    assert world.request(request.id).answers["key"] == found[0].key


def test_whoever_holds_what_is_adopted_does_not_decide_on_it_in_anothers_place(world, cast, actor_of, found):
    request = adopted_by(world, actor_of(cast.compliance), found[0])
    with world.db.transaction() as session:
        holder = session.scalars(select(Person).where(Person.user_name == "beatriz.sousa")).one().id
        owners = session.scalars(
            select(Membership.person_id)
            .join(Group, Group.id == Membership.group_id)
            .where(Group.slug == request.answers["owner"])
            .order_by(Membership.person_id)
        ).all()
        at = now(session)
        days = {
            "first_day": at.date(),
            "last_day": at.date(),
            "begins_at": at,
            "ends_at": at + timedelta(days=1),
        }
        session.add(Delegation(delegator_id=owners[0], substitute_id=holder, created_at=at, **days))
    with world.db.reading() as session:
        row = session.get_one(Request, request.id)
        stages = session.scalars(select(Stage).where(Stage.request_id == row.id)).all()
        (people,) = eligible_now(session, row, stages).values()
    assert owners[0] in people
    assert holder not in people
