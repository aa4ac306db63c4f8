"""Eligibility: who of the sealed route's people may decide now.

A person must stand in the sealed route and still be found by the very rule that put them there: an account that
was closed, a group that was left, a manager who changed, and the right is gone. Nothing is remembered; when the
directory cannot be read the error goes up and nothing is decided.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.routing.model import Stage, StageApprover
from approvals.routing.relations import excluded_from, parties_of, people_by_rule
from catalog.requests.model import Request
from catalog.requests.route import RouteApprover

#: By stage, by person.
Eligible = dict[int, dict[int, RouteApprover]]


def eligible_now(session: Session, request: Request, stages: Sequence[Stage]) -> Eligible:
    """By stage, the people under the seal who may decide in it at this moment. At most five statements."""
    rows = session.scalars(
        select(StageApprover)
        .where(StageApprover.stage_id.in_([stage.id for stage in stages]))
        .order_by(StageApprover.stage_id, StageApprover.person_id)
    ).all()
    return eligible_among(session, request, stages, rows)


def eligible_among(
    session: Session, request: Request, stages: Sequence[Stage], approvers: Sequence[StageApprover]
) -> Eligible:
    """As eligible_now, for these rows of the stages' approvers alone. At most four statements."""
    eligible: Eligible = {stage.id: {} for stage in stages}
    found = people_by_rule(
        session,
        {approver.rule for approver in approvers},
        parties_of(request),
        excluded=excluded_from(request, request.version),
    )
    by_rule = {rule: {person.person_id: person for person in people} for rule, people in found.items()}
    sealed = _sealed(request, stages)
    for approver in approvers:
        person = by_rule[approver.rule].get(approver.person_id)
        if person and (approver.stage_id, person.issuer, person.subject, approver.rule) in sealed:
            eligible[approver.stage_id][approver.person_id] = person
    return eligible


def _sealed(request: Request, stages: Sequence[Stage]) -> set[tuple[int, str, str, str]]:
    """What the sealed route says, so that a row slipped in beside it gives nobody a right."""
    by_slug = {stage.slug: stage.id for stage in stages}
    return {
        (by_slug[stage["slug"]], approver["issuer"], approver["subject"], approver["rule"])
        for stage in request.route
        if stage["slug"] in by_slug
        for approver in stage["approvers"]
    }
