"""Escalating: others are asked besides or instead, by the rules that the sealed version of the offering names."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.routing.model import Stage, StageApprover
from approvals.routing.opening import ask, hand_on
from approvals.routing.relations import excluded_from, parties_of, people_by_rule
from approvals.timing import tags
from approvals.timing.asked import Standing, standing_of
from approvals.timing.close import cancel
from approvals.timing.model import StageTimer, TimerKind
from approvals.timing.steps import steps_of, timing_of
from approvals.timing.telling import tell
from catalog.offerings.queries import document_of
from catalog.offerings.timing import Timing
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from catalog.requests.route import RouteApprover
from catalog.requests.telling import tell_requester
from portal.audit import record
from portal.core.clock import now
from portal.core.language import Said, every_language, say, spoken
from portal.core.settings import Settings
from portal.identity.actor import PORTAL
from portal.identity.people import members_of


def escalate(session: Session, request: Request, stage: Stage, minutes: int, *, settings: Settings) -> None:
    """Do what the offering says for a stage that nobody decided within so many working minutes.

    Where nobody new is found, the group that answers for the offering is told: it never waits silently.
    """
    timing = timing_of(request, stage)
    if timing.do == "cancel":
        cancel(session, request, stage)
        return
    before = {person.person_id for person in standing_of(session, request).left_in(stage)}
    joined = _next_people(session, request, stage)
    if not joined:
        _tell_owners(session, request, stage)
        return
    session.add_all(
        StageApprover(
            stage_id=stage.id,
            person_id=person.person_id,
            relation=person.relation,
            rule=person.rule,
            called=person.called,
        )
        for person in joined
    )
    session.flush()
    replaced = _replace(session, request, stage, joined) if timing.do == "replace" else []
    standing = standing_of(session, request)
    note = _note(joined, replaced=bool(replaced))
    stage.because = _with(stage.because, note)
    _record(
        session,
        request,
        stage,
        note,
        do=timing.do,
        approvers=[{"person": f"person:{person.person_id}", "rule": person.rule} for person in joined],
        replaced=[f"person:{number}" for number in sorted(replaced)],
    )
    asked_now = [person.person_id for person in standing.left_in(stage) if person.person_id not in before]
    ask(session, request, stage, asked_now, settings=settings)
    _pass_the_baton(session, request, standing)
    page = f"/approvals/{request.reference}"
    tell(session, "approval_escalated", request, stage, dict.fromkeys(before, page), why=note, urgent=True)
    tell_requester(session, request, "request_escalated", why=note, stage=stage.name)
    if timing.do == "climb":
        _arrange_next(session, request, stage, timing, minutes)


def _next_people(session: Session, request: Request, stage: Stage) -> list[RouteApprover]:
    """The people of the next step that has somebody who does not stand there yet; each step is counted."""
    there = set(session.scalars(select(StageApprover.person_id).where(StageApprover.stage_id == stage.id)))
    used = standing_of(session, request).used
    steps = steps_of(session, request, stage)
    while stage.escalations < len(steps):
        rule = steps[stage.escalations]
        stage.escalations += 1
        found = people_by_rule(
            session, {rule}, parties_of(request), excluded=excluded_from(request, request.version)
        )[rule]
        joined = [person for person in found if person.person_id not in there | used]
        if any(person.called for person in joined):
            return joined
    return []


def _replace(
    session: Session, request: Request, stage: Stage, joined: Collection[RouteApprover]
) -> list[int]:
    """Take the right of those who did not decide, unless the new ones are too few; gives who lost it."""
    new = {person.person_id for person in joined}
    used = standing_of(session, request).used
    rows = [
        row
        for row in session.scalars(select(StageApprover).where(StageApprover.stage_id == stage.id))
        if row.person_id not in new | used and row.replaced_at is None
    ]
    for row in rows:
        row.replaced_at = now(session)
    session.flush()
    if standing_of(session, request).lacking is not None:
        for row in rows:
            row.replaced_at = None
        session.flush()
        return []
    return [row.person_id for row in rows]


def _note(joined: Collection[RouteApprover], *, replaced: bool) -> Said:
    people = sorted(joined, key=lambda person: person.name)
    names = ", ".join(person.name for person in people)
    if replaced:
        return say(
            "Nobody had decided in time, so %(names)s decides instead, as %(relation)s.",
            names=names,
            relation=people[0].relation,
        )
    return say(
        "Nobody had decided in time, so %(names)s was asked as well, as %(relation)s.",
        names=names,
        relation=people[0].relation,
    )


def _with(because: str, note: str) -> Said:
    def speak() -> str:
        return f"{spoken(because)} {spoken(note)}".strip()

    return every_language(speak)


def _record(session: Session, request: Request, stage: Stage, why: Said, **facts: object) -> None:
    record(
        session,
        tags.ESCALATED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "stage": stage.slug,
            "revision": stage.revision,
            "seal": request.seal,
            "step": stage.escalations,
            **facts,
        },
        personal={"why": why},
    )


def _pass_the_baton(session: Session, request: Request, standing: Standing) -> None:
    open_ones = standing.open_stages
    holders = {
        stage.id: (standing.demands[stage.id].quorum, standing.principals_left_in(stage))
        for stage in open_ones
    }
    hand_on(session, request, open_ones, holders)


def _arrange_next(session: Session, request: Request, stage: Stage, timing: Timing, minutes: int) -> None:
    """The next rung, if there is one and the stage lives that long."""
    next_minutes = minutes + timing.escalate_after
    if stage.escalations < len(steps_of(session, request, stage)) and next_minutes < timing.expires_after:
        session.add(
            StageTimer(
                stage_id=stage.id,
                kind=TimerKind.ESCALATE,
                minutes=next_minutes,
                paused_minutes=request.paused_minutes,
                # The next sweep works out when that is.
                due_at=now(session),
            )
        )


def _tell_owners(session: Session, request: Request, stage: Stage) -> None:
    why = say("Nobody decided in time, and nobody else can be asked.")
    _record(session, request, stage, why, approvers=[], replaced=[])
    owners = members_of(session, document_of(request.version).owner)
    page = f"/requests/{request.reference}"
    tell(session, "approval_escalated", request, stage, {owner.id: page for owner in owners}, why=why)
