"""Substitutes: who else may decide, because somebody who may has delegated to them.

A substitute's right is the delegator's and no wider: it is there only while the delegator may decide that very
stage, and what a person may decide by a delegation cannot be delegated on. Separation of duties holds for both:
neither may have asked for it, receive it, have edited it or have published the offering, and neither may be reached
from such a person by a delegation. The two count as one person.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.decisions.model import Decision
from approvals.delegation.in_force import InForce, in_force
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.route import RouteApprover
from portal.core.language import say

Eligible = dict[int, dict[int, RouteApprover]]


def add_substitutes(
    session: Session,
    request: Request,
    eligible: Eligible,
    excluded: frozenset[int],
    delegations: Sequence[InForce] | None = None,
) -> None:
    """Add to each stage's people those who may decide in their place now; whoever stands there already stays.

    `excluded` are those whom separation of duties keeps out. One statement, unless the delegations in force of all
    these people were read already, and one more where somebody is stood in for.
    """
    principals = {number for people in eligible.values() for number in people}
    if delegations is None:
        slug = document_of(request.version).slug
        delegations = in_force(session, principals | excluded, slug) if principals else ()
    barred = excluded | {one.substitute_id for one in delegations if one.delegator_id in excluded}
    standing = [
        one
        for one in delegations
        if one.covers
        and one.delegator_id in principals
        and one.delegator_id not in barred
        and one.substitute_id not in barred
    ]
    if not standing:
        return
    used = counted(session, request)
    # Whoever may stand in for two people does so for one who has not decided yet.
    for one in sorted(standing, key=lambda one: one.delegator_id in used):
        for people in eligible.values():
            principal = people.get(one.delegator_id)
            if principal is None or principal.on_behalf_of_id is not None or one.substitute_id in people:
                continue
            people[one.substitute_id] = _in_their_place(one, principal)


def principals_of(people: dict[int, RouteApprover]) -> frozenset[int]:
    """Those who may decide in their own right: what a quorum can be filled with."""
    return frozenset(number for number, person in people.items() if person.on_behalf_of_id is None)


def counted(session: Session, request: Request) -> frozenset[int]:
    """Everybody who has decided on the request's current revision, and those in whose place it was done."""
    rows = session.execute(
        select(Decision.person_id, Decision.on_behalf_of_id).where(
            Decision.request_id == request.id,
            Decision.revision == request.revision,
            Decision.voided_at.is_(None),
        )
    )
    return frozenset(number for row in rows for number in row if number is not None)


def counted_in(decisions: Sequence[Decision]) -> frozenset[int]:
    """As `counted`, of decisions that were read already."""
    return frozenset(
        number
        for decision in decisions
        for number in (decision.person_id, decision.on_behalf_of_id)
        if number is not None
    )


def _in_their_place(one: InForce, principal: RouteApprover) -> RouteApprover:
    return RouteApprover(
        person_id=one.substitute_id,
        issuer=one.issuer,
        subject=one.subject,
        name=one.name,
        relation=say(
            "in the place of %(name)s, %(relation)s", name=principal.name, relation=principal.relation
        ),
        rule=principal.rule,
        on_behalf_of_id=one.delegator_id,
        on_behalf_of=principal.name,
    )
