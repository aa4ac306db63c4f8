"""Manual work from the approval to the end of what it brought, without a try burnt while people take their time."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete

from catalog.entitlements.ending import give_back as give_entitlement_back
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.fulfilment.connectors.manual.doing import Said, cannot_be_done, finish, give_back, save, take
from catalog.fulfilment.connectors.manual.model import ManualState
from catalog.fulfilment.model import StepState
from catalog.fulfilment.orders import retry
from catalog.requests.states import State
from portal.core.errors import Conflict, FieldError, Forbidden, NotFound
from portal.identity.model import Group, Membership
from portal.jobs.model import TaskState
from tests.fixtures_manual import by_hand

ALL = Said(ticked={1, 2, 3}, note="Card 1234.")


def do(hands, person, function, *rest):
    with hands.portal.db.transaction() as session:
        return function(session, hands.actor_of(person), hands.tasks()[-1].id, *rest)


@pytest.mark.on_sqlite
def test_the_fulfilment_waits_for_people_without_burning_a_try(hands, cast, clock):
    request_id = hands.handed_over(cast)
    assert hands.steps()[0].state is StepState.WAITING_FOR_PEOPLE
    assert hands.request(request_id).baton == "crm owners"
    [job] = hands.jobs("fulfil")
    assert (job.state, job.attempts) == (TaskState.DONE, 1)
    clock.pass_time(days=40)
    assert hands.work() == 0 or hands.jobs("fulfil")[0].attempts == 1
    assert hands.request(request_id).state is State.FULFILLING
    # Olga and Otto own; Lena has left, so nobody mails her.
    assert hands.mailed("manual_task") == [cast.owner, cast.second_owner]


@pytest.mark.on_sqlite
def test_done_is_read_back_with_who_and_when_and_becomes_an_entitlement(hands, cast):
    request_id = hands.handed_over(cast, until="2026-12-24")
    do(hands, cast.owner, finish, ALL)
    assert hands.request(request_id).baton == "Countersign"
    hands.work()
    assert hands.request(request_id).state is State.FULFILLED
    read = hands.steps()[0].read_back
    assert read["facts"]["by"] == f"person:{cast.owner}"
    assert "Olga Owner recorded it as done on 18 November 2026, 09:00 UTC" in str(read["lines"])
    assert "Card 1234." in str(read["lines"])
    [entitlement] = hands.rows(Entitlement)
    assert entitlement.key.startswith("manual:SR-000001:")
    for tag in (
        "manual-task:opened",
        "step:handed-over",
        "manual-task:taken",
        "manual-task:done",
        "step:read-back",
    ):
        assert tag in hands.tags()
    done = json.loads(hands.bodies("manual-task:done")[0])
    assert done["actor"] == f"person:{cast.owner}"
    assert "Card 1234." not in json.dumps(done)


@pytest.mark.on_sqlite
def test_at_its_end_the_group_undoes_it_and_only_then_it_is_ended(hands, cast, clock):
    request_id = hands.handed_over(cast, until="2026-12-24")
    do(hands, cast.owner, finish, ALL)
    hands.work()
    clock.pass_time(days=45)
    hands.work()
    undo = hands.tasks()[-1]
    assert (undo.action, undo.state) == ("undo", ManualState.OPEN)
    assert "shred" in undo.instructions
    assert hands.rows(Entitlement)[0].state is EntitlementState.ENDING
    assert all(job.state is TaskState.DONE for job in hands.jobs("end_entitlement"))
    do(hands, cast.second_owner, finish, Said(ticked={1}))
    hands.work()
    assert hands.rows(Entitlement)[0].state is EntitlementState.ENDED
    assert hands.request(request_id).state is State.ENDED


def test_what_cannot_be_undone_waits_for_an_operator_who_may_ask_again(hands, cast, clock):
    hands.handed_over(cast)
    do(hands, cast.owner, finish, ALL)
    hands.work()
    with hands.portal.db.transaction() as session:
        give_entitlement_back(session, hands.actor_of(cast.requester), hands.rows(Entitlement)[0].id)
    hands.work()
    do(hands, cast.owner, cannot_be_done, "The badge is lost.")
    hands.work()
    assert hands.jobs("end_entitlement")[-1].state is TaskState.FAILED
    from catalog.fulfilment.set_aside import try_task_again

    with hands.portal.db.transaction() as session:
        try_task_again(session, hands.actor_of(cast.operator), hands.jobs("end_entitlement")[-1].id)
    hands.work()
    again = hands.tasks()[-1]
    assert (again.action, again.round, again.state) == ("undo", 2, ManualState.OPEN)


@pytest.mark.on_sqlite
def test_impossible_fails_the_step_for_good_and_undoes_what_went_before(hands, cast):
    before = {
        "step": "first",
        "name": "Put the word up",
        "connector": "shelf",
        "action": "put",
        "with": {"word": {"answer": "word"}},
    }
    content = by_hand()
    content["fulfilment"].insert(0, before)
    hands.publish(content)
    request_id = hands.handed_over(cast)
    assert hands.shelf.shelf
    do(hands, cast.owner, cannot_be_done, "The printer is broken.")
    hands.work()
    found = hands.request(request_id)
    assert found.state is State.FAILED
    assert "The printer is broken." in found.outcome
    assert not hands.shelf.shelf
    with hands.portal.db.transaction() as session:
        retry(session, hands.actor_of(cast.operator), found.reference)
    hands.work()
    assert [task.state for task in hands.tasks()] == [ManualState.IMPOSSIBLE, ManualState.OPEN]
    do(hands, cast.owner, finish, ALL)
    hands.work()
    assert hands.request(request_id).state is State.FULFILLED


@pytest.mark.on_sqlite
def test_a_later_failure_has_people_undo_before_the_request_fails(hands, cast):
    from catalog.fulfilment.connectors.contract import ConnectorError

    after = {
        "step": "last",
        "name": "Put the word up",
        "connector": "shelf",
        "action": "put",
        "with": {"word": {"answer": "word"}},
    }
    hands.publish(by_hand(more_steps=[after]))
    request_id = hands.handed_over(cast)
    hands.shelf.trouble["apply"] = ConnectorError("The shelf is full.", permanent=True)
    do(hands, cast.owner, finish, ALL)
    hands.work()
    assert hands.request(request_id).state is State.FULFILLING
    assert hands.request(request_id).baton == "crm owners"
    assert hands.tasks()[-1].action == "undo"
    do(hands, cast.owner, finish, Said(ticked={1}))
    hands.work()
    assert hands.request(request_id).state is State.FAILED
    assert hands.steps()[0].state is StepState.REVERTED


@pytest.mark.on_sqlite
def test_whoever_asks_or_receives_cannot_do_it_even_as_a_member(hands, cast):
    with hands.portal.db.transaction() as session:
        group = session.query(Group).filter_by(slug="crm-owners").one()
        session.add(Membership(group_id=group.id, person_id=cast.requester))
    hands.handed_over(cast)
    assert cast.requester not in hands.mailed("manual_task")
    for move in (take, give_back):
        with pytest.raises(Forbidden):
            do(hands, cast.requester, move)
    for move, said in ((save, ALL), (finish, ALL), (cannot_be_done, "I do not want to.")):
        with pytest.raises(Forbidden):
            do(hands, cast.requester, move, said)
    assert hands.tasks()[0].state is ManualState.OPEN


@pytest.mark.on_sqlite
def test_others_do_not_learn_that_the_task_exists(hands, cast):
    hands.handed_over(cast)
    for person in (cast.outsider, cast.manager, cast.operator, cast.leaver):
        with pytest.raises(NotFound):
            do(hands, person, finish, ALL)


@pytest.mark.on_sqlite
def test_who_has_left_the_group_cannot_record_it(hands, cast):
    hands.handed_over(cast)
    do(hands, cast.owner, take)
    with hands.portal.db.transaction() as session:
        session.execute(delete(Membership).where(Membership.person_id == cast.owner))
    with pytest.raises(NotFound):
        do(hands, cast.owner, finish, ALL)


def test_an_item_that_is_not_ticked_needs_a_reason(hands, cast):
    hands.handed_over(cast)
    with pytest.raises(FieldError, match="“Hand it over” is not ticked"):
        do(hands, cast.owner, finish, Said(ticked={1, 2}))
    with pytest.raises(FieldError, match="No item is ticked"):
        do(hands, cast.owner, finish, Said(ticked=(), reason="Nothing to do here."))
    with pytest.raises(FieldError, match="Write why"):
        do(hands, cast.owner, cannot_be_done, "  ")
    assert hands.tasks()[0].state is ManualState.OPEN
    do(hands, cast.owner, finish, Said(ticked={1, 2, 99}, reason="She fetches it tomorrow."))
    hands.work()
    lines = str(hands.steps()[0].read_back["lines"])
    assert "Left out: Hand it over" in lines
    assert "She fetches it tomorrow." in lines


def test_a_closed_task_is_not_recorded_twice(hands, cast):
    hands.handed_over(cast)
    do(hands, cast.owner, finish, ALL)
    for move, said in ((finish, ALL), (cannot_be_done, "Too late for that.")):
        with pytest.raises(Conflict):
            do(hands, cast.second_owner, move, said)
    assert hands.tags().count("manual-task:done") == 1


def test_colleagues_who_record_at_once_make_one_record(hands, cast):
    hands.handed_over(cast)
    task = hands.tasks()[0].id

    def record(person: int) -> str:
        try:
            with hands.portal.db.transaction() as session:
                finish(session, hands.actor_of(person), task, ALL)
        except Conflict:
            return "conflict"
        return "done"

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(record, [cast.owner, cast.second_owner] * 2))
    assert sorted(said) == ["conflict", "conflict", "conflict", "done"]


@pytest.mark.on_sqlite
def test_a_colleague_who_has_it_is_respected_and_can_be_relieved(hands, cast):
    hands.handed_over(cast)
    do(hands, cast.owner, take)
    with pytest.raises(Conflict, match="colleague"):
        do(hands, cast.second_owner, take)
    do(hands, cast.second_owner, give_back)
    do(hands, cast.second_owner, take)
    assert hands.tasks()[0].holder_id == cast.second_owner


def test_done_before_the_worker_had_written_that_it_waits_still_goes_on(hands, cast):
    """The last word of people may come between the task's opening and the worker's own note of it."""
    request_id = hands.submitted(cast.requester)
    hands.work()
    hands.approve(request_id, cast.manager)
    connector = hands.portal.connectors.get("manual")
    apply = connector.apply

    def impatient(plan, key):
        try:
            return apply(plan, key)
        finally:
            if hands.tasks() and hands.tasks()[-1].state is ManualState.OPEN:
                do(hands, cast.owner, finish, ALL)

    connector.apply = impatient
    hands.work()
    connector.apply = apply
    hands.work()
    assert hands.request(request_id).state is State.FULFILLED


@pytest.mark.on_sqlite
def test_a_request_that_was_tampered_with_asks_nobody_any_more(hands, cast):
    request_id = hands.handed_over(cast)
    from catalog.requests.model import Request

    with hands.portal.db.transaction() as session:
        session.get_one(Request, request_id).answers = {"word": "Mallory", "reason": "To get in."}
    do(hands, cast.owner, save, ALL)
    from catalog.fulfilment.waking import wake

    with hands.portal.db.transaction() as session:
        wake(session, hands.steps()[0].key, because="test")
    hands.work()
    assert hands.request(request_id).state is State.FAILED
    assert hands.tasks()[0].state is ManualState.CANCELLED


@pytest.mark.on_sqlite
def test_nobody_is_asked_when_only_the_requester_could(hands, cast, clock):
    with hands.portal.db.transaction() as session:
        group = session.query(Group).filter_by(slug="crm-owners").one()
        session.execute(delete(Membership).where(Membership.group_id == group.id))
        session.add(Membership(group_id=group.id, person_id=cast.requester))
    request_id = hands.submitted(cast.requester)
    hands.work()
    found = hands.request(request_id)
    assert found.state is State.REFUSED
    assert "Nobody in “crm owners” could do this" in found.outcome
    assert clock() - found.submitted_at < timedelta(minutes=1)
