"""Opening manual tasks for a group, and cancelling those that nobody needs any more."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.contract import ConnectorError, Plan
from catalog.fulfilment.connectors.manual import tags
from catalog.fulfilment.connectors.manual.model import ManualItem, ManualState, ManualTask
from catalog.fulfilment.connectors.manual.parameters import DO
from catalog.fulfilment.connectors.manual.queries import doers_of, find_group, latest, parties_of
from catalog.requests.events import RequestFailed, RequestReplanned
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from catalog.requests.telling import about
from portal.audit import record
from portal.core.clock import now
from portal.identity.actor import PORTAL
from portal.notifications import notify

UNDONE_ITEM = "Everything that was done is undone as the instructions say"


def open_task(session: Session, plan: Plan, key: str, entitlement_key: str, *, action: str) -> ManualTask:
    """Ask the plan's group to do it, or to undo it, and mail whoever in it may. Raises a permanent ConnectorError."""
    document = plan.document
    request = session.scalars(select(Request).where(Request.reference == document["reference"])).one_or_none()
    group = find_group(session, document["group"])
    if request is None or group is None:
        raise ConnectorError(
            f"There is no request {document['reference'] or 'yet'} or no group “{document['group']}” any more.",
            permanent=True,
        )
    doers = doers_of(session, group.id, without=parties_of(request))
    if not doers:
        raise ConnectorError(
            f"Nobody in “{group.name}” may do this: whoever asks or receives cannot do it themselves. "
            "Ask the owner of the group to add somebody.",
            permanent=True,
        )
    before = latest(session, key, action)
    doing = action == DO
    task = ManualTask(
        key=key,
        action=action,
        round=before.round + 1 if before else 1,
        entitlement_key=entitlement_key,
        request_id=request.id,
        group_id=group.id,
        title=document["title"] if doing else f"Undo: {document['title']}",
        instructions=document["instructions"] if doing else plan.inverse["undo"],
        plan=plan.to_json(),
        state=ManualState.OPEN,
        opened_at=now(session),
        items=[
            ManualItem(position=position, text=text)
            for position, text in enumerate(document["checklist"] if doing else (UNDONE_ITEM,), start=1)
        ],
    )
    session.add(task)
    session.flush()
    record(
        session,
        tags.OPENED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"task": task.id, "key": key, "action": action, "group": document["group"]},
    )
    for person in doers:
        notify(
            session,
            "manual_task",
            person,
            {
                **about(request),
                "task": task.title,
                "group": group.name,
                "undoing": not doing,
                "items": [item.text for item in task.items],
                "path": f"/work/{task.id}",
            },
        )
    return task


def cancel(session: Session, task: ManualTask) -> None:
    """Nobody need do it any more."""
    task.state = ManualState.CANCELLED
    task.closed_at = now(session)
    record(
        session,
        tags.CANCELLED,
        subject=subject_of(session.get_one(Request, task.request_id)),
        actor=PORTAL,
        facts={"task": task.id, "action": task.action},
    )


def on_failed(session: Session, event: RequestFailed) -> None:
    """What was asked of people for a fulfilment that failed is not wanted any more."""
    _cancel_open(session, event.request_id)


def on_replanned(session: Session, event: RequestReplanned) -> None:
    """A request that is prepared again has another plan, and asks again."""
    _cancel_open(session, event.request_id)


def _cancel_open(session: Session, request_id: int) -> None:
    statement = select(ManualTask).where(
        ManualTask.request_id == request_id, ManualTask.state == ManualState.OPEN, ManualTask.action == DO
    )
    for task in session.scalars(statement.with_for_update()):
        cancel(session, task)
