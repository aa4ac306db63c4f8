"""What people recorded of a manual task, for reading back: who, what, when, and the digests of their proof."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.attachments.model import Attachment
from catalog.fulfilment.connectors.contract import PlanLine
from catalog.fulfilment.connectors.manual.model import ManualTask
from portal.core import times
from portal.core.language import Said, _, every_language, say
from portal.identity.model import Person


def part_of(task_id: int) -> str:
    """How attachments name the task whose proof they are."""
    return f"task:{task_id}"


def proof_of(session: Session, task: ManualTask) -> Sequence[Attachment]:
    """The files that were attached as proof."""
    statement = select(Attachment).where(
        Attachment.request_id == task.request_id, Attachment.part == part_of(task.id)
    )
    return session.scalars(statement.order_by(Attachment.id)).all()


def facts_of(session: Session, task: ManualTask) -> dict[str, Any]:
    """What was recorded, as JSON; people by their number."""
    return {
        "task": task.id,
        "by": f"person:{task.closed_by_id}",
        "at": task.closed_at.isoformat() if task.closed_at else None,
        "ticked": [item.position for item in task.items if item.ticked_at],
        "left_out": [item.position for item in task.items if not item.ticked_at],
        "proof": [file.digest for file in proof_of(session, task)],
    }


def lines_of(session: Session, task: ManualTask) -> tuple[PlanLine, ...]:
    """The same for people."""
    lines = [PlanLine("note", _recorded(session.get_one(Person, task.closed_by_id).name, task.closed_at))]
    lines += [
        PlanLine("add", item.text)
        if item.ticked_at
        else PlanLine("note", say("Left out: %(item)s", item=item.text))
        for item in task.items
    ]
    if task.reason:
        lines.append(PlanLine("note", say("Why items were left out: %(reason)s", reason=task.reason)))
    if task.note:
        lines.append(PlanLine("note", say("Note: %(note)s", note=task.note)))
    lines += [
        PlanLine("note", say("Proof: %(name)s (%(digest)s)", name=file.name, digest=file.digest))
        for file in proof_of(session, task)
    ]
    return tuple(lines)


def _recorded(name: str, at: datetime | None) -> Said:
    if at is None:
        return say("%(name)s recorded it as done", name=name)

    def speak() -> str:
        when = times.moment_plain(at.astimezone(UTC))
        return _("%(name)s recorded it as done on %(when)s", name=name, when=when)

    return every_language(speak)
