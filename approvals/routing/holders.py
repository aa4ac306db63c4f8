"""Two rules of a route that no offering can name: holders of a portal role, and signers of a standing approval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.standing.model import StandingApproval, StandingSignature, StandingState
from portal.core.language import say
from portal.identity.model import Group, Membership, Person

#: The rule, the relation in words, the person.
Held = tuple[str, str, Person]


def role_holders(session: Session, roles: Sequence[str]) -> Iterable[Held]:
    """Active members of every group that carries one of these portal roles, each once for a role."""
    carried = {
        number: [role for role in roles if role in held]
        for number, held in session.execute(select(Group.id, Group.roles))
    }
    groups = [number for number, held in carried.items() if held]
    statement = (
        select(Membership.group_id, Person)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.group_id.in_(groups), Person.active)
        .order_by(Person.name, Person.id)
    )
    told: set[tuple[str, int]] = set()
    for group, person in session.execute(statement) if groups else ():
        for role in carried[group]:
            if (role, person.id) not in told:
                told.add((role, person.id))
                yield f"role:{role}", say("holder of the role %(role)s", role=role.replace("_", "-")), person


def standing_signers(session: Session, names: Sequence[str]) -> Iterable[Held]:
    """Who signed a standing approval, as `<number>:<digest>`, for as long as it is in force and says just that."""
    wanted = dict(name.split(":", 1) for name in names)
    statement = (
        select(StandingApproval.id, StandingApproval.digest, Person)
        .join(StandingSignature, StandingSignature.standing_id == StandingApproval.id)
        .join(Person, Person.id == StandingSignature.person_id)
        .where(
            StandingApproval.id.in_([int(number) for number in wanted]),
            StandingApproval.state == StandingState.IN_FORCE,
            StandingSignature.digest == StandingApproval.digest,
            Person.active,
        )
        .order_by(Person.name, Person.id)
    )
    for number, digest, person in session.execute(statement):
        if wanted[str(number)] == digest:
            relation = say("signer of the standing approval %(number)s", number=number)
            yield f"standing:{number}:{digest}", relation, person
