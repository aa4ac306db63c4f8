"""Doing manual work: taking it, ticking items, recording that it is done or cannot be."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from catalog.attachments.attach import attach
from catalog.attachments.references import FileReference
from catalog.fulfilment.connectors.manual import tags
from catalog.fulfilment.connectors.manual.model import ManualState, ManualTask
from catalog.fulfilment.connectors.manual.parameters import UNDO
from catalog.fulfilment.connectors.manual.queries import find_live, is_member, parties_of
from catalog.fulfilment.connectors.manual.recorded import part_of, proof_of
from catalog.fulfilment.waking import wake
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, subject_of
from portal.audit import record
from portal.core import times
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, Forbidden, NotFound
from portal.core.language import N_, _, spoken
from portal.core.text import clean_text
from portal.identity.actor import Actor

NOT_YOURS = N_("There is no such task, or it is not your group's.")
LONGEST_NOTE = 4000
LEAST_REASON = 5


@dataclass(frozen=True, slots=True)
class Said:
    """What a person has filled in: the items that are ticked, by position, and their words."""

    ticked: Collection[int]
    note: str = ""
    reason: str = ""
    files: tuple[FileReference, ...] = ()


def take(session: Session, actor: Actor, task_id: int) -> ManualTask:
    """Say that one will do it. Raises NotFound, Forbidden, Conflict when it is closed or another has it."""
    request, task = _for_work(session, actor, task_id)
    if task.holder_id not in {None, actor.person_id}:
        raise Conflict(_("A colleague has taken this task meanwhile."))
    _hold(session, actor, request, task)
    return task


def give_back(session: Session, actor: Actor, task_id: int) -> ManualTask:
    """Leave it to whoever in the group takes it; a task that a colleague has can be freed too."""
    request, task = _for_work(session, actor, task_id)
    if task.holder_id is not None:
        record(session, tags.GIVEN_BACK, subject=subject_of(request), actor=actor, facts={"task": task.id})
    task.holder_id = None
    return task


def save(session: Session, actor: Actor, task_id: int, said: Said) -> ManualTask:
    """Keep what was ticked and written so far, and the proof; whoever saves has the task."""
    request, task = _for_work(session, actor, task_id)
    _hold(session, actor, request, task)
    _keep(session, actor, request, task, said)
    return task


def finish(session: Session, actor: Actor, task_id: int, said: Said) -> ManualTask:
    """Record that it is done. Raises FieldError for an item that is neither ticked nor explained."""
    request, task = _for_work(session, actor, task_id)
    _hold(session, actor, request, task)
    _keep(session, actor, request, task, said)
    left = [item for item in task.items if item.ticked_at is None]
    if left and len(task.reason) < LEAST_REASON:
        message = _(
            "“%(item)s” is not ticked. Tick every item, or write why it was left out.",
            item=spoken(left[0].text),
        )
        raise FieldError("reason", message)
    if left and len(left) == len(task.items):
        message = _("No item is ticked. If nothing could be done, say that it cannot be done.")
        raise FieldError("items", message)
    _close(session, actor, task, ManualState.DONE)
    if task.action == UNDO:
        done = find_live(session, task.entitlement_key)
        if done is not None:
            done.undone_at = now(session)
    record(
        session,
        tags.DONE,
        subject=subject_of(request),
        actor=actor,
        facts={
            "task": task.id,
            "key": task.key,
            "action": task.action,
            "ticked": len(task.items) - len(left),
            "items": len(task.items),
            "proof": [file.digest for file in proof_of(session, task)],
        },
        personal={"note": task.note, "reason": task.reason},
    )
    wake(session, task.key, because=part_of(task.id))
    return task


def cannot_be_done(session: Session, actor: Actor, task_id: int, reason: str) -> ManualTask:
    """Record that it cannot be done; the step fails for good. Raises FieldError without a reason."""
    request, task = _for_work(session, actor, task_id)
    said = _clean("why_not", reason)
    if len(said) < LEAST_REASON:
        raise FieldError("why_not", _("Write why this cannot be done; the requester reads it."))
    task.reason = said
    _close(session, actor, task, ManualState.IMPOSSIBLE)
    record(
        session,
        tags.IMPOSSIBLE,
        subject=subject_of(request),
        actor=actor,
        facts={"task": task.id, "key": task.key, "action": task.action},
        personal={"why": said},
    )
    wake(session, task.key, because=part_of(task.id))
    return task


def get_task(session: Session, actor: Actor, task_id: int) -> ManualTask:
    """The task, for a member of its group. Raises NotFound for anybody else: that it exists is a secret."""
    task = session.get(ManualTask, task_id)
    if task is None or not is_member(session, task.group_id, actor.person_id):
        raise NotFound(_(NOT_YOURS))
    return task


def _for_work(session: Session, actor: Actor, task_id: int) -> tuple[Request, ManualTask]:
    """Request and task, locked in the order in which everybody locks them."""
    known = get_task(session, actor, task_id)
    request = get_locked(session, known.request_id)
    statement = select(ManualTask).where(ManualTask.id == task_id).options(selectinload(ManualTask.items))
    task = session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one()
    if actor.person_id in parties_of(request):
        raise Forbidden(
            _("Whoever asks or receives cannot do this work themselves. Leave it to a colleague.")
        )
    if task.state is not ManualState.OPEN:
        raise Conflict(_("This task is closed already; nothing was changed."))
    return request, task


def _hold(session: Session, actor: Actor, request: Request, task: ManualTask) -> None:
    if task.holder_id != actor.person_id:
        task.holder_id = actor.person_id
        record(session, tags.TAKEN, subject=subject_of(request), actor=actor, facts={"task": task.id})


def _keep(session: Session, actor: Actor, request: Request, task: ManualTask, said: Said) -> None:
    at = now(session)
    for item in task.items:
        if item.position not in said.ticked:
            item.ticked_at = item.ticked_by_id = None
        elif item.ticked_at is None:
            item.ticked_at, item.ticked_by_id = at, actor.person_id
    task.note = _clean("note", said.note)
    task.reason = _clean("reason", said.reason)
    _attach(session, actor, request, task, said.files)


def _attach(
    session: Session, actor: Actor, request: Request, task: ManualTask, files: Iterable[FileReference]
) -> None:
    attach(session, actor, request, files, part=part_of(task.id), uploader_id=actor.person_id or 0)


def _close(session: Session, actor: Actor, task: ManualTask, state: ManualState) -> None:
    task.state = state
    task.closed_at = now(session)
    task.closed_by_id = actor.person_id
    session.flush()


def _clean(field: str, text: str) -> str:
    try:
        said = clean_text(text)
    except ValueError as error:
        raise FieldError(field, f"{error}.") from error
    if len(said) > LONGEST_NOTE:
        message = _("This is longer than %(most)s characters; shorten it.", most=times.number(LONGEST_NOTE))
        raise FieldError(field, message)
    return said
