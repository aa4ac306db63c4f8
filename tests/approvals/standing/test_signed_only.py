"""A standing approval is never a way round what the route, the passkey or the unit would have demanded."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from approvals.delegation.give import Wish, give
from approvals.routing.model import Stage
from approvals.standing.model import StandingApproval, StandingState
from approvals.standing.propose import Playbook, propose
from approvals.standing.signing import sign
from catalog.fulfilment.set_aside import on_set_aside
from catalog.requests.states import State
from portal.core.errors import Conflict
from portal.identity.model import Group, Membership, Person, Unit
from portal.identity.step_up import StepUpNeeded
from portal.jobs import Task, Workshop, run_task
from portal.wiring import job_handlers
from tests.fixtures_requests import OFFERING

STRONG = "urn:countersign:acr:passkey"
OWNERS = {
    "slug": "owners",
    "name": "Owners",
    "approvers": {"group": "crm-owners"},
    "quorum": 2,
    "target": "8h",
}


@pytest.fixture
def proposed(hands, cast, actor_of):
    def made(**changed):
        hands.publish({**json.loads(json.dumps(OFFERING)), "slug": "badge-words", **changed})
        playbook = Playbook(
            "badge-words", "Words", "The feed names them at night.", "true", "3", "2026-12-01"
        )
        with hands.portal.db.transaction() as session:
            return propose(session, actor_of(cast.operator), playbook).id

    return made


@pytest.fixture
def in_force(hands, cast, actor_of, proposed):
    def made(**changed):
        number = proposed(**changed)
        for person in (cast.owner, cast.second_owner):
            put_name(hands, actor_of(person), number)
        return number

    return made


def put_name(hands, actor, number):
    with hands.portal.db.transaction() as session:
        digest = session.get_one(StandingApproval, number).digest
        return sign(session, actor, number, digest=digest, settings=hands.portal.settings).state


def alter(hands, number, **values):
    with hands.portal.db.transaction() as session:
        session.execute(update(StandingApproval).where(StandingApproval.id == number).values(**values))


def why_not(hands, cast, person=None):
    """Why a request now goes the usual way."""
    request_id = hands.submitted(person or cast.requester, word="ioc-1")
    hands.work()
    request = hands.request(request_id)
    assert request.state is State.PENDING
    with hands.portal.db.reading() as session:
        (stage,) = session.scalars(select(Stage).where(Stage.request_id == request_id))
    return stage.because


def prepared(hands, cast):
    """A request that a standing approval has let through and that has not begun."""
    request_id = hands.submitted(cast.requester, word="ioc-1")
    handlers = {"prepare": job_handlers(hands.portal)["prepare"]}
    with hands.portal.db.reading() as session:
        (task,) = session.scalars(select(Task.id).where(Task.kind == "prepare")).all()
    run_task(Workshop(hands.portal.db, hands.portal.settings, handlers, on_set_aside=on_set_aside), task)
    assert hands.request(request_id).state is State.SCHEDULED
    return request_id


@pytest.mark.on_sqlite
@pytest.mark.parametrize("stage", [OWNERS, OFFERING["route"]["stages"][0]], ids=["theirs", "stood in for"])
def test_a_signer_signs_in_as_strongly_as_the_stages_demand(hands, cast, actor_of, proposed, stage):
    number = proposed(route={"stages": [{**stage, "acr": STRONG}]})
    with pytest.raises(StepUpNeeded) as caught:
        put_name(hands, actor_of(cast.owner), number)
    assert caught.value.acr == STRONG
    put_name(hands, actor_of(cast.owner, acr=STRONG), number)
    assert put_name(hands, actor_of(cast.second_owner, acr=STRONG), number) is StandingState.IN_FORCE


@pytest.mark.on_sqlite
def test_what_is_signed_with_a_passkey_is_not_covered(hands, cast, in_force):
    in_force(signature={"passkey_from": "low"})
    assert "At this risk every decision is signed with a passkey." in why_not(hands, cast)


def test_a_unit_whose_own_group_decides_is_not_covered(hands, cast, in_force):
    in_force(route={"stages": [{**OWNERS, "quorum": 1}]})
    with hands.portal.db.transaction() as session:
        unit = session.get_one(Person, cast.requester).unit_id
        own = {"approver_groups": {"crm-owners": "security"}}
        session.execute(update(Unit).where(Unit.id == unit).values(settings=own))
    assert "Another group decides for this unit" in why_not(hands, cast)
    assert hands.shelf.acts == []


@pytest.mark.parametrize("altered", [{"uses": 900}, {"scope": "1 == 1"}, {"name": "Other words"}])
def test_a_row_that_was_altered_covers_nothing(hands, cast, in_force, altered):
    number = in_force()
    alter(hands, number, **altered)
    assert "It no longer says what was signed." in why_not(hands, cast)


@pytest.mark.on_sqlite
def test_an_altered_row_is_not_signed(hands, cast, actor_of, proposed):
    number = proposed()
    alter(hands, number, uses=900)
    with pytest.raises(Conflict, match="not what you were shown"):
        put_name(hands, actor_of(cast.owner), number)


@pytest.mark.parametrize("spoil", ["ended", "altered"])
def test_nothing_starts_by_one_that_ended_or_was_altered_meanwhile(hands, cast, clock, in_force, spoil):
    number = in_force()
    request_id = prepared(hands, cast)
    if spoil == "ended":
        clock.pass_time(days=20)
    else:
        alter(hands, number, scope="1 == 1")
    hands.work()
    assert hands.request(request_id).state is State.PENDING
    assert hands.shelf.acts == []


@pytest.mark.on_sqlite
def test_whoever_decides_for_a_signer_that_asks_does_not_count(hands, cast, actor_of, clock, in_force):
    """Three could sign; the one who asks delegates to one of the two who did."""
    with hands.portal.db.transaction() as session:
        group = session.scalars(select(Group).where(Group.slug == "crm-owners")).one()
        session.add(Membership(group_id=group.id, person_id=cast.security))
    in_force()
    with hands.portal.db.transaction() as session:
        today = date(2026, 11, 18)
        name = session.get_one(Person, cast.owner).user_name
        wish = Wish(name, today, today + timedelta(days=2), every=True, offerings=())
        give(session, actor_of(cast.security), wish, settings=hands.portal.settings)
    assert "one of them asks for this" in why_not(hands, cast, cast.security)
