"""The operators' page of one request that does not get on: what is where, why, and what may be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from catalog.attachments.queries import attachments_of
from catalog.fulfilment.failures.by_hand import what_target_said
from catalog.fulfilment.failures.situation import Situation, situation_of
from catalog.fulfilment.last_words import last_line
from catalog.fulfilment.model import ByHand, Step
from catalog.fulfilment.whereabouts import whereabouts
from catalog.offerings.language import OfferingDocument
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.presenters import PlanLines, lines_of
from catalog.requests.step_tags import step_tag
from portal.core.clock import now
from portal.core.errors import NotFound
from portal.core.language import _, spoken
from portal.identity.actor import Actor
from portal.identity.model import Person


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step as operators see it; `may` is `done` or `undone` where they may say that they did it by hand."""

    id: int
    name: str
    attempt: int
    tag: tuple[str, str, str]
    where: str
    plan: PlanLines
    error: str
    may: str


@dataclass(frozen=True, slots=True)
class ClaimCard:
    """What waits for a second operator. Times are in the reader's zone."""

    id: int
    step: str
    undone: bool
    by: str
    at: datetime
    proof: str
    files: tuple[tuple[int, str], ...]
    #: present, absent, unknown or not-asked, and what the target said.
    target: str
    lines: PlanLines
    error: str
    #: Whether the reader may confirm it, and why not.
    may_confirm: bool
    why_not: str


@dataclass(frozen=True, slots=True)
class FailurePage:
    """Everything that the page shows."""

    reference: str
    title: str
    offering: str
    requester: str
    state: str
    outcome: str
    task: str
    task_error: str
    steps: tuple[StepRow, ...]
    claim: ClaimCard | None
    seen: str
    may_retry: bool
    may_undo: bool
    needs_somebody: bool
    now: datetime


def failure_page(session: Session, actor: Actor, reference: str) -> FailurePage:
    """The page as this operator sees it. Raises NotFound."""
    statement = (
        select(Request)
        .where(Request.reference == reference)
        .options(joinedload(Request.version), joinedload(Request.requester))
    )
    request = session.scalars(statement).one_or_none()
    if request is None:
        raise NotFound(_("There is no such request."))
    situation = situation_of(session, request)
    document = document_of(request.version)
    zone = ZoneInfo(actor.timezone)
    return FailurePage(
        reference=request.reference,
        title=spoken(request.title),
        offering=document.spoken().name,
        requester=request.requester.name,
        state=request.state.value,
        outcome=document.speak(request.outcome),
        task=str(situation.task.id) if situation.task else "",
        task_error=last_line(situation.task.last_error) if situation.task else "",
        steps=tuple(_row(situation, step, document) for step in (*situation.earlier, *situation.steps)),
        claim=_claim(session, actor, situation, document, zone),
        seen=situation.seen,
        may_retry=situation.may_retry,
        may_undo=situation.may_undo,
        needs_somebody=situation.needs_somebody,
        now=now(session).astimezone(zone),
    )


def _row(situation: Situation, step: Step, document: OfferingDocument) -> StepRow:
    may = ""
    if situation.claim is None:
        may = "done" if situation.may_be_done_by_hand(step) else ""
        may = "undone" if situation.may_be_undone_by_hand(step) else may
    return StepRow(
        id=step.id,
        name=document.speak(step.name),
        attempt=step.attempt,
        tag=step_tag(step.state.value),
        where=whereabouts(step),
        plan=lines_of(step.plan),
        error=spoken(step.error),
        may=may,
    )


def _claim(
    session: Session, actor: Actor, situation: Situation, document: OfferingDocument, zone: ZoneInfo
) -> ClaimCard | None:
    row = situation.claim
    if row is None:
        return None
    request = situation.request
    steps = {step.id: step for step in (*situation.earlier, *situation.steps)}
    why_not = _why_not(actor, request, row)
    part = f"by-hand:{row.id}"
    return ClaimCard(
        id=row.id,
        step=document.speak(steps[row.step_id].name) if row.step_id in steps else "",
        undone=row.undone,
        by=session.scalars(select(Person.name).where(Person.id == row.claimed_by_id)).one(),
        at=row.claimed_at.astimezone(zone),
        proof=row.proof,
        files=tuple(
            (file.id, file.name) for file in attachments_of(session, request.id) if file.part == part
        ),
        target=what_target_said(row),
        lines=lines_of(row.target),
        error=spoken(_error(row.target)),
        may_confirm=not why_not,
        why_not=why_not,
    )


def _why_not(actor: Actor, request: Request, row: ByHand) -> str:
    if actor.person_id == row.claimed_by_id:
        return _("You said it yourself: a colleague must confirm it.")
    if actor.person_id in {request.requester_id, request.beneficiary_id, request.editor_id}:
        return _("Whoever asks or receives cannot confirm it. Leave it to a colleague.")
    return ""


def _error(target: Mapping[str, Any]) -> Any:
    return target.get("error", "")
