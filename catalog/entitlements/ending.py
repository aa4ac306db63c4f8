"""Ending: what a request allowed is taken away on time, or as soon as the holder gives it back."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.entitlements.clock import END_ENTITLEMENT
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.entitlements.recertifying.closing import void_question
from catalog.entitlements.rights import Standing, standing_of
from catalog.fulfilment.model import Step
from catalog.fulfilment.queues import queue_of
from catalog.fulfilment.targets import called
from catalog.requests import tags
from catalog.requests.events import EntitlementEnded
from catalog.requests.model import Request
from catalog.requests.moves import drop_baton, get_locked, move, subject_of, task_subject
from catalog.requests.states import Move, State
from catalog.requests.telling import about
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, NotFound
from portal.core.events import publish
from portal.core.language import N_, _, say
from portal.core.text import clean_text
from portal.identity.actor import PORTAL, Actor
from portal.identity.model import Person
from portal.jobs import enqueue
from portal.notifications import notify

ON_TIME = N_("Its time was over.")
GIVEN_BACK = N_("Its holder gave it back.")
REVERTED = N_("Its fulfilment was undone.")
#: In the ledger's facts, so they name nobody; the mail to the holder does.
ENDED_BY = {
    Standing.MANAGER: N_("Its holder's superior had it ended."),
    Standing.OWNER: N_("Somebody who answers for it had it ended."),
}
LONGEST_REASON = 500


def give_back(session: Session, actor: Actor, entitlement_id: int) -> Entitlement:
    """Have what the actor holds taken away now. Raises NotFound for another's, Conflict for one that has ended."""
    entitlement = get_locked_entitlement(session, entitlement_id)
    if actor.person_id is None or entitlement.person_id != actor.person_id:
        raise NotFound(_("There is nothing of this kind that is yours."))
    if entitlement.state is not EntitlementState.LIVE:
        raise Conflict(_("This has ended already, or is just being taken away."))
    request = session.get_one(Request, entitlement.request_id)
    end_entitlement(session, entitlement, why=say(GIVEN_BACK))
    record(
        session,
        tags.ENTITLEMENT_GIVEN_BACK,
        subject=subject_of(request),
        actor=actor,
        facts={"entitlement": entitlement.id},
    )
    return entitlement


def end_for(session: Session, actor: Actor, entitlement_id: int, reason: str) -> Entitlement:
    """Have what somebody else holds taken away now, by their superior or by whoever answers for what it opens.

    Raises NotFound for whoever is neither, Conflict for one that has ended, FieldError without a reason.
    """
    entitlement = get_locked_entitlement(session, entitlement_id)
    standing = standing_of(session, actor, entitlement)
    if standing not in ENDED_BY:
        raise NotFound(_("There is nothing of this kind that is yours to end."))
    if entitlement.state is not EntitlementState.LIVE:
        raise Conflict(_("This has ended already, or is just being taken away."))
    reason = _checked(reason)
    request = session.get_one(Request, entitlement.request_id)
    end_entitlement(session, entitlement, why=say(ENDED_BY[standing]))
    record(
        session,
        tags.ENTITLEMENT_END_ORDERED,
        subject=subject_of(request),
        actor=actor,
        facts={"entitlement": entitlement.id, "as": standing.value},
        personal={"why": reason},
    )
    tell_holder(session, "entitlement_end_ordered", entitlement, who=actor.name, reason=reason)
    return entitlement


def _checked(reason: str) -> str:
    try:
        text = clean_text(reason)
    except ValueError as error:
        raise FieldError("reason", f"{error}.") from error
    if not text:
        raise FieldError("reason", _("Say why it is to end; its holder reads it."))
    if len(text) > LONGEST_REASON:
        raise FieldError("reason", _("Shorten this to %(most)s characters.", most=LONGEST_REASON))
    return text


def end_entitlement(session: Session, entitlement: Entitlement, *, why: str) -> None:
    """Mark it as ending and have the worker take it away now; `why` is a sentence for the holder."""
    request = session.get_one(Request, entitlement.request_id)
    entitlement.state = EntitlementState.ENDING
    entitlement.end_reason = why
    void_question(session, entitlement)
    enqueue(
        session,
        END_ENTITLEMENT,
        {"entitlement_id": entitlement.id},
        queue=queue_of(session, entitlement.connector),
        subject=task_subject(request),
        dedupe_key=f"{END_ENTITLEMENT}:{entitlement.id}:now",
    )


def close_entitlement(session: Session, entitlement: Entitlement, *, why: str) -> None:
    """Write down that it is gone, as the target was read to say; the request ends with its last one."""
    request = get_locked(session, entitlement.request_id)
    entitlement.state = EntitlementState.ENDED
    entitlement.ended_at = now(session)
    entitlement.end_reason = why
    void_question(session, entitlement)
    session.flush()
    record(
        session,
        tags.ENTITLEMENT_ENDED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={"entitlement": entitlement.id, "why": why, "holder": f"person:{entitlement.person_id}"},
    )
    publish(session, EntitlementEnded(entitlement.id))
    if request.state is State.FULFILLED and not _live_ones(session, request):
        move(session, request, Move.END)
        drop_baton(request)
        record(session, tags.ENDED, subject=subject_of(request), actor=PORTAL)


def end_with_step(session: Session, request: Request, step: Step) -> None:
    """What an undone step had brought is over too."""
    statement = select(Entitlement).where(
        Entitlement.step_id == step.id, Entitlement.state != EntitlementState.ENDED
    )
    for entitlement in session.scalars(statement):
        close_entitlement(session, entitlement, why=say(REVERTED))


def tell_holder(session: Session, event: str, entitlement: Entitlement, **more: str) -> None:
    """Write the event's mail to the holder in this transaction."""
    request = session.get_one(Request, entitlement.request_id)
    holder = session.get_one(Person, entitlement.person_id)
    notify(
        session,
        event,
        holder,
        {
            **about(request, event),
            "label": entitlement.label,
            "target": called(entitlement.target),
            "ends_at": entitlement.ends_at,
            # No mail of the day may come after it.
            "due_at": entitlement.ends_at,
            "why": entitlement.end_reason,
            "path": f"/entitlements/{entitlement.id}",
            **more,
        },
    )


def get_locked_entitlement(session: Session, entitlement_id: int) -> Entitlement:
    """The entitlement, locked until this transaction ends with all that allow the same thing. Raises NotFound.

    Two that end at the same instant must not each leave the target to the other; and they are locked in one
    order, so that neither waits for the other for ever.
    """
    known = session.get(Entitlement, entitlement_id)
    if known is None:
        raise NotFound(_("There is nothing of this kind that is yours."))
    statement = (
        select(Entitlement)
        .where(Entitlement.connector == known.connector, Entitlement.key == known.key)
        .order_by(Entitlement.id)
        .with_for_update()
    )
    same = session.scalars(statement.execution_options(populate_existing=True)).all()
    return next(entitlement for entitlement in same if entitlement.id == entitlement_id)


def needed_by_another(session: Session, entitlement: Entitlement) -> bool:
    """Whether another request still allows the same thing on the target, so that it must stay."""
    other = select(Entitlement.id).where(
        Entitlement.connector == entitlement.connector,
        Entitlement.key == entitlement.key,
        Entitlement.id != entitlement.id,
        Entitlement.state == EntitlementState.LIVE,
    )
    return session.scalars(other.limit(1)).first() is not None


def _live_ones(session: Session, request: Request) -> int:
    statement = select(func.count()).where(
        Entitlement.request_id == request.id, Entitlement.state != EntitlementState.ENDED
    )
    return session.scalar(statement) or 0
