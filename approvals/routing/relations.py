"""Relations: which people a rule of a route means, read from the directory now, never remembered.

A rule is a short text that stays with the sealed route, so that the same question can be asked again when a
person decides and again when the request is fulfilled:

    line-manager:beneficiary            the beneficiary's manager, or with :requester the requester's
    manager-of-manager:beneficiary      that manager's manager
    unit-head:beneficiary               the head of the beneficiary's unit
    group:<slug>                        members of a group
    group-owner:<slug>                  the owner of a group
    person:<id>                         one person by their number here
    named:<user name>                   the person whom an answer names
    asset-owner:<id>                    the owner of an asset, or the members of the group that owns it
    rota:<slug>                         who is on duty in a rota
    role:<role>                         who holds a role of the portal; only break-glass asks so
    standing:<number>:<digest>          who signed a standing approval, while it is in force

A rota gives everybody who is or will be on duty in it; `called` says who is now. The others are under the seal
too, so that duty can change hands while a request waits and what was decided stays decided.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, bindparam, or_, select
from sqlalchemy.orm import Session, aliased

from approvals.delegation.in_force import reached_from
from approvals.routing import words
from approvals.routing.holders import role_holders, standing_signers
from catalog.assets.model import Asset
from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from catalog.requests.route import Proposal, RouteApprover
from portal.core.clock import now
from portal.identity.model import Group, Membership, Person, Unit
from portal.identity.rotas.duty import duties

SUPERIORS = ("line-manager", "manager-of-manager", "unit-head")
PARTIES = ("beneficiary", "requester")

_SUPERIOR_RULES = frozenset(f"{relation}:{party}" for relation in SUPERIORS for party in PARTIES)

People = dict[str, tuple[RouteApprover, ...]]


class Found(NamedTuple):
    """One person whom a rule means."""

    rule: str
    relation: str
    #: A row with id, issuer, subject and name.
    person: Any
    called: bool = True


def people_by_rule(
    session: Session,
    rules: Iterable[str],
    parties: Mapping[str, int],
    *,
    excluded: Collection[int] = (),
    since: datetime | None = None,
) -> People:
    """The active people whom each rule means now, without the excluded ones; a rule without people has ().

    `parties` gives the beneficiary's and the requester's number. One statement for each kind of rule, and each only
    when a rule asks for it. Of a rota, whoever was on duty since `since` (UTC) counts too. Raises ValueError for a
    rule that is none of the above.
    """
    found: dict[str, list[RouteApprover]] = {rule: [] for rule in rules}
    by_kind: dict[str, list[str]] = {}
    for rule in found:
        kind, _, name = rule.partition(":")
        if kind not in _KINDS and rule not in _SUPERIOR_RULES:
            message = f"This is not a rule of a route: {rule}"
            raise ValueError(message)
        by_kind.setdefault(kind if kind in _KINDS else "superior", []).append(name)
    kept_out: dict[str, set[int]] = {}
    if "superior" in by_kind:
        _add(found, _superiors(session, parties), excluded, kept_out)
    for kind, find in _KINDS.items():
        if kind in by_kind:
            _add(found, find(session, by_kind[kind]), excluded, kept_out)
    if "rota" in by_kind:
        _add(found, _on_duty(session, by_kind["rota"], since), excluded, kept_out)
    return _without_reached(session, found, kept_out)


def excluded_from(proposal: Proposal | Request, version: OfferingVersion) -> frozenset[int]:
    """Who may never decide: requester, beneficiary, last editor, and publisher of the offering version.

    A person's row stands for exactly one (issuer, subject), so numbers of rows compare identities, not e-mail.
    """
    people = (proposal.requester_id, proposal.beneficiary_id, proposal.editor_id, version.publisher_id)
    return frozenset(person for person in people if person is not None)


def parties_of(proposal: Proposal | Request) -> dict[str, int]:
    """The people whose superiors a rule may mean, by their part in the request."""
    return {"beneficiary": proposal.beneficiary_id, "requester": proposal.requester_id}


def _add(
    found: Mapping[str, list[RouteApprover]],
    people: Iterable[Found],
    excluded: Collection[int],
    kept_out: dict[str, set[int]],
) -> None:
    for one in people:
        if one.rule in found and one.person.id in excluded:
            kept_out.setdefault(one.rule, set()).add(one.person.id)
        elif one.rule in found:
            found[one.rule].append(
                RouteApprover(
                    person_id=one.person.id,
                    issuer=one.person.issuer,
                    subject=one.person.subject,
                    name=one.person.name,
                    relation=one.relation,
                    rule=one.rule,
                    called=one.called,
                )
            )


def _without_reached(
    session: Session, found: Mapping[str, Sequence[RouteApprover]], kept_out: Mapping[str, Collection[int]]
) -> People:
    """Where a rule means somebody who is kept out, whoever may decide in their place just now is kept out too.

    Without such a person nobody is: a requester who delegates to their manager cannot rid themselves of that manager.
    One statement, where somebody is kept out at all.
    """
    reached = reached_from(session, {person for people in kept_out.values() for person in people})
    left: People = {}
    for rule, people in found.items():
        barred = {number for person in kept_out.get(rule, ()) for number in reached.get(person, ())}
        left[rule] = tuple(person for person in people if person.person_id not in barred)
    return left


_PARTY, _MANAGER, _SECOND, _HEAD = aliased(Person), aliased(Person), aliased(Person), aliased(Person)
#: Made once: four aliases of a person take longer to make than the statement takes to run.
_SUPERIORS = (
    select(_PARTY.id, _MANAGER, _SECOND, _HEAD)
    .select_from(_PARTY)
    .join(Unit, Unit.id == _PARTY.unit_id)
    .outerjoin(_MANAGER, _MANAGER.id == _PARTY.manager_id)
    .outerjoin(_SECOND, _SECOND.id == _MANAGER.manager_id)
    .outerjoin(_HEAD, _HEAD.id == Unit.head_id)
    .where(_PARTY.id.in_(bindparam("parties")))
    .execution_options(populate_existing=True)
)


def _superiors(session: Session, parties: Mapping[str, int]) -> Iterable[Found]:
    rows = session.execute(_SUPERIORS, {"parties": list(parties.values())}).all()
    superiors: tuple[Person | None, ...]
    for number, *superiors in rows:  # type: ignore[assignment]  # outer joins give None, which the types leave out
        for name in (name for name, person in parties.items() if person == number):
            for relation, person in zip(SUPERIORS, superiors, strict=True):
                if person is not None and person.active:
                    rule = f"{relation}:{name}"
                    yield Found(rule, words.superior(rule), person)


_OF_A_GROUP = (Group.slug, Group.name.label("group"), Person.id, Person.issuer, Person.subject, Person.name)


def _members(session: Session, slugs: Sequence[str]) -> Iterable[Found]:
    statement = (
        select(*_OF_A_GROUP)
        .select_from(Group)
        .join(Membership, Membership.group_id == Group.id)
        .join(Person, Person.id == Membership.person_id)
        .where(Group.slug.in_(slugs), Person.active)
        .order_by(Person.name, Person.id)
    )
    relations: dict[str, str] = {}
    for row in session.execute(statement):
        if row.slug not in relations:
            relations[row.slug] = words.member(row.group)
        yield Found(f"group:{row.slug}", relations[row.slug], row)


def _owners(session: Session, slugs: Sequence[str]) -> Iterable[Found]:
    statement = (
        select(*_OF_A_GROUP)
        .select_from(Group)
        .join(Person, Person.id == Group.owner_id)
        .where(Group.slug.in_(slugs), Person.active)
    )
    for row in session.execute(statement):
        yield Found(f"group-owner:{row.slug}", words.owner(row.group), row)


def _numbered(session: Session, numbers: Sequence[str]) -> Iterable[Found]:
    wanted = [int(number) for number in numbers]
    for person in session.scalars(select(Person).where(and_(Person.id.in_(wanted), Person.active))):
        yield Found(f"person:{person.id}", words.named(), person)


def _named(session: Session, user_names: Sequence[str]) -> Iterable[Found]:
    for person in session.scalars(
        select(Person).where(and_(Person.user_name.in_(user_names), Person.active))
    ):
        yield Found(f"named:{person.user_name}", words.named(), person)


def _asset_owners(session: Session, asset_ids: Sequence[str]) -> Iterable[Found]:
    """Of inactive assets too: what is taken out of use still belongs to somebody."""
    rows: Iterable[Row[*tuple[Any, ...]]] = session.execute(
        select(
            Asset.asset_id,
            Asset.name.label("asset"),
            Group.name.label("group"),
            Person.id,
            Person.issuer,
            Person.subject,
            Person.name,
        )
        .select_from(Asset)
        .outerjoin(Group, Group.id == Asset.owner_group_id)
        .outerjoin(Membership, Membership.group_id == Group.id)
        .join(Person, or_(Person.id == Asset.owner_id, Person.id == Membership.person_id))
        .where(Asset.asset_id.in_(asset_ids), Person.active)
        .order_by(Person.name, Person.id)
    )
    for row in rows:
        relation = words.owners(row.asset, row.group) if row.group else words.owner(row.asset)
        yield Found(f"asset-owner:{row.asset_id}", relation, row)


def _on_duty(session: Session, slugs: Sequence[str], since: datetime | None) -> Iterable[Found]:
    for duty in duties(session, slugs, at=now(session), since=since):
        yield Found(f"rota:{duty.rota}", words.on_duty(duty.rota_name), duty.person, duty.now)


_KINDS: Mapping[str, Callable[[Session, Sequence[str]], Iterable[Found]]] = {
    "group": _members,
    "group-owner": _owners,
    "person": _numbered,
    "named": _named,
    "asset-owner": _asset_owners,
    "rota": lambda _, __: (),
    "role": lambda session, roles: (Found(*held) for held in role_holders(session, roles)),
    "standing": lambda session, names: (Found(*held) for held in standing_signers(session, names)),
}
