"""What follows when two people have broken the glass, all in the second one's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import tags
from approvals.decisions.model import Decision, Verdict
from approvals.emergency.model import Cause, Glass
from approvals.emergency.opening import BREAK_GLASS_MINUTES, open_review
from approvals.emergency.seats import passed_over
from approvals.routing.messages import tell_approved
from approvals.routing.model import Stage, StageState
from approvals.routing.sealing import seal_with
from catalog.requests import tags as request_tags
from catalog.requests.events import RequestApproved, RequestReplanned
from catalog.requests.model import Request
from catalog.requests.moves import THE_PORTAL, hand_baton, move, subject_of
from catalog.requests.route import RouteStage
from catalog.requests.states import Move
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict
from portal.core.events import publish
from portal.core.language import _, say
from portal.identity.actor import PORTAL, Actor
from portal.identity.model import Person


def break_it(session: Session, request: Request, stage: RouteStage, words: Sequence[Glass]) -> None:
    """Put the two in place of the approval chain, start the work, and have everybody who was passed over review it.

    The plan, the answers and the risk stay as they are; only the route is another, and so the seal, which is the one
    that both have seen. Raises Conflict when it is not.
    """
    at = now(session)
    seats = passed_over(session, request, [word.person_id for word in words])
    names = _names(session, words)
    why = say(
        "%(first)s and %(second)s broke the glass: %(reason)s",
        first=names[0],
        second=names[1],
        reason=words[0].reason,
    )
    # Stages close, decisions and questions become void, and whoever was asked is told.
    publish(session, RequestReplanned(request.id, why))
    request.revision += 1
    record(
        session,
        request_tags.PREPARED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "revision": request.revision,
            "risk": request.risk["level"],
            "steps": len(request.plans),
        },
    )
    seal_with(session, request, (stage,))
    if request.seal != words[0].seal:
        raise Conflict(_("This request has changed since you opened it. Read it again before you decide."))
    row = session.scalars(
        select(Stage).where(Stage.request_id == request.id, Stage.revision == request.revision)
    ).one()
    _decide(session, request, row, stage, words)
    record(
        session,
        tags.GLASS_BROKEN,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "revision": request.revision,
            "seal": request.seal,
            "people": [f"person:{word.person_id}" for word in words],
            "passed_over": [f"person:{person.person_id}" for seat in seats for person in seat.people],
        },
        personal={"reason": words[0].reason},
    )
    for word in words:
        word.broken_at = at
    move(session, request, Move.APPROVE)
    request.decided_at = at
    hand_baton(session, request, THE_PORTAL)
    publish(session, RequestApproved(request.id))
    tell_approved(session, request)
    open_review(session, request, Cause.BREAK_GLASS, seats, minutes=BREAK_GLASS_MINUTES, reason=why)


def _decide(
    session: Session, request: Request, row: Stage, stage: RouteStage, words: Sequence[Glass]
) -> None:
    """The stage as it is once both have agreed in it, with an entry for everything that it says."""
    at = now(session)
    row.state = StageState.APPROVED
    row.opened_at = row.due_at = row.closed_at = at
    facts = {"stage": row.slug, "revision": row.revision, "seal": request.seal}
    rules = {person.person_id: person.rule for person in stage.approvers}
    record(
        session,
        tags.STAGE_OPENED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            **facts,
            "quorum": row.quorum,
            "due_at": at.isoformat(),
            "approvers": [{"person": f"person:{number}", "rule": rule} for number, rule in rules.items()],
        },
    )
    for word in words:
        session.add(
            Decision(
                request_id=request.id,
                revision=request.revision,
                stage_id=row.id,
                person_id=word.person_id,
                verdict=Verdict.APPROVE,
                comment=word.reason,
                seal=request.seal,
                decided_at=at,
                auth_time=word.auth_time,
                acr=word.acr,
                amr=list(word.amr),
            )
        )
        record(
            session,
            tags.APPROVED,
            subject=subject_of(request),
            actor=Actor(name="", person_id=word.person_id),
            facts={
                **facts,
                "rule": rules[word.person_id],
                "auth_time": word.auth_time.isoformat(),
                "acr": word.acr,
                "amr": list(word.amr),
            },
            personal={"comment": word.reason},
        )
    session.flush()
    record(
        session,
        tags.STAGE_APPROVED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={**facts, "quorum": row.quorum},
    )


def _names(session: Session, words: Sequence[Glass]) -> list[str]:
    people = session.scalars(select(Person).where(Person.id.in_([word.person_id for word in words])))
    by_id = {person.id: person.name for person in people}
    return [by_id[word.person_id] for word in words]
