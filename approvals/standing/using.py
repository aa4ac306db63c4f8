"""Using a standing approval: the request goes on at once, and names it with its signers."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import tags
from approvals.routing.messages import tell_approved
from approvals.routing.model import Stage, StageState
from approvals.routing.relations import excluded_from
from approvals.standing.cover import rule_of
from approvals.standing.digest import is_as_proposed
from approvals.standing.model import StandingApproval, StandingState
from approvals.standing.signers import barred, complete, needed, signatures_of
from catalog.offerings.emergency import STANDING
from catalog.requests.events import FulfilmentStarting, RequestApproved
from catalog.requests.model import Request
from catalog.requests.moves import THE_PORTAL, get_locked, hand_baton, move, subject_of
from catalog.requests.route import RouteStage
from catalog.requests.states import Move
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict
from portal.core.events import publish
from portal.core.language import _
from portal.identity.actor import PORTAL


def approve_by_standing(session: Session, request: Request, stage: RouteStage) -> None:
    """Approve the request that was just sealed with this stage as its route; one use was spent on it already."""
    row = session.scalars(
        select(Stage).where(Stage.request_id == request.id, Stage.revision == request.revision)
    ).one()
    row.state = StageState.APPROVED
    row.closed_at = now(session)
    standing = _named_in(session, stage.approvers[0].rule)
    facts = {"stage": STANDING, "revision": request.revision, "seal": request.seal}
    record(
        session,
        tags.STANDING_USED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            **facts,
            "standing": standing.id,
            "digest": standing.digest,
            "signers": [f"person:{person.person_id}" for person in stage.approvers],
            "used": standing.used,
            "uses": standing.uses,
        },
        personal={"name": standing.name},
    )
    record(
        session,
        tags.STAGE_APPROVED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={**facts, "quorum": 0},
    )
    move(session, request, Move.APPROVE)
    request.decided_at = now(session)
    hand_baton(session, request, THE_PORTAL)
    publish(session, RequestApproved(request.id))
    tell_approved(session, request)


def on_fulfilment_starting(session: Session, event: FulfilmentStarting) -> None:
    """Let nothing start by a standing approval that no longer stands. Raises Conflict."""
    request = get_locked(session, event.request_id)
    if [stage["slug"] for stage in request.route] != [STANDING]:
        return
    rule = request.route[0]["approvers"][0]["rule"]
    standing = _named_in(session, rule)
    signed = signatures_of(session, standing)
    wanted = needed(session, standing)
    without = barred(session, wanted, excluded_from(request, request.version))
    if (
        standing.state is not StandingState.IN_FORCE
        or now(session) >= standing.ends_at
        or rule_of(standing) != rule
        or not is_as_proposed(standing)
        or not complete(wanted, signed, without=without)
    ):
        raise Conflict(
            _("The standing approval that allowed this no longer stands. Nothing was carried out.")
        )


def _named_in(session: Session, rule: str) -> StandingApproval:
    _kind, number, _digest = rule.split(":", 2)
    # As the row is now: what was read earlier in this transaction may have been altered since.
    return session.get_one(StandingApproval, int(number), populate_existing=True)
