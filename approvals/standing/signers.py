"""Who signs a standing approval: the offering's own stages, as far as they can be known in advance.

A stage or part that asks a fixed group, or the owner of one, must have signed with its own quorum. What a request
only tells when it is there (a line manager, the owner of what is chosen, whoever is on duty) cannot sign in advance;
where that leaves fewer than two signatures, members of the group that answers for the offering sign the rest. They are
different people, none of them its proposer or the publisher of the offering's version.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.routing.matching import Demand, first_unmet
from approvals.routing.relations import People, people_by_rule
from approvals.routing.words import in_every_language
from approvals.standing.model import StandingApproval, StandingSignature
from catalog.offerings.language import OfferingDocument
from catalog.offerings.queries import document_of
from catalog.offerings.route import Ask
from catalog.requests.route import RouteApprover
from portal.core.language import say

#: Never fewer signatures.
LEAST = 2


@dataclass(frozen=True, slots=True)
class Needed:
    """So many of these people must sign, by one rule as routes have them."""

    name: str
    rule: str
    quorum: int
    people: tuple[RouteApprover, ...]


def needed(session: Session, standing: StandingApproval) -> tuple[Needed, ...]:
    """Whose signatures it takes, by the directory as it is now. At most two statements."""
    document = document_of(standing.version)
    asked = list(_fixed(document))
    owners = f"group:{document.route.fallback or document.owner}"
    found = people_by_rule(
        session,
        {rule for _, rule in asked} | {owners},
        {},
        excluded=frozenset({standing.proposer_id, standing.version.publisher_id or 0}),
    )
    wanted = [_needed(document, ask, rule, found) for ask, rule in asked]
    missing = LEAST - sum(one.quorum for one in wanted)
    if missing > 0:
        wanted.append(Needed(say("Owners of the service"), owners, missing, found[owners]))
    return tuple(wanted)


def signatures_of(session: Session, standing: StandingApproval) -> Mapping[int, StandingSignature]:
    """Everybody's signature on what it says now, by person."""
    statement = select(StandingSignature).where(
        StandingSignature.standing_id == standing.id, StandingSignature.digest == standing.digest
    )
    return {row.person_id: row for row in session.scalars(statement.order_by(StandingSignature.id))}


def complete(wanted: Iterable[Needed], signed: Collection[int], *, without: Collection[int] = ()) -> bool:
    """Whether different people of each kind have signed who may still do so; `without` do not count."""
    counted = frozenset(signed) - frozenset(without)
    demands = [
        Demand(one.quorum, frozenset(person.person_id for person in one.people) & counted) for one in wanted
    ]
    return bool(demands) and first_unmet(demands) is None


def signer(wanted: Iterable[Needed], person_id: int | None) -> RouteApprover | None:
    """The person as one of those who sign, or None."""
    return next((person for one in wanted for person in one.people if person.person_id == person_id), None)


def _fixed(document: OfferingDocument) -> Iterable[tuple[Ask, str]]:
    for stage in document.route.stages:
        for ask in stage.asks:
            if ask.approvers.group is not None:
                yield ask, f"group:{ask.approvers.group}"
            elif ask.approvers.owner_of_group is not None:
                yield ask, f"group-owner:{ask.approvers.owner_of_group}"


def _needed(document: OfferingDocument, ask: Ask, rule: str, found: People) -> Needed:
    people = found[rule]
    quorum = max(len(people), 1) if ask.quorum == "all" else ask.quorum
    return Needed(in_every_language(document, ask.name), rule, quorum, people)
