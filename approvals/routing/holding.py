"""Before anything is applied: whether every approval still holds."""

from __future__ import annotations

from sqlalchemy.orm import Session

from approvals.delegation.holding import backed, still_holds
from approvals.routing.carried import carried_approvals
from approvals.routing.eligible import eligible_now
from approvals.routing.model import StageState
from approvals.routing.stages import approvals_by_stage, decisions_of, stages_of
from catalog.requests.events import FulfilmentStarting
from catalog.requests.model import Request
from catalog.requests.moves import get_locked
from catalog.requests.seal import seal
from portal.core.errors import Conflict


def on_fulfilment_starting(session: Session, event: FulfilmentStarting) -> None:
    """Let fulfilment start only on what was agreed by people who may still agree to it.

    Raises Conflict, with the reason in a sentence, when the request is no longer what its seal says, when a
    stage is not approved, or when an approver's account or the membership that made them one is gone.
    """
    request = get_locked(session, event.request_id)
    _check_seal(request)
    stages = stages_of(session, request)
    if [(stage.position, stage.part, stage.slug, stage.quorum) for stage in stages] != [
        (sealed["position"], sealed["part"], sealed["slug"], sealed["quorum"]) for sealed in request.route
    ]:
        raise Conflict("The stages of this request are not those under its seal. Nothing was carried out.")
    decisions = decisions_of(session, request)
    approvals = approvals_by_stage(decisions)
    # Duty that has changed hands since does not take back what was decided on it.
    since = min((decision.decided_at for decision in decisions), default=None)
    eligible = eligible_now(session, request, stages, on_duty_since=since)
    counted: set[int] = set()
    allowed = backed(session, request, decisions)
    carried = carried_approvals(session, request)
    carried_to = {stage["slug"]: stage["carried"] for stage in request.route if stage.get("carried")}
    for stage in stages:
        earlier = carried_to.get(stage.slug)
        given = (
            [one.decision for one in carried if one.slug == stage.slug]
            if earlier
            else [one for one in approvals.get(stage.id, ()) if one.seal == request.seal]
        )
        holding = {
            decision.on_behalf_of_id or decision.person_id
            for decision in given
            if still_holds(decision, eligible[stage.id], allowed)
        } - counted
        needed = earlier["quorum"] if earlier else stage.quorum
        if stage.state is not StageState.APPROVED or len(holding) < needed:
            raise Conflict(
                f"The approval of the stage “{stage.name}” no longer holds: whoever gave it may not decide there "
                "any more. Nothing was carried out."
            )
        counted |= holding


def _check_seal(request: Request) -> None:
    if not request.seal or seal(request) != request.seal:
        raise Conflict("This request is not what was sealed. Nothing was carried out.")
