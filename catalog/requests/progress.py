"""Progress: how far a request on its way has come, in few statements, for a page that asks every other second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.fulfilment.model import Step
from catalog.fulfilment.whereabouts import whereabouts
from catalog.offerings.queries import document_of
from catalog.requests.baton import Baton, baton_of
from catalog.requests.model import Request
from catalog.requests.queries import request_for
from catalog.requests.route import Router
from catalog.requests.states import State
from catalog.requests.step_tags import step_tag
from portal.core.canonical import digest
from portal.core.clock import now
from portal.core.language import language, spoken
from portal.identity.actor import Actor

#: In these a request goes on by itself, so its page changes before long.
MOVING = frozenset({State.PREPARING, State.SCHEDULED, State.FULFILLING})


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """One step: its name, the tag of its state, in a sentence where it is, and what went wrong."""

    name: str
    tag: tuple[str, str, str]
    where: str
    error: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What the page shows while it waits. `seen` changes whenever anything of it does."""

    reference: str
    state: str
    moving: bool
    baton: Baton | None
    rows: tuple[ProgressRow, ...]
    now: datetime
    seen: str


def progress(session: Session, actor: Actor, reference: str, router: Router) -> Progress:
    """The request's progress. Raises NotFound for one that is not the actor's to see."""
    request = request_for(session, actor, reference, router)
    statement = (
        select(Step)
        .where(Step.request_id == request.id, Step.revision == request.revision)
        .order_by(Step.attempt, Step.position)
    )
    steps = session.scalars(statement).all()
    last = steps[-1].attempt if steps else 0
    return progress_of(
        request,
        [step for step in steps if step.attempt == last],
        timezone=actor.timezone,
        at=now(session),
    )


def progress_of(request: Request, steps: Sequence[Step], *, timezone: str, at: datetime) -> Progress:
    """The progress of what was read already."""
    document = document_of(request.version)
    moving = request.state in MOVING
    # Who decides is for the whole page to say.
    baton = baton_of(request, (), timezone=timezone, now=at) if moving else None
    rows = tuple(
        ProgressRow(
            document.speak(step.name), step_tag(step.state.value), whereabouts(step), spoken(step.error)
        )
        for step in steps
    )
    said = {
        "language": language(),
        "state": request.state.value,
        "revision": request.revision,
        "baton": [str(baton.who), baton.by.isoformat() if baton.by else ""] if baton else [],
        "steps": [[row.name, *row.tag, row.where, row.error] for row in rows],
    }
    return Progress(
        reference=request.reference,
        state=request.state.value,
        moving=moving,
        baton=baton,
        rows=rows,
        now=at.astimezone(ZoneInfo(timezone)),
        seen=digest(said)[-16:],
    )
