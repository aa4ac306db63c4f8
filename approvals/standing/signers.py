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

from approvals.delegation.in_force import reached_from
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
    #: The authentication context that a signature must have been made in; empty where any will do.
    acr: str = ""


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
        # They sign for the stages that cannot, so the strictest that any of those demands holds for them too.
        acr = next((ask.acr for stage in document.route.stages for ask in stage.asks if ask.acr), "")
        wanted.append(Needed(say("Owners of the service"), owners, missing, found[owners], acr))
    return tuple(wanted)


def signatures_of(session: Session, standing: StandingApproval) -> Mapping[int, StandingSignature]:
    """Everybody's signature on what it says now, by person."""
    statement = select(StandingSignature).where(
        StandingSignature.standing_id == standing.id, StandingSignature.digest == standing.digest
    )
    return {row.person_id: row for row in session.scalars(statement.order_by(StandingSignature.id))}


def complete(
    wanted: Iterable[Needed], signed: Mapping[int, StandingSignature], *, without: Collection[int] = ()
) -> bool:
    """Whether different people of each kind have signed who may still do so, each as strongly as is demanded.

    `without` do not count.
    """
    demands = [
        Demand(
            one.quorum,
            frozenset(
                person.person_id
                for person in one.people
                if person.person_id in signed
                and person.person_id not in without
                and (not one.acr or signed[person.person_id].acr == one.acr)
            ),
        )
        for one in wanted
    ]
    return bool(demands) and first_unmet(demands) is None


def signer(wanted: Iterable[Needed], person_id: int | None) -> RouteApprover | None:
    """The person as one of those who sign, or None."""
    return next((person for one in wanted for person in one.people if person.person_id == person_id), None)


def acr_for(wanted: Iterable[Needed], person_id: int) -> str:
    """The authentication context that this person's signature has to be made in; empty where any will do."""
    theirs = (one.acr for one in wanted if any(person.person_id == person_id for person in one.people))
    return next((acr for acr in theirs if acr), "")


def barred(session: Session, wanted: Iterable[Needed], parties: Collection[int]) -> frozenset[int]:
    """Whose signature does not count for a request of these parties, as in the ordinary stages.

    The parties themselves, and whoever may decide now in the place of one of them who could sign. One statement, and
    only where one of them could.
    """
    could = {person.person_id for one in wanted for person in one.people} & set(parties)
    reached = reached_from(session, could)
    return frozenset(parties).union(*reached.values())


def fixed_groups(document: OfferingDocument) -> frozenset[str]:
    """The groups, by slug, that the route's own stages name."""
    return frozenset(
        ask.approvers.group for ask, _rule in _fixed(document) if ask.approvers.group is not None
    )


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
    return Needed(in_every_language(document, ask.name), rule, quorum, people, ask.acr)
