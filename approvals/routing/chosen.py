"""Which route a request takes: a standing approval's, an emergency committee's, or its offering's ordinary one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from approvals.delegation.absent import with_absences
from approvals.emergency.committee import committee_stage, convenes
from approvals.emergency.debt import debt_of
from approvals.routing.relations import People, people_by_rule
from approvals.routing.resolve import resolve
from approvals.routing.words import joined
from approvals.standing.cover import cover
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.route import Proposal, RouteStage


def route_of(session: Session, proposal: Proposal, request: Request | None = None) -> tuple[RouteStage, ...]:
    """The whole route of the proposal, by the directory as it is now.

    With the request that the route is for, one use of a standing approval that covers it is spent in this transaction;
    without it nothing is changed. A standing approval that does not cover it is named on the first stage, with the
    reason. Raises NobodyToAsk, and NoFirstAid for an emergency that goes beyond it.
    """
    document = document_of(proposal.version)
    covered = cover(session, proposal, request)
    if covered.stage is not None:
        return (covered.stage,)
    if convenes(proposal, document):

        def find(rules: set[str], parties: Mapping[str, int], excluded: frozenset[int]) -> People:
            return people_by_rule(session, rules, parties, excluded=excluded)

        stages: tuple[RouteStage, ...] = (committee_stage(document, proposal, find, debt=debt_of(session)),)
    else:
        stages = resolve(session, proposal)
    return with_absences(session, _with_notes(stages, covered.notes), document.slug)


def _with_notes(stages: tuple[RouteStage, ...], notes: Sequence[str]) -> tuple[RouteStage, ...]:
    if not notes or not stages:
        return stages
    first, *others = stages
    return (replace(first, because=joined([first.because, *notes])), *others)
