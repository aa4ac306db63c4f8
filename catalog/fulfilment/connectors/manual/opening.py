"""Opening manual tasks for a group, and cancelling those that nobody needs any more."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.contract import ConnectorError, Plan
from catalog.fulfilment.connectors.manual import tags
from catalog.fulfilment.connectors.manual.model import ManualItem, ManualState, ManualTask
from catalog.fulfilment.connectors.manual.parameters import DO, Wanted, read_parameters
from catalog.fulfilment.connectors.manual.queries import doers_of, find_group, latest, parties_of
from catalog.fulfilment.planning import orders_of_request
from catalog.requests.events import RequestFailed, RequestReplanned
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from catalog.requests.telling import about
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import PortalError
from portal.core.language import N_, say
from portal.identity.actor import PORTAL
from portal.notifications import notify

UNDONE_ITEM = N_("Everything that was done is undone as the instructions say")
#: The first line of a manual plan.
BY_HAND = N_("%(group)s, by hand: %(title)s")


def open_task(session: Session, plan: Plan, key: str, entitlement_key: str, *, action: str) -> ManualTask:
    """Ask the plan's group to do it, or to undo it, and mail whoever in it may. Raises a permanent ConnectorError."""
    document = plan.document
    request = session.scalars(select(Request).where(Request.reference == document["reference"])).one_or_none()
    group = find_group(session, document["group"])
    if request is None or group is None:
        message = say(
            "There is no request %(reference)s or no group “%(group)s” any more.",
            reference=document["reference"] or say("yet"),
            group=document["group"],
        )
        raise ConnectorError(message, permanent=True)
    doers = doers_of(session, group.id, without=parties_of(request))
    if not doers:
        message = say(
            "Nobody in “%(group)s” may do this: whoever asks or receives cannot do it themselves. "
            "Ask the owner of the group to add somebody.",
            group=group.name,
        )
        raise ConnectorError(message, permanent=True)
    before = latest(session, key, action)
    doing = action == DO
    title, instructions, checklist = _words(session, plan, request, doing=doing)
    task = ManualTask(
        key=key,
        action=action,
        round=before.round + 1 if before else 1,
        entitlement_key=entitlement_key,
        request_id=request.id,
        group_id=group.id,
        title=title,
        instructions=instructions,
        plan=plan.to_json(),
        state=ManualState.OPEN,
        opened_at=now(session),
        items=[ManualItem(position=position, text=text) for position, text in enumerate(checklist, start=1)],
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
                "task": title,
                "group": group.name,
                "undoing": not doing,
                "items": list(checklist),
                "path": f"/work/{task.id}",
            },
        )
    return task


def _words(session: Session, plan: Plan, request: Request, *, doing: bool) -> tuple[str, str, Sequence[str]]:
    """Title, instructions and checklist in every language that the sealed plan and the offering's version have."""
    document = plan.document
    wanted = _wanted(session, plan, request)
    title = wanted.title if wanted else str(document["title"])
    if not doing:
        undo = str(plan.inverse["undo"])
        undoing = wanted.undo if wanted and str(wanted.undo) == undo else undo
        return say("Undo: %(title)s", title=title), undoing, (say(UNDONE_ITEM),)
    said = [line.text for line in plan.lines if line.change == "add"]
    checklist = said if [str(text) for text in said] == document["checklist"] else document["checklist"]
    instructions = str(document["instructions"])
    if wanted and str(wanted.instructions) == instructions:
        instructions = wanted.instructions
    return title, instructions, checklist


def _wanted(session: Session, plan: Plan, request: Request) -> Wanted | None:
    """What the request asks people for, in every language, where it is still what the plan says.

    The plan holds the English alone, because what is to be done is one thing in whatever language people read it.
    """
    try:
        asked = [
            read_parameters(step.order)
            for step in orders_of_request(session, request)
            if step.connector == plan.connector
        ]
    except (ConnectorError, PortalError):
        return None
    return next((wanted for wanted in asked if str(wanted.title) == plan.document["title"]), None)


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
