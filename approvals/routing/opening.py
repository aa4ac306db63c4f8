"""Opening a stage: its people are asked, its clock starts, the baton is theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from approvals import tags
from approvals.links.create import create_link
from approvals.routing.deadlines import calendars_of, due_at
from approvals.routing.eligible import eligible_now
from approvals.routing.matching import first_unmet
from approvals.routing.messages import tell_approvers
from approvals.routing.model import Stage, StageState
from approvals.routing.stages import decisions_of, stages_of, still_demanded
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.moves import hand_baton, subject_of
from catalog.requests.replan import replan
from catalog.requests.route import RouteApprover
from portal.audit import record
from portal.core.clock import now
from portal.core.settings import Settings
from portal.identity.actor import PORTAL

#: More names than this are counted, not listed.
NAMES_LISTED = 4


def open_next_stage(session: Session, request: Request, *, settings: Settings) -> Stage | None:
    """Open the first waiting stage of the request; None when none waits or the route no longer works.

    The people are read again: when too few of those under the seal are left, here or in a later stage, the
    request is planned again, so that a new route is found instead of waiting for somebody who is gone.
    """
    stages = stages_of(session, request)
    waiting = [stage for stage in stages if stage.state is StageState.WAITING]
    if not waiting:
        return None
    decisions = decisions_of(session, request)
    eligible = eligible_now(session, request, waiting)
    demands = list(still_demanded(waiting, eligible, decisions).values())
    if (position := first_unmet(demands)) is not None:
        replan(
            session,
            request,
            f"Too few of the people who were to decide “{waiting[position].name}” can still do so; "
            "the approval chain is made again.",
        )
        return None
    used = {decision.person_id for decision in decisions}
    stage = waiting[0]
    people = [person for number, person in eligible[stage.id].items() if number not in used]
    _open(session, request, stage, people, settings)
    return stage


def names_of(people: Sequence[RouteApprover], quorum: int) -> str:
    """Who must act, in a line: the names, or the first of them and how many more."""
    listed = sorted(person.name for person in people)
    if len(listed) > NAMES_LISTED:
        listed = [*listed[: NAMES_LISTED - 1], f"{len(listed) - NAMES_LISTED + 1} more"]
    text = listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"
    return text if len(people) == quorum == 1 else f"{quorum} of {text}"


def _open(
    session: Session, request: Request, stage: Stage, people: Sequence[RouteApprover], settings: Settings
) -> None:
    calendars = calendars_of(
        session, [person.person_id for person in people], document_of(request.version).calendar
    )
    stage.state = StageState.OPEN
    stage.opened_at = now(session)
    stage.due_at = due_at(
        calendars.values(), start=stage.opened_at, minutes=stage.target_minutes, quorum=stage.quorum
    )
    hand_baton(session, request, names_of(people, stage.quorum), due=stage.due_at)
    record(
        session,
        tags.STAGE_OPENED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "stage": stage.slug,
            "revision": stage.revision,
            "quorum": stage.quorum,
            "seal": request.seal,
            "due_at": stage.due_at.isoformat(),
            "approvers": _numbered(people),
        },
    )
    links = {
        person.person_id: create_link(
            session, stage_id=stage.id, person_id=person.person_id, days=settings.link_days
        )
        for person in people
    }
    tell_approvers(session, request, stage, {person: f"/a/{token}" for person, token in links.items()})


def _numbered(people: Iterable[RouteApprover]) -> list[dict[str, str]]:
    return [{"person": f"person:{person.person_id}", "rule": person.rule} for person in people]
