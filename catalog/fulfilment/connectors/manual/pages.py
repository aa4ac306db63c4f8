"""The pages of manual work, gathered: frozen, in the reader's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.attachments.queries import attachments_of
from catalog.fulfilment.connectors.manual.doing import NOT_YOURS
from catalog.fulfilment.connectors.manual.model import ManualState, ManualTask
from catalog.fulfilment.connectors.manual.parameters import UNDO
from catalog.fulfilment.connectors.manual.queries import find_shown, parties_of, tasks_for
from catalog.fulfilment.connectors.manual.recorded import part_of
from catalog.offerings.queries import document_of
from catalog.requests.answers import AnswerLine, answer_lines, spoken_end
from catalog.requests.named import named_in
from catalog.requests.presenters import PlanLines, lines_of
from portal.core.clock import now
from portal.core.errors import NotFound
from portal.core.language import _, spoken
from portal.identity.actor import Actor
from portal.identity.model import Person

MOST_DONE = 25


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One task in a list."""

    id: int
    title: str
    reference: str
    offering: str
    group: str
    who: str
    holder: str
    ticked: int
    items: int
    state: str
    when: datetime


@dataclass(frozen=True, slots=True)
class WorkList:
    """The tasks of a person's groups: theirs, those that wait for anybody, and what was done lately."""

    now: datetime
    mine: tuple[WorkLine, ...]
    open: tuple[WorkLine, ...]
    closed: tuple[WorkLine, ...]


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One line of the checklist."""

    position: int
    text: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file to download."""

    id: int
    name: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class WorkPage:
    """One task in full. `hindrance` says why this person may only look on."""

    id: int
    now: datetime
    title: str
    instructions: str
    undoing: bool
    reference: str
    offering: str
    request_title: str
    beneficiary: str
    requester: str
    reason_asked: str
    ends: str
    group: str
    state: str
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str
    holder: str
    mine: bool
    hindrance: str
    items: tuple[ItemLine, ...]
    note: str
    reason: str
    plan: PlanLines
    seal: str
    answers: tuple[AnswerLine, ...]
    given: tuple[FileLine, ...]
    proof: tuple[FileLine, ...]

    @property
    def may_work(self) -> bool:
        """Whether this person may fill it in."""
        return self.state == ManualState.OPEN and not self.hindrance


def work_list(session: Session, actor: Actor) -> WorkList:
    """The actor's groups' tasks, in few statements however many there are."""
    zone = ZoneInfo(actor.timezone)
    waiting = tasks_for(session, actor, ManualState.OPEN)
    closed = tasks_for(session, actor, ManualState.DONE, ManualState.IMPOSSIBLE, limit=MOST_DONE)
    people = _names(session, [*waiting, *closed])
    lines = {task.id: _line(task, people, zone) for task in (*waiting, *closed)}
    return WorkList(
        now=now(session).astimezone(zone),
        mine=tuple(lines[task.id] for task in waiting if task.holder_id == actor.person_id),
        open=tuple(lines[task.id] for task in waiting if task.holder_id != actor.person_id),
        closed=tuple(lines[task.id] for task in closed),
    )


def work_page(session: Session, actor: Actor, task_id: int) -> WorkPage:
    """The task as a member of its group sees it. Raises NotFound for anybody else."""
    task = find_shown(session, actor, task_id)
    if task is None:
        raise NotFound(_(NOT_YOURS))
    zone = ZoneInfo(actor.timezone)
    request = task.request
    document = document_of(request.version)
    parties = (request.requester, request.beneficiary)
    people = _names(session, [task])
    files = attachments_of(session, request.id)
    lines = {file.id: FileLine(file.id, file.name, file.digest, file.size) for file in files}
    return WorkPage(
        id=task.id,
        now=now(session).astimezone(zone),
        title=spoken(task.title),
        instructions=spoken(task.instructions),
        undoing=task.action == UNDO,
        reference=request.reference,
        offering=document.spoken().name,
        request_title=spoken(request.title),
        beneficiary=request.beneficiary.name,
        requester=request.requester.name,
        reason_asked=request.reason,
        ends=spoken_end(request.ends_at, actor.timezone),
        group=task.group.name,
        state=task.state.value,
        opened_at=task.opened_at.astimezone(zone),
        closed_at=task.closed_at.astimezone(zone) if task.closed_at else None,
        closed_by=people.get(task.closed_by_id, ""),
        holder=people.get(task.holder_id, ""),
        mine=task.holder_id == actor.person_id,
        hindrance=_hindrance(task, actor),
        items=tuple(
            ItemLine(item.position, spoken(item.text), item.ticked_at is not None) for item in task.items
        ),
        note=task.note,
        reason=task.reason,
        plan=lines_of(task.plan),
        seal=request.seal,
        answers=answer_lines(
            document, request.answers, named_in(session, document, request.answers, parties)
        ),
        given=tuple(lines[file.id] for file in files if file.part == "answers"),
        proof=tuple(lines[file.id] for file in files if file.part == part_of(task.id)),
    )


def _hindrance(task: ManualTask, actor: Actor) -> str:
    if actor.person_id in parties_of(task.request):
        return _("You asked for this or receive it, so a colleague of yours has to do it.")
    return ""


def _line(task: ManualTask, people: dict[int | None, str], zone: ZoneInfo) -> WorkLine:
    return WorkLine(
        id=task.id,
        title=spoken(task.title),
        reference=task.request.reference,
        offering=document_of(task.request.version).spoken().name,
        group=task.group.name,
        who=task.request.beneficiary.name,
        holder=people.get(task.holder_id if task.closed_by_id is None else task.closed_by_id, ""),
        ticked=sum(item.ticked_at is not None for item in task.items),
        items=len(task.items),
        state=task.state.value,
        when=(task.closed_at or task.opened_at).astimezone(zone),
    )


def _names(session: Session, tasks: list[ManualTask]) -> dict[int | None, str]:
    ids = {number for task in tasks for number in (task.holder_id, task.closed_by_id) if number}
    if not ids:
        return {}
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {number: name for number, name in rows}  # noqa: C416  (rows type as tuples only when unpacked)
