"""Where a person stands who may decide, and says something else first."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.conversation.model import Remark, RemarkState
from approvals.decisions.changes import SealChanged, changes_since
from approvals.decisions.model import Verdict
from approvals.decisions.right import NotYours, stage_for
from approvals.routing.eligible import eligible_now
from approvals.routing.model import Stage
from approvals.routing.stages import decisions_of, stages_of
from catalog.requests.model import Request
from catalog.requests.moves import get_locked
from portal.core.errors import Conflict
from portal.core.language import _
from portal.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class Standing:
    """An approver before an open stage of a locked request."""

    request: Request
    stage: Stage
    person_id: int


def stand(session: Session, actor: Actor, request_id: int, seal: str) -> Standing:
    """The open stage in which the actor could approve now, by the same rules as for deciding.

    Raises NotYours, Conflict, or SealChanged when the request is not what the actor saw.
    """
    if (person_id := actor.person_id) is None:
        raise NotYours(_("Only people decide."))
    request = get_locked(session, request_id)
    stages = stages_of(session, request)
    decisions = decisions_of(session, request)
    eligible = eligible_now(session, request, stages)
    stage = stage_for(person_id, request, stages, decisions, eligible, verdict=Verdict.APPROVE)
    if seal != request.seal:
        raise SealChanged(changes_since(session, request, seal))
    return Standing(request, stage, person_id)


def insist_on_none_open(session: Session, standing: Standing) -> None:
    """Raises Conflict while something that this person asked or proposed waits for the requester."""
    waiting = session.scalar(
        select(Remark.id).where(
            Remark.request_id == standing.request.id,
            Remark.author_id == standing.person_id,
            Remark.state == RemarkState.OPEN,
        )
    )
    if waiting is not None:
        raise Conflict(
            _(
                "You have asked %(requester)s already, and wait for the answer.",
                requester=standing.request.requester.name,
            )
        )
