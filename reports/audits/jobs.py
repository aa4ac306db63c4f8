"""What each kind of task of this room runs, and what becomes of an audit whose task is set aside."""

from __future__ import annotations

from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.audit import record
from portal.audit.checkpoint import Signer
from portal.core.language import N_, say
from portal.identity.actor import PORTAL
from portal.jobs import Handlers, Task
from reports.audits import tags
from reports.audits.counting import count_audit
from reports.audits.making import make_audit
from reports.audits.model import Audit, AuditDraw, AuditState, DrawState
from reports.audits.ordering import COUNT, MAKE, get_locked_audit

GAVE_UP = N_(
    "It was tried several times and did not come to its end. The operators see why; it can be tried again."
)


def handlers(signer: Signer) -> Handlers:
    """What each kind of task runs."""
    return {COUNT: partial(count_audit, signer=signer), MAKE: partial(make_audit, signer=signer)}


def on_set_aside(session: Session, task: Task) -> None:
    """In the transaction that sets a task aside: the audit's page says so, and offers to try again."""
    draw: AuditDraw | None = None
    if task.kind == COUNT:
        audit = get_locked_audit(session, task.payload["audit_id"])
        if audit.state is not AuditState.COUNTING:
            return
        audit.state, audit.why = AuditState.FAILED, say(GAVE_UP)
    elif task.kind == MAKE:
        draw = session.get_one(AuditDraw, task.payload["draw_id"])
        audit = session.scalars(select(Audit).where(Audit.id == draw.audit_id)).one()
        if draw.state is not DrawState.MAKING:
            return
        draw.state, draw.why = DrawState.FAILED, say(GAVE_UP)
    else:
        return
    record(
        session,
        tags.FAILED,
        subject=tags.subject_of(audit.reference),
        actor=PORTAL,
        facts={"draw": draw.number if draw else None},
    )
