"""Eligibility: who of the sealed route's people may decide now.

A person must stand in the sealed route and still be found by the very rule that put them there: an account that
was closed, a group that was left, a manager who changed, and the right is gone. Nothing is remembered; when the
directory cannot be read the error goes up and nothing is decided.

Two more may decide than stand in the sealed route, both by what the seal covers or by a right under it:
* whom an escalation asked: only by the rules that the sealed version of the offering names for that stage, and only
  as many of them as the stage has been escalated;
* who decides in the place of somebody who may, by a delegation (approvals.delegation.substitutes).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.delegation.in_force import InForce
from approvals.delegation.substitutes import add_substitutes
from approvals.routing.holders_of_findings import adopting_holders
from approvals.routing.model import Stage, StageApprover, StageState
from approvals.routing.relations import excluded_from, parties_of, people_by_rule
from approvals.timing.steps import rules_joined
from catalog.requests.model import Request
from catalog.requests.route import RouteApprover

#: By stage, by person.
Eligible = dict[int, dict[int, RouteApprover]]


def eligible_now(
    session: Session, request: Request, stages: Sequence[Stage], *, on_duty_since: datetime | None = None
) -> Eligible:
    """By stage, the people under the seal who may decide in it at this moment, and who decides in their place.

    Of a rota's people those on duty now count; in a stage that still waits, also those whose duty is to come, and
    with `on_duty_since` (UTC) everybody whose duty ended after that moment.
    One statement for the rows, one for each kind of rule, one for delegations.
    """
    rows = session.scalars(
        select(StageApprover)
        .where(StageApprover.stage_id.in_([stage.id for stage in stages]))
        .order_by(StageApprover.stage_id, StageApprover.person_id)
    ).all()
    return eligible_among(session, request, stages, rows, on_duty_since=on_duty_since)


def eligible_among(
    session: Session,
    request: Request,
    stages: Sequence[Stage],
    approvers: Sequence[StageApprover],
    *,
    delegations: Sequence[InForce] | None = None,
    on_duty_since: datetime | None = None,
) -> Eligible:
    """As eligible_now, for these rows of the stages' approvers alone; `delegations` where they were read already."""
    eligible: Eligible = {stage.id: {} for stage in stages}
    excluded = excluded_from(request, request.version) | adopting_holders(session, request)
    found = people_by_rule(
        session,
        {approver.rule for approver in approvers},
        parties_of(request),
        excluded=excluded,
        since=on_duty_since,
    )
    by_rule = {rule: {person.person_id: person for person in people} for rule, people in found.items()}
    sealed = _sealed(request, stages)
    waiting = {stage.id for stage in stages if stage.state is StageState.WAITING}
    joined = {stage.id: rules_joined(session, request, stage) for stage in stages if stage.escalations}
    for approver in approvers:
        person = by_rule[approver.rule].get(approver.person_id)
        if person is None or approver.replaced_at is not None:
            continue
        if not person.called and on_duty_since is None and approver.stage_id not in waiting:
            continue
        if _under_the_seal(approver, person, sealed, joined.get(approver.stage_id, ())):
            eligible[approver.stage_id][approver.person_id] = person
    add_substitutes(session, request, eligible, excluded, delegations)
    return eligible


def _under_the_seal(
    approver: StageApprover,
    person: RouteApprover,
    sealed: set[tuple[int, str, str, str]],
    joined: Collection[str],
) -> bool:
    key = (approver.stage_id, person.issuer, person.subject, approver.rule)
    return key in sealed or approver.rule in joined


def _sealed(request: Request, stages: Sequence[Stage]) -> set[tuple[int, str, str, str]]:
    """What the sealed route says, so that a row slipped in beside it gives nobody a right."""
    by_slug = {stage.slug: stage.id for stage in stages}
    return {
        (by_slug[stage["slug"]], approver["issuer"], approver["subject"], approver["rule"])
        for stage in request.route
        if stage["slug"] in by_slug
        for approver in stage["approvers"]
    }
