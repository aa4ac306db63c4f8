"""Reassigning: an approver leaves the decision to another person who may make it in the same stage.

The sealed route says who may decide, and leaving it to another changes nothing of that: whoever left it is asked no
more, and keeps their right until the stage has decided. A person who is not under the seal gets no right by it.
"""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from approvals import tags
from approvals.conversation.standing import Standing, stand
from approvals.conversation.words import checked
from approvals.decisions.model import Reassignment
from approvals.delegation.substitutes import counted_in
from approvals.reassigning.holders import hand_back, left_in
from approvals.routing.eligible import eligible_now
from approvals.routing.matching import Demand, first_unmet
from approvals.routing.opening import ask
from approvals.routing.stages import decisions_of, stages_of, still_demanded
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from catalog.requests.telling import about
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError
from portal.core.language import _
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.notifications import notify


def reassign(
    session: Session,
    actor: Actor,
    request_id: int,
    *,
    to: int,
    reason: str,
    seal: str,
    settings: Settings,
) -> Reassignment:
    """Leave the actor's open stage to somebody who may decide it too; both are told.

    Raises what `stand` does, FieldError for somebody who may not decide there or a missing reason, Conflict where
    the stage cannot reach its quorum without the actor.
    """
    standing = stand(session, actor, request_id, seal)
    request, stage = standing.request, standing.stage
    reason = checked(reason, "reason", missing=_("Write why; they read it, and it goes into the evidence."))
    receiver = _receiver(session, standing, to)
    _insist_on_quorum(session, standing, receiver)
    # Given back, it is theirs again.
    session.execute(
        delete(Reassignment).where(
            Reassignment.stage_id == stage.id, Reassignment.from_id.in_((receiver.id, standing.person_id))
        )
    )
    made = Reassignment(
        stage_id=stage.id,
        from_id=standing.person_id,
        to_id=receiver.id,
        reason=reason,
        made_at=now(session),
    )
    session.add(made)
    record(
        session,
        tags.REASSIGNED,
        subject=subject_of(request),
        actor=actor,
        facts={
            "stage": stage.slug,
            "revision": request.revision,
            "seal": request.seal,
            "to": f"person:{receiver.id}",
        },
        personal={"reason": reason},
    )
    session.flush()
    if request.paused_since is None:
        hand_back(session, request, {stage.id: (receiver.id,)} if stage.quorum == 1 else {})
    _tell(session, actor, standing, receiver, reason)
    # With the card itself and a link of their own, as everybody who is asked.
    ask(session, request, stage, [receiver.id], settings=settings)
    return made


def _receiver(session: Session, standing: Standing, to: int) -> Person:
    request, stage = standing.request, standing.stage
    if to == standing.person_id:
        raise FieldError("person", _("Choose somebody else than yourself."))
    if to not in eligible_now(session, request, [stage])[stage.id]:
        raise FieldError("person", _("They are not, or no longer, one of the people who decide this stage."))
    receiver = session.get_one(Person, to)
    if to in counted_in(decisions_of(session, request)):
        raise FieldError("person", _("%(name)s has already decided on this request.", name=receiver.name))
    return receiver


def _insist_on_quorum(session: Session, standing: Standing, receiver: Person) -> None:
    """As many as must agree have to be left, here and later, when nobody waits for the actor."""
    request, stage = standing.request, standing.stage
    stages = stages_of(session, request)
    eligible = eligible_now(session, request, stages)
    demands = dict(still_demanded(stages, eligible, decisions_of(session, request)))
    gone = {person for _stage, person in left_in(session, [stage])} - {receiver.id} | {standing.person_id}
    before = demands[stage.id]
    demands[stage.id] = Demand(before.quorum, before.people - gone)
    if first_unmet(list(demands.values())) is not None:
        raise Conflict(
            _(
                "The stage “%(stage)s” needs you: without you too few are left who could agree.",
                stage=stage.name,
            )
        )


def _tell(session: Session, actor: Actor, standing: Standing, receiver: Person, reason: str) -> None:
    request: Request = standing.request
    context = {
        **about(request),
        "author": actor.name,
        "to": receiver.name,
        "beneficiary": request.beneficiary.name,
        "stage": standing.stage.name,
        "reason": reason,
        "path": f"/approvals/{request.reference}",
    }
    notify(session, "stage_reassigned", receiver, {**context, "mine": True})
    author = session.get_one(Person, standing.person_id)
    notify(session, "stage_reassigned", author, {**context, "mine": False})
