from __future__ import annotations

import pytest

from portal.core.errors import Conflict, NotFound
from portal.jobs import Task, TaskError, TaskState, enqueue, run_due
from portal.jobs.operators import cancel, put_back, task_counts, tasks_open, tasks_recent, tasks_set_aside


def fail(job):
    raise TaskError("The target refuses.", permanent=True)


@pytest.fixture
def set_aside(db, workshop):
    with db.transaction() as session:
        task_id = enqueue(session, "note", {}).id
    run_due(workshop(note=fail))
    return task_id


def test_operators_see_what_was_set_aside_and_why(db, set_aside):
    with db.reading() as session:
        (task,) = tasks_set_aside(session)
        assert (task.id, task.last_error) == (set_aside, "The target refuses.")
        assert tasks_open(session) == []
        assert [task.id for task in tasks_recent(session)] == [set_aside]
        assert tasks_recent(session, before=set_aside) == []
        assert task_counts(session) == {TaskState.FAILED: 1}


def test_a_task_put_back_has_all_its_tries_again(db, set_aside, workshop):
    with db.transaction() as session:
        put_back(session, set_aside)
    assert run_due(workshop(note=lambda job: None)) == 1
    with db.reading() as session:
        task = session.get_one(Task, set_aside)
    assert (task.state, task.attempts) == (TaskState.DONE, 1)


def test_a_cancelled_task_never_runs(db, workshop):
    with db.transaction() as session:
        task_id = enqueue(session, "note", {}).id
    with db.transaction() as session:
        cancel(session, task_id)
    assert run_due(workshop(note=fail)) == 0


@pytest.mark.parametrize("state", [state for state in TaskState if state is not TaskState.FAILED])
def test_only_a_task_that_was_set_aside_can_be_put_back(db, state):
    with db.transaction() as session:
        task = enqueue(session, "note", {})
        task.state = state
    with pytest.raises(Conflict), db.transaction() as session:
        put_back(session, task.id)


@pytest.mark.parametrize("state", [TaskState.RUNNING, TaskState.DONE, TaskState.CANCELLED])
def test_a_task_that_runs_or_is_over_cannot_be_cancelled(db, state):
    with db.transaction() as session:
        task = enqueue(session, "note", {})
        task.state = state
    with pytest.raises(Conflict), db.transaction() as session:
        cancel(session, task.id)


def test_a_task_that_is_not_there_is_said_so(db):
    with pytest.raises(NotFound), db.transaction() as session:
        put_back(session, 99)
