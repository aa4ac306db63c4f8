"""Who holds the baton of a request's open stages, when it does not simply go to everybody who is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.decisions.model import Reassignment
from approvals.delegation.substitutes import counted_in
from approvals.routing.eligible import eligible_now
from approvals.routing.model import Stage, StageState
from approvals.routing.opening import hand_on
from approvals.routing.stages import decisions_of, stages_of, still_demanded
from catalog.requests.model import Request


def hand_back(session: Session, request: Request, to: Mapping[int, Collection[int]]) -> None:
    """Give the baton to whoever must still decide in the open stages: by stage to these people, else to all asked.

    Whoever left their stage to somebody else is not asked there.
    """
    stages = [stage for stage in stages_of(session, request) if stage.state is StageState.OPEN]
    decisions = decisions_of(session, request)
    eligible = eligible_now(session, request, stages)
    demands = still_demanded(stages, eligible, decisions)
    used = counted_in(decisions)
    left = left_in(session, stages)
    holders = {}
    for stage in stages:
        asked = [
            person
            for person in eligible[stage.id].values()
            if person.called
            and not {person.person_id, person.on_behalf_of_id} & used
            and (stage.id, person.person_id) not in left
        ]
        meant = [person for person in asked if person.person_id in to.get(stage.id, ())]
        if meant or asked:
            holders[stage.id] = (len(meant) or demands[stage.id].quorum, meant or asked)
    if holders:
        hand_on(session, request, stages, holders)


def left_in(session: Session, stages: Sequence[Stage]) -> set[tuple[int, int]]:
    """By stage, who left it to somebody else."""
    rows = session.execute(
        select(Reassignment.stage_id, Reassignment.from_id).where(
            Reassignment.stage_id.in_([stage.id for stage in stages])
        )
    )
    return {(stage_id, person_id) for stage_id, person_id in rows}
