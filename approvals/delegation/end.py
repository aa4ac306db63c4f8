"""Ending a delegation before its last day: the delegator takes it back, or the substitute declines it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.delegation import tags
from approvals.delegation.model import Delegation
from approvals.delegation.telling import tell_ended
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, NotFound
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.model import Person


def end(session: Session, actor: Actor, delegation_id: int) -> Delegation:
    """End it now and tell the other one. What was decided under it stays decided.

    Raises NotFound for anybody but the two, Conflict for one that has ended.
    """
    statement = select(Delegation).where(Delegation.id == delegation_id).with_for_update()
    delegation = session.scalars(statement).one_or_none()
    if delegation is None or actor.person_id not in {delegation.delegator_id, delegation.substitute_id}:
        raise NotFound(_("There is no such delegation of yours."))
    at = now(session)
    if delegation.ends_at <= at or delegation.ends_at <= delegation.begins_at:
        raise Conflict(_("This delegation has ended already."))
    # One that has not begun never does: it ends at the moment at which it would have begun.
    delegation.ends_at = max(at, delegation.begins_at)
    delegation.ended_by_id = actor.person_id
    declined = actor.person_id == delegation.substitute_id
    record(
        session,
        tags.DECLINED if declined else tags.ENDED,
        subject=f"person:{delegation.delegator_id}",
        actor=actor,
        facts={"delegation": delegation.id, "substitute": f"person:{delegation.substitute_id}"},
    )
    told, other = delegation.substitute_id, delegation.delegator_id
    if declined:
        told, other = other, told
    tell_ended(
        session,
        delegation,
        session.get_one(Person, told),
        session.get_one(Person, other),
        declined=declined,
    )
    return delegation
