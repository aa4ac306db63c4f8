"""Who was passed over: the stages that would have decided, and the people who now look back at it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from approvals.routing.eligible import Eligible, eligible_now
from approvals.routing.model import Stage, StageState
from approvals.routing.proposals import proposal_of
from approvals.routing.relations import People, excluded_from, parties_of, people_by_rule
from approvals.routing.resolve import Find, NobodyToAsk, Want, fill, stages_wanted
from approvals.routing.stages import approvals_by_stage, decisions_of, stages_of
from catalog.offerings.language import OfferingDocument
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.route import Proposal, RouteApprover, RouteStage
from portal.core.language import say

OWNERS = "owners"


@dataclass(frozen=True, slots=True)
class Seat:
    """One stage that was passed over. So many of its people must find it right afterwards."""

    slug: str
    name: str
    quorum: int
    people: tuple[RouteApprover, ...]


def ordinary_seats(session: Session, request: Request, without: Collection[int]) -> tuple[Seat, ...]:
    """The ordinary route of an emergency, as it would be asked now; `without` are those who decided it.

    A stage that finds nobody is left out. Where nobody at all is left, the group that answers for the offering looks
    back at it; where even that is empty there is no seat, and it will be undone.
    """
    proposal = proposal_of(session, request)
    document = document_of(request.version)
    excluded = excluded_from(request, request.version) | frozenset(without)

    def find(rules: set[str], parties: Mapping[str, int], _excluded: frozenset[int]) -> People:
        return people_by_rule(session, rules, parties, excluded=excluded)

    wanted = stages_wanted(document, proposal.facts, proposal.unit)
    try:
        stages = fill(document, wanted, proposal, find)
    except NobodyToAsk:
        # One stage that lacks people must not silence the others.
        stages = tuple(
            stage for want in wanted for stage in _with_whom_it_has(document, want, proposal, find)
        )
    seats = _cut(Seat(stage.slug, stage.name, stage.quorum, stage.approvers) for stage in stages)
    if seats:
        return seats
    rule = f"group:{document.owner}"
    found = find({rule}, parties_of(request), excluded)
    return _cut([Seat(OWNERS, say("Owners of the service"), 1, found[rule])])


def _with_whom_it_has(
    document: OfferingDocument, want: Want, proposal: Proposal, find: Find
) -> tuple[RouteStage, ...]:
    """This stage alone; with a quorum of everybody where they are fewer than it needs, and nothing without anybody."""
    for ask in (want.ask, replace(want.ask, quorum="all")):
        try:
            return fill(document, (want._replace(ask=ask),), proposal, find)
        except NobodyToAsk:
            continue
    return ()


def passed_over(session: Session, request: Request, without: Collection[int]) -> tuple[Seat, ...]:
    """The stages of a waiting request that have not approved yet, with those of their people who may decide now."""
    stages = [
        stage for stage in stages_of(session, request) if stage.state in {StageState.OPEN, StageState.WAITING}
    ]
    eligible = eligible_now(session, request, stages)
    agreed = approvals_by_stage(decisions_of(session, request))
    return _cut(_seat(stage, eligible, len(agreed.get(stage.id, ())), without) for stage in stages)


def _seat(stage: Stage, eligible: Eligible, agreed: int, without: Collection[int]) -> Seat:
    people = tuple(
        person
        for number, person in eligible[stage.id].items()
        if number not in without and person.on_behalf_of_id is None
    )
    return Seat(stage.slug, stage.name, max(stage.quorum - agreed, 1), people)


def _cut(seats: Iterable[Seat]) -> tuple[Seat, ...]:
    """Without empty seats, and none with a quorum that its people cannot reach."""
    return tuple(
        Seat(seat.slug, seat.name, min(seat.quorum, len(seat.people)), seat.people)
        for seat in seats
        if seat.people
    )
