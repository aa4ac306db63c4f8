"""Who is asked whether something is still needed: its holder, and whoever answers for it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.model import Entitlement, EntitlementOwner
from catalog.entitlements.recertifying.model import Part, Recertification
from catalog.entitlements.rights import Owner, owners_by_rule
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from portal.identity.actor import Actor
from portal.identity.model import Person, Unit

#: Entitlements whose owners are read in one statement.
_AT_A_TIME = 500


def owners_to_ask(session: Session, entitlement: Entitlement) -> Sequence[Owner]:
    """Who answers for it, as the directory and the register say now; never its holder.

    That are the owners of what it opens; where nobody is, the holder's superior; where there is none, the head of
    their unit; and at last the group that answers for the offering.
    """
    return owners_of_each(session, [entitlement])[entitlement.id]


def owners_of_each(session: Session, entitlements: Sequence[Entitlement]) -> dict[int, Sequence[Owner]]:
    """Who answers for each of them, by its number, as `owners_to_ask`; what several share is looked up once."""
    rules: dict[int, list[str]] = {entitlement.id: [] for entitlement in entitlements}
    numbers = list(rules)
    for first in range(0, len(numbers), _AT_A_TIME):
        rows = session.execute(
            select(EntitlementOwner.entitlement_id, EntitlementOwner.rule)
            .where(EntitlementOwner.entitlement_id.in_(numbers[first : first + _AT_A_TIME]))
            .order_by(EntitlementOwner.entitlement_id, EntitlementOwner.rule)
        )
        for number, rule in rows:
            rules[number].append(rule)
    known: dict[tuple[str, ...], Sequence[Owner]] = {}
    found: dict[int, Sequence[Owner]] = {}
    for entitlement in entitlements:
        key = tuple(rules[entitlement.id])
        if key not in known:
            known[key] = owners_by_rule(session, key)
        owners = _others(known[key], entitlement)
        found[entitlement.id] = owners or _above_holder(session, entitlement)
    return found


def part_of(session: Session, actor: Actor, question: Recertification) -> Part | None:
    """As what the actor may answer now; None for whoever is not asked. A holder never answers as owner."""
    entitlement = session.get_one(Entitlement, question.entitlement_id)
    if actor.person_id is None:
        return None
    if entitlement.person_id == actor.person_id:
        return Part.HOLDER
    asked = {owner.person.id for owner in owners_to_ask(session, entitlement)}
    return Part.OWNER if actor.person_id in asked else None


def _above_holder(session: Session, entitlement: Entitlement) -> Sequence[Owner]:
    holder = session.get_one(Person, entitlement.person_id)
    if (manager := _find_active(session, holder.manager_id)) and manager.id != holder.id:
        return [Owner(manager, "line-manager")]
    head = _find_active(session, session.get_one(Unit, holder.unit_id).head_id)
    if head is not None and head.id != holder.id:
        return [Owner(head, "unit-head")]
    request = session.get_one(Request, entitlement.request_id)
    rule = f"group:{document_of(request.version).owner}"
    return _others(owners_by_rule(session, [rule]), entitlement)


def _others(owners: Sequence[Owner], entitlement: Entitlement) -> Sequence[Owner]:
    return [owner for owner in owners if owner.person.id != entitlement.person_id]


def _find_active(session: Session, person_id: int | None) -> Person | None:
    person = session.get(Person, person_id) if person_id is not None else None
    return person if person is not None and person.active else None
