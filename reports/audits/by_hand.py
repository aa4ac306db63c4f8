"""An audit from a terminal: its tasks are run here where no worker takes them, and watched where one does."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from portal.audit import record
from portal.core.database import Database
from portal.identity.actor import PORTAL
from portal.jobs import Task, TaskState, Workshop, run_task
from reports.audits import place, tags
from reports.audits.model import Audit, AuditDraw, AuditState, DrawState
from reports.audits.ordering import Wanted, give_nonce, order
from reports.audits.problems import AuditNotMade
from reports.audits.queries import find_file, get_audit

#: Seconds between two looks at a task that a worker has.
PAUSE = 0.5
Progress = Callable[[int, int], None]


def counted(workshop: Workshop, wanted: Wanted) -> Audit:
    """Order an audit and have it counted. Raises PortalError with what is in the way."""
    with workshop.db.transaction() as session:
        number = order(session, PORTAL, wanted).id
    _carry_on(workshop, number, lambda: _audit(workshop.db, number).state is AuditState.COUNTING)
    audit = _audit(workshop.db, number)
    if audit.state is AuditState.FAILED:
        raise AuditNotMade(audit.why)
    return audit


def drawn(workshop: Workshop, reference: str, nonce: str, progress: Progress) -> AuditDraw:
    """Draw by the auditor's word and have the report made. Raises PortalError with what is in the way."""
    with workshop.db.transaction() as session:
        audit = get_audit(session, PORTAL, reference)
        number = give_nonce(session, PORTAL, audit.id, nonce).id

    def under_way() -> bool:
        draw = _draw(workshop.db, number)
        progress(draw.done, draw.total)
        return draw.state is DrawState.MAKING

    _carry_on(workshop, audit.id, under_way)
    draw = _draw(workshop.db, number)
    if draw.state is DrawState.FAILED:
        raise AuditNotMade(draw.why)
    return draw


def save(workshop: Workshop, reference: str, number: int, name: str, target: Path) -> str:
    """Copy a file of a draw to the target, written down as a download; gives its digest. Raises PortalError, OSError."""
    with workshop.db.reading() as session:
        audit = get_audit(session, PORTAL, reference)
        file = find_file(session, audit, number, name)
    with workshop.db.transaction() as session:
        record(
            session,
            tags.DOWNLOADED,
            subject=tags.subject_of(reference),
            actor=PORTAL,
            facts={"draw": number, "name": name, "file": file.digest},
        )
    shutil.copyfile(place.path_of(workshop.settings, name, file.digest), target)
    return file.digest


def _carry_on(workshop: Workshop, audit_id: int, under_way: Callable[[], bool]) -> None:
    """Run the audit's tasks until nothing of it is under way; what a worker has is waited for."""
    while under_way():
        made = [run_task(workshop, number) for number in _tasks(workshop.db, audit_id)]
        if not any(made) and under_way():
            time.sleep(PAUSE)


def _tasks(db: Database, audit_id: int) -> list[int]:
    statement = (
        select(Task.id)
        .where(Task.subject == f"audit:{audit_id}", Task.state.in_((TaskState.WAITING, TaskState.RUNNING)))
        .order_by(Task.id)
    )
    with db.reading() as session:
        return list(session.scalars(statement))


def _audit(db: Database, number: int) -> Audit:
    with db.reading() as session:
        return session.get_one(Audit, number)


def _draw(db: Database, number: int) -> AuditDraw:
    with db.reading() as session:
        return session.get_one(AuditDraw, number)
