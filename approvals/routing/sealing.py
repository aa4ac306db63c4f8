"""Making the seal: the route goes onto the request, its stages into their table, and one digest over everything."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from approvals import tags
from approvals.routing.lookalikes import look_alikes
from approvals.routing.model import Sealing, Stage, StageApprover, StageState
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from catalog.requests.route import RouteStage
from catalog.requests.seal import seal, sealed_document
from portal.audit import record
from portal.core.clock import now
from portal.identity.actor import PORTAL


def seal_with(session: Session, request: Request, stages: Sequence[RouteStage]) -> None:
    """Put this route in place and seal the request as it stands now."""
    write_stages(session, request, stages)
    request.route = [stage.sealed() for stage in stages]
    request.seal = seal(request)
    request.sealed_at = now(session)
    session.add(
        Sealing(
            request_id=request.id,
            revision=request.revision,
            seal=request.seal,
            document=sealed_document(request, plans=request.plans, route=request.route),
            warnings=look_alikes(session, [request.requester, request.beneficiary]),
            sealed_at=request.sealed_at,
        )
    )
    record(
        session,
        tags.SEALED,
        subject=subject_of(request),
        actor=PORTAL,
        facts={
            "seal": request.seal,
            "revision": request.revision,
            "stages": [stage.slug for stage in stages],
        },
    )


def write_stages(session: Session, request: Request, stages: Sequence[RouteStage]) -> None:
    """The stages of the request's revision, waiting, with the people of each."""
    for route_stage in stages:
        stage = Stage(
            request_id=request.id,
            revision=request.revision,
            position=route_stage.position,
            part=route_stage.part,
            slug=route_stage.slug,
            name=route_stage.name,
            part_of=route_stage.part_of,
            quorum=route_stage.quorum,
            target_minutes=route_stage.target_minutes,
            acr=route_stage.acr,
            state=StageState.WAITING,
            because=route_stage.because,
        )
        session.add(stage)
        session.flush()
        session.add_all(
            StageApprover(
                stage_id=stage.id,
                person_id=person.person_id,
                relation=person.relation,
                rule=person.rule,
                called=person.called,
            )
            for person in route_stage.approvers
        )
    session.flush()
