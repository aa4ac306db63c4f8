"""Asking the last stage again: after a drift of the target alone, what the earlier stages agreed to is carried over.

A target that moved changes the plan and hence the seal, so every decision on the old seal is void and stays as history
on it. Where nothing but the plan's content is different, the new route says of each stage before the last, under the
new seal, on which earlier seal it had agreed and by how many; the last stage sees the difference and decides on all of
it. Anything else that is different, or anybody of the earlier stages who could not decide there any more, and
everybody is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals import tags
from approvals.decisions.model import Decision, Verdict
from approvals.routing.model import Sealing, Stage, StageState
from catalog.offerings.emergency import RESERVED
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from catalog.requests.route import RouteStage
from catalog.requests.seal import sealed_document
from portal.audit import record
from portal.core.clock import now
from portal.core.language import say
from portal.identity.actor import PORTAL

#: What a drift may not change.
_SAME = ("reference", "offering", "requester", "beneficiary", "answers", "ends_at", "risk")
_SAME_OF_A_PLAN = ("connector", "action", "target")


@dataclass(frozen=True, slots=True)
class Carried:
    """One approval of an earlier seal that a stage of the present one rests on."""

    slug: str
    decision: Decision

    @property
    def principal(self) -> int:
        """Who counts for it."""
        return self.decision.on_behalf_of_id or self.decision.person_id


def carry_over(session: Session, request: Request, stages: tuple[RouteStage, ...]) -> tuple[RouteStage, ...]:
    """The route, its stages before the last as carried over where they can be; else as it was. Changes nothing."""
    last = max((stage.position for stage in stages), default=0)
    before = _sealing_before(session, request)
    if last < 2 or before is None or any(stage.slug in RESERVED for stage in stages):  # noqa: PLR2004
        return stages
    route = {stage["slug"]: stage for stage in before.document["route"]}
    if not _only_the_plan_moved(before.document, request, stages, route):
        return stages
    given = _approvals(session, request, _seals(before, route))
    earlier = [stage for stage in stages if stage.position < last]
    if not _all_agreed(stages, route, given):
        return stages
    counted = {one.principal for stage in earlier for one in given.get(stage.slug, ())}
    asked = [
        replace(stage, approvers=tuple(p for p in stage.approvers if p.person_id not in counted))
        for stage in stages
        if stage.position == last
    ]
    if any(len(stage.approvers) < stage.quorum for stage in asked):
        return stages
    why = say("Agreed before the target changed. Only the last stage is asked again.")
    return (
        *(
            replace(
                stage,
                quorum=0,
                because=why,
                carried=_carried_from(before, route[stage.slug]),
            )
            for stage in earlier
        ),
        *asked,
    )


def close_carried(session: Session, request: Request, stages: Sequence[RouteStage]) -> None:
    """Once sealed: the stages that were carried over count as agreed, each with an entry that says by whom and when."""
    carried = {stage.slug: stage for stage in stages if stage.carried}
    if not carried:
        return
    rows = session.scalars(
        select(Stage)
        .where(Stage.request_id == request.id, Stage.revision == request.revision, Stage.slug.in_(carried))
        .order_by(Stage.position, Stage.part)
    )
    given = carried_approvals(session, request)
    for row in rows:
        row.state = StageState.APPROVED
        row.closed_at = now(session)
        told = {"stage": row.slug, "revision": row.revision, "seal": request.seal}
        record(
            session,
            tags.STAGE_CARRIED,
            subject=subject_of(request),
            actor=PORTAL,
            facts={
                **told,
                "earlier": dict(carried[row.slug].carried),
                "by": [f"person:{one.decision.person_id}" for one in given if one.slug == row.slug],
            },
        )
        record(
            session,
            tags.STAGE_APPROVED,
            subject=subject_of(request),
            actor=PORTAL,
            facts={**told, "quorum": 0},
        )


def carried_approvals(session: Session, request: Request) -> Sequence[Carried]:
    """The approvals of earlier seals that the present route rests on; no statement where it rests on none."""
    wanted = {stage["slug"]: stage["carried"]["seal"] for stage in request.route if stage.get("carried")}
    if not wanted:
        return ()
    given = _approvals(session, request, wanted)
    return [one for slug in wanted for one in given.get(slug, ())]


def _sealing_before(session: Session, request: Request) -> Sealing | None:
    statement = select(Sealing).where(
        Sealing.request_id == request.id, Sealing.revision == request.revision - 1
    )
    return session.scalars(statement).one_or_none()


def _only_the_plan_moved(
    before: Mapping[str, Any],
    request: Request,
    stages: Sequence[RouteStage],
    route: Mapping[str, Mapping[str, Any]],
) -> bool:
    after = sealed_document(request, plans=request.plans, route=[])
    old, new = before["plan"], after["plan"]
    if any(before.get(part) != after.get(part) for part in _SAME) or len(old) != len(new):
        return False
    if any(one[part] != other[part] for one, other in zip(old, new, strict=True) for part in _SAME_OF_A_PLAN):
        return False
    return {stage.slug for stage in stages} == set(route) and all(
        _likeness(stage.sealed()) == _likeness(route[stage.slug]) for stage in stages
    )


def _likeness(stage: Mapping[str, Any]) -> dict[str, Any]:
    """What makes it the same stage, however often it was carried over; who may decide in it is looked at by itself."""
    quorum = stage["carried"]["quorum"] if stage.get("carried") else stage["quorum"]
    same = {part: stage[part] for part in ("position", "part", "slug", "name", "part_of", "acr")}
    return {**same, "quorum": quorum}


def _carried_from(before: Sealing, stage: Mapping[str, Any]) -> dict[str, Any]:
    carried: dict[str, Any] | None = stage.get("carried")
    return carried or {"seal": before.seal, "quorum": stage["quorum"]}


def _seals(before: Sealing, route: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {slug: _carried_from(before, stage)["seal"] for slug, stage in route.items()}


def _approvals(session: Session, request: Request, seals: Mapping[str, str]) -> dict[str, list[Carried]]:
    """By stage, who had approved it on the seal that is named for it."""
    statement = (
        select(Stage.slug, Decision)
        .join(Stage, Stage.id == Decision.stage_id)
        .where(
            Decision.request_id == request.id,
            Decision.verdict == Verdict.APPROVE,
            Decision.seal.in_(set(seals.values())),
        )
        .order_by(Decision.id)
    )
    found: dict[str, list[Carried]] = {}
    for slug, decision in session.execute(statement):
        if seals.get(slug) == decision.seal:
            found.setdefault(slug, []).append(Carried(slug, decision))
    return found


def _all_agreed(
    stages: Sequence[RouteStage],
    route: Mapping[str, Mapping[str, Any]],
    given: Mapping[str, Sequence[Carried]],
) -> bool:
    """Whether every stage had agreed, the last one too, by people who still stand in it."""
    for stage in stages:
        standing = {person.person_id for person in stage.approvers}
        agreed = {one.principal for one in given.get(stage.slug, ())}
        needed = _likeness(route[stage.slug])["quorum"]
        if len(agreed) < needed or not needed or not agreed <= standing:
            return False
    return True
