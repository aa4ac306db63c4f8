"""Whether a standing approval covers a request: its offering's version, its scope, its uses, its days, its signers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session, joinedload

from approvals.routing.relations import excluded_from
from approvals.routing.words import joined
from approvals.signatures.demand import reaches
from approvals.standing.digest import is_as_proposed
from approvals.standing.model import StandingApproval, StandingState, StandingUse
from approvals.standing.signers import barred, complete, fixed_groups, needed, signatures_of
from catalog.offerings.emergency import STANDING
from catalog.offerings.expressions import RuleFailed, holds
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.route import Proposal, RouteApprover, RouteStage
from portal.core.clock import now
from portal.core.language import say
from portal.identity.model import Person

#: So long after it has ended or was revoked, one is still named as what does not cover a request.
REMEMBERED = timedelta(days=30)
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Covered:
    """The stage that takes the place of the route, or why each standing approval of the offering does not."""

    stage: RouteStage | None
    notes: tuple[str, ...] = ()


def cover(session: Session, proposal: Proposal, request: Request | None) -> Covered:
    """The first standing approval that covers the proposal; for a request, one use of it is spent at the same time.

    A use is spent by one conditional UPDATE, so that never more requests go by it than were signed for.
    """
    notes = []
    for standing in _candidates(session, proposal):
        why = _why_not(session, standing, proposal, request)
        if not why and request is not None and not _spend(session, standing, request):
            why = say("All its uses are spent.")
        if not why:
            return Covered(_stage(session, standing))
        notes.append(
            say(
                "The standing approval %(number)s “%(name)s” does not cover this. %(why)s",
                number=standing.id,
                name=standing.name,
                why=why,
            )
        )
    return Covered(None, tuple(notes[-MOST_NAMED:]))


def rule_of(standing: StandingApproval) -> str:
    """How a sealed route names it: by its number and by the digest of everything that was signed."""
    return f"standing:{standing.id}:{standing.digest}"


def _candidates(session: Session, proposal: Proposal) -> list[StandingApproval]:
    statement = (
        select(StandingApproval)
        .where(
            StandingApproval.offering_id == proposal.version.offering_id,
            StandingApproval.in_force_at.is_not(None),
            StandingApproval.ends_at > now(session) - REMEMBERED,
        )
        .options(joinedload(StandingApproval.version), joinedload(StandingApproval.proposer))
        .order_by(StandingApproval.id)
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(statement))


def _why_not(
    session: Session, standing: StandingApproval, proposal: Proposal, request: Request | None
) -> str:
    """A sentence that says why it does not cover this; empty when it does."""
    if over := _over(session, standing, proposal):
        return over
    try:
        if not holds(standing.scope, proposal.facts):
            return say("This is outside its scope.")
    except RuleFailed:
        return say("Its scope cannot be worked out for these answers.")
    if standing.used >= standing.uses and not _has_used(session, standing, request):
        return say("All its uses are spent.")
    wanted = needed(session, standing)
    without = barred(session, wanted, excluded_from(proposal, proposal.version))
    if not complete(wanted, signatures_of(session, standing), without=without):
        return say("Too few of its signers may still sign it, or one of them asks for this.")
    return ""


def _over(session: Session, standing: StandingApproval, proposal: Proposal) -> str:
    if standing.state is StandingState.REVOKED:
        return say("It was revoked.")
    if now(session) >= standing.ends_at:
        return say("It has ended.")
    if standing.offering_version_id != proposal.version.id:
        return say("The service has changed since it was signed.")
    if not is_as_proposed(standing):
        return say("It no longer says what was signed.")
    return _asks_for_more(standing, proposal)


def _asks_for_more(standing: StandingApproval, proposal: Proposal) -> str:
    """What the route would demand of this very request and no signature in advance can give."""
    document = document_of(standing.version)
    if document.signature is not None and reaches(proposal.facts["risk"], document.signature.passkey_from):
        return say("At this risk every decision is signed with a passkey.")
    if any(proposal.unit.group_for(slug) != slug for slug in fixed_groups(document)):
        return say("Another group decides for this unit than the one that signed.")
    return ""


def _has_used(session: Session, standing: StandingApproval, request: Request | None) -> bool:
    if request is None:
        return False
    statement = select(StandingUse.id).where(
        StandingUse.standing_id == standing.id, StandingUse.request_id == request.id
    )
    return session.scalar(statement) is not None


def _spend(session: Session, standing: StandingApproval, request: Request) -> bool:
    """Spend one use; True where this request has spent it before. False when another was faster with the last one."""
    if _has_used(session, standing, request):
        return True
    at = now(session)
    statement = (
        update(StandingApproval)
        .where(
            StandingApproval.id == standing.id,
            StandingApproval.state == StandingState.IN_FORCE,
            StandingApproval.used < StandingApproval.uses,
            StandingApproval.ends_at > at,
        )
        .values(used=StandingApproval.used + 1)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", session.execute(statement)).rowcount != 1:
        return False
    session.refresh(standing)
    session.add(StandingUse(standing_id=standing.id, request_id=request.id, spent_at=at))
    session.flush()
    return True


def _stage(session: Session, standing: StandingApproval) -> RouteStage:
    """What takes the place of the whole route: nobody is asked again, and the signers stand by their names."""
    signed = signatures_of(session, standing)
    people = session.scalars(select(Person).where(Person.id.in_(signed)).order_by(Person.name, Person.id))
    rule = rule_of(standing)
    relation = say("signer of the standing approval %(number)s", number=standing.id)
    approvers = tuple(
        RouteApprover(person.id, person.issuer, person.subject, person.name, relation, rule)
        for person in people
    )
    return RouteStage(
        slug=STANDING,
        name=say("Standing approval %(number)s: %(name)s", number=standing.id, name=standing.name),
        quorum=0,
        approvers=approvers,
        because=joined(
            [
                say(
                    "Approved in advance by the standing approval %(number)s “%(name)s”, signed by %(people)s.",
                    number=standing.id,
                    name=standing.name,
                    people=", ".join(person.name for person in approvers),
                ),
                say("It allows %(uses)s uses, this one among them.", uses=standing.uses),
            ]
        ),
        target_minutes=0,
    )
