"""Tasks of requests that were set aside: the operators hold the baton until they put them back."""

from __future__ import annotations

from sqlalchemy.orm import Session

from catalog.fulfilment.last_words import last_line
from catalog.fulfilment.operators import tell_operators, what_of
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.moves import OPERATORS, THE_PORTAL, get_locked, hand_baton, subject_of
from catalog.requests.states import State
from portal.audit import record
from portal.core.errors import NotFound
from portal.core.language import say
from portal.identity.actor import PORTAL, Actor
from portal.jobs.model import Task
from portal.jobs.operators import put_back
from portal.notifications.write import SEND_MAIL

_PREFIX = "request:"
#: Where a request waits for a task; elsewhere a task that was set aside holds nothing of it up.
_WAITING = frozenset({State.PREPARING, State.SCHEDULED, State.FULFILLING})


def on_set_aside(session: Session, task: Task) -> None:
    """A task gave up after its tries: say on its request who must act now, and write it down."""
    request = _request_of(session, task)
    if task.kind != SEND_MAIL:  # by mail nobody learns that mail cannot be sent
        tell_operators(
            session,
            say("%(task)s: set aside after its last try", task=what_of(task.kind)),
            task=f"{task.id} ({task.kind})",
            reference=request.reference if request else "",
            why=_first_line(task.last_error),
        )
    if request is None:
        return
    record(
        session,
        tags.SET_ASIDE,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"task": task.id, "kind": task.kind},
        personal={"why": _first_line(task.last_error)},
    )
    if request.state in _WAITING:
        hand_baton(session, request, OPERATORS)


def try_task_again(session: Session, actor: Actor, task_id: int) -> Task:
    """Put a task that was set aside back, and the baton with it. Raises NotFound, Conflict."""
    task = put_back(session, task_id)
    request = _request_of(session, task)
    if request is None:
        subject = f"task:{task.id}"
    else:
        subject = subject_of(request)
        if request.state in _WAITING:
            hand_baton(session, request, THE_PORTAL)
    record(session, tags.RETRIED, subject=subject, actor=actor, facts={"task": task.id, "kind": task.kind})
    return task


def _request_of(session: Session, task: Task) -> Request | None:
    number = (task.subject or "").removeprefix(_PREFIX)
    if not (task.subject or "").startswith(_PREFIX) or not number.isdecimal():
        return None
    try:
        return get_locked(session, int(number))
    except NotFound:
        return None


def _first_line(error: str | None) -> str:
    return last_line(error) or say("It did not end well in any of its tries.")
