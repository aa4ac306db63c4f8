"""Relations: which people a rule of a route means, read from the directory now, never remembered.

A rule is a short text that stays with the sealed route, so that the same question can be asked again when a
person decides and again when the request is fulfilled:

    line-manager:beneficiary            the beneficiary's manager, or with :requester the requester's
    manager-of-manager:beneficiary      that manager's manager
    unit-head:beneficiary               the head of the beneficiary's unit
    group:<slug>                        members of a group
    group-owner:<slug>                  the owner of a group
    person:<id>                         one person by their number here
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.orm import Session, aliased

from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from catalog.requests.route import Proposal, RouteApprover
from portal.identity.model import Group, Membership, Person, Unit

SUPERIORS = {
    "line-manager": "line manager",
    "manager-of-manager": "manager of the line manager",
    "unit-head": "head of the unit",
}
PARTIES = ("beneficiary", "requester")

_SUPERIOR_RULES = frozenset(f"{relation}:{party}" for relation in SUPERIORS for party in PARTIES)

People = dict[str, tuple[RouteApprover, ...]]


def people_by_rule(
    session: Session, rules: Iterable[str], parties: Mapping[str, int], *, excluded: Collection[int] = ()
) -> People:
    """The active people whom each rule means now, without the excluded ones; a rule without people has ().

    `parties` gives the beneficiary's and the requester's number. One statement for superiors, one for members,
    one for owners, one for named people, and each only when a rule asks for it. Raises ValueError for a rule
    that is none of the above.
    """
    found: dict[str, list[RouteApprover]] = {rule: [] for rule in rules}
    slugs = _names_after("group:", found)
    owned = _names_after("group-owner:", found)
    numbers = [int(number) for number in _names_after("person:", found)]
    superiors = [rule for rule in found if rule in _SUPERIOR_RULES]
    if len(slugs) + len(owned) + len(numbers) + len(superiors) != len(found):
        message = f"One of these is not a rule of a route: {sorted(found)}"
        raise ValueError(message)
    if superiors:
        _add(found, _superiors(session, parties), excluded)
    if slugs:
        _add(found, _members(session, slugs), excluded)
    if owned:
        _add(found, _owners(session, owned), excluded)
    if numbers:
        _add(found, _named(session, numbers), excluded)
    return {rule: tuple(people) for rule, people in found.items()}


def excluded_from(proposal: Proposal | Request, version: OfferingVersion) -> frozenset[int]:
    """Who may never decide: requester, beneficiary, last editor, and publisher of the offering version.

    A person's row stands for exactly one (issuer, subject), so numbers of rows compare identities, not e-mail.
    """
    people = (proposal.requester_id, proposal.beneficiary_id, proposal.editor_id, version.publisher_id)
    return frozenset(person for person in people if person is not None)


def parties_of(proposal: Proposal | Request) -> dict[str, int]:
    """The people whose superiors a rule may mean, by their part in the request."""
    return {"beneficiary": proposal.beneficiary_id, "requester": proposal.requester_id}


def _names_after(prefix: str, rules: Iterable[str]) -> list[str]:
    return [rule.removeprefix(prefix) for rule in rules if rule.startswith(prefix)]


def _add(
    found: Mapping[str, list[RouteApprover]],
    rows: Iterable[tuple[str, str, Any]],
    excluded: Collection[int],
) -> None:
    for rule, relation, person in rows:
        if rule in found and person.id not in excluded:
            found[rule].append(
                RouteApprover(
                    person_id=person.id,
                    issuer=person.issuer,
                    subject=person.subject,
                    name=person.name,
                    relation=relation,
                    rule=rule,
                )
            )


def _superiors(session: Session, parties: Mapping[str, int]) -> Iterable[tuple[str, str, Person]]:
    party, manager, second, head = aliased(Person), aliased(Person), aliased(Person), aliased(Person)
    rows = session.execute(
        select(party.id, manager, second, head)
        .select_from(party)
        .join(Unit, Unit.id == party.unit_id)
        .outerjoin(manager, manager.id == party.manager_id)
        .outerjoin(second, second.id == manager.manager_id)
        .outerjoin(head, head.id == Unit.head_id)
        .where(party.id.in_(parties.values()))
        .execution_options(populate_existing=True)
    ).all()
    superiors: tuple[Person | None, ...]
    for number, *superiors in rows:  # type: ignore[assignment]  # outer joins give None, which the types leave out
        for name in (name for name, person in parties.items() if person == number):
            for relation, person in zip(SUPERIORS, superiors, strict=True):
                if person is not None and person.active:
                    yield f"{relation}:{name}", f"{SUPERIORS[relation]} of the {name}", person


_OF_A_GROUP = (Group.slug, Group.name.label("group"), Person.id, Person.issuer, Person.subject, Person.name)


def _members(session: Session, slugs: Sequence[str]) -> Iterable[tuple[str, str, Row[*tuple[Any, ...]]]]:
    statement = (
        select(*_OF_A_GROUP)
        .select_from(Group)
        .join(Membership, Membership.group_id == Group.id)
        .join(Person, Person.id == Membership.person_id)
        .where(Group.slug.in_(slugs), Person.active)
        .order_by(Person.name, Person.id)
    )
    for row in session.execute(statement):
        yield f"group:{row.slug}", f"member of {row.group}", row


def _owners(session: Session, slugs: Sequence[str]) -> Iterable[tuple[str, str, Row[*tuple[Any, ...]]]]:
    statement = (
        select(*_OF_A_GROUP)
        .select_from(Group)
        .join(Person, Person.id == Group.owner_id)
        .where(Group.slug.in_(slugs), Person.active)
    )
    for row in session.execute(statement):
        yield f"group-owner:{row.slug}", f"owner of {row.group}", row


def _named(session: Session, numbers: Sequence[int]) -> Iterable[tuple[str, str, Person]]:
    for person in session.scalars(select(Person).where(and_(Person.id.in_(numbers), Person.active))):
        yield f"person:{person.id}", "named in the request", person
