"""Break-glass: two people with that role carry a waiting request past its approvers, on one and the same seal.

The first one's word changes nothing but the ledger; the ordinary approvers go on deciding. The second one's word puts
the two in place of the approval chain, voids what was agreed before, starts the work at once, tells everybody who was
passed over, and opens their review.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import tags
from approvals.emergency.breaking import break_it
from approvals.emergency.model import Glass
from approvals.emergency.telling import ask_for_second
from approvals.routing.relations import excluded_from, parties_of, people_by_rule
from approvals.routing.stages import decisions_of
from catalog.offerings.emergency import BREAK_GLASS
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, subject_of
from catalog.requests.route import RouteStage
from catalog.requests.seal import sealed_document
from catalog.requests.states import State
from portal.audit import record
from portal.core.canonical import digest
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, Forbidden
from portal.core.language import N_, _, say
from portal.core.settings import Settings
from portal.core.text import clean_text
from portal.identity.actor import Actor
from portal.identity.permissions import BREAK_GLASS_ROLE
from portal.identity.step_up import StepUp

#: Two people, never fewer.
QUORUM = 2
RULE = f"role:{BREAK_GLASS_ROLE}"
NAME = N_("Break-glass")
#: So long the first one's word waits for a second.
WAITS = timedelta(hours=1)
LEAST_REASON, LONGEST_REASON = 20, 2000


def break_glass(
    session: Session, actor: Actor, request_id: int, reason: str, *, seal: str, settings: Settings
) -> bool:
    """Record the actor's word to break the glass; True when it was the second one and the work begins.

    `seal` is what the page showed (`seal_of`). Raises Conflict when the request does not wait for approval, has
    changed, or the actor has spoken already; Forbidden for whoever does not hold the role now or is a party of the
    request; FieldError without a reason; StepUpNeeded for a sign-in that is not fresh.
    """
    request = get_locked(session, request_id)
    if request.state is not State.PENDING:
        raise Conflict(_("This request does not wait for approval, so there is no glass to break."))
    stage = glass_stage(session, request)
    person_id = _insist_on_right(session, actor, request, stage)
    first = open_word(session, request)
    if first is not None and first.person_id == person_id:
        raise Conflict(_("You have said so already. A second person with this role must agree."))
    if seal != seal_of(request, stage) or (first is not None and first.seal != seal):
        raise Conflict(_("This request has changed since you opened it. Read it again before you decide."))
    word = _word(session, actor, request, reason, seal=seal, settings=settings)
    if first is None:
        _propose(session, actor, request, word, stage)
        return False
    if first.person_id not in {person.person_id for person in stage.approvers}:
        raise Conflict(_("Whoever spoke first no longer holds this role. Somebody else must begin."))
    break_it(session, request, stage, (first, word))
    return True


def glass_stage(session: Session, request: Request) -> RouteStage:
    """The stage in which the holders of the role stand, without the request's parties and whoever has decided."""
    decided = {decision.person_id for decision in decisions_of(session, request)}
    found = people_by_rule(
        session, {RULE}, parties_of(request), excluded=excluded_from(request, request.version) | decided
    )
    return RouteStage(
        slug=BREAK_GLASS,
        name=say(NAME),
        quorum=QUORUM,
        approvers=tuple(found[RULE]),
        because=say("The glass was broken: two people with this role carried it past its approvers."),
        target_minutes=0,
    )


def seal_of(request: Request, stage: RouteStage) -> str:
    """The seal that the request will have once the glass is broken: as it stands, with this stage as its route."""
    document = sealed_document(request, plans=request.plans, route=[stage.sealed()])
    return digest({**document, "revision": request.revision + 1})


def open_word(session: Session, request: Request) -> Glass | None:
    """The first one's word that waits for a second, on the revision that waits now."""
    statement = select(Glass).where(
        Glass.request_id == request.id,
        Glass.revision == request.revision,
        Glass.broken_at.is_(None),
        Glass.ends_at > now(session),
    )
    return session.scalars(statement.order_by(Glass.id.desc()).limit(1)).one_or_none()


def _insist_on_right(session: Session, actor: Actor, request: Request, stage: RouteStage) -> int:
    if actor.person_id is None or actor.person_id in excluded_from(request, request.version):
        raise Forbidden(
            _(
                "You asked for this, receive it, edited it last or published the offering, so you cannot break the glass."
            )
        )
    if actor.person_id not in {person.person_id for person in stage.approvers}:
        raise Forbidden(_("You do not hold this role now, or you have decided on this request already."))
    if len(stage.approvers) < QUORUM:
        raise Conflict(_("Nobody else holds this role, so nobody could agree with you."))
    return actor.person_id


def _word(
    session: Session, actor: Actor, request: Request, reason: str, *, seal: str, settings: Settings
) -> Glass:
    reason = _checked(reason)
    at = now(session)
    # Whatever the request's own risk is: this is as grave as anything.
    auth_time = StepUp.of(settings).check(actor, risk="high", acr="", at=at)
    word = Glass(
        request_id=request.id,
        revision=request.revision,
        person_id=actor.person_id or 0,
        reason=reason,
        seal=seal,
        said_at=at,
        ends_at=at + WAITS,
        auth_time=auth_time,
        acr=actor.acr,
        amr=list(actor.amr),
    )
    session.add(word)
    session.flush()
    return word


def _propose(session: Session, actor: Actor, request: Request, word: Glass, stage: RouteStage) -> None:
    record(
        session,
        tags.GLASS_PROPOSED,
        subject=subject_of(request),
        actor=actor,
        facts={
            "revision": word.revision,
            "seal": word.seal,
            "ends_at": word.ends_at.isoformat(),
            "auth_time": word.auth_time.isoformat(),
            "acr": word.acr,
            "amr": list(word.amr),
        },
        personal={"reason": word.reason},
    )
    others = [person.person_id for person in stage.approvers if person.person_id != word.person_id]
    ask_for_second(session, request, others, proposer=actor.name, reason=word.reason, ends_at=word.ends_at)


def _checked(reason: str) -> str:
    try:
        reason = clean_text(reason)
    except ValueError as error:
        raise FieldError("reason", f"{error}.") from error
    if len(reason) < LEAST_REASON:
        raise FieldError(
            "reason",
            _(
                "Write at least %(number)s characters on why this cannot wait for its approvers; they all read it.",
                number=LEAST_REASON,
            ),
        )
    if len(reason) > LONGEST_REASON:
        raise FieldError("reason", _("Shorten your reason to %(number)s characters.", number=LONGEST_REASON))
    return reason
