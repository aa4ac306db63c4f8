"""Who and what there is when the seeded year begins: people, services, one standing approval."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import yaml
from sqlalchemy import select

from approvals.standing.model import StandingApproval
from approvals.standing.propose import Playbook, propose
from approvals.standing.signers import needed
from approvals.standing.signing import sign
from bench.year_offerings import FEED, offerings
from bench.year_portal import BEGIN, Year
from catalog.offerings.publish import publish
from portal.core.strict_yaml import read_yaml
from portal.demo.prepare import DEMO_ORGANISATION
from portal.identity.actor import PORTAL
from portal.identity.import_people import import_people
from portal.identity.model import Group, Membership, Person
from portal.identity.organisation import read_organisation

STAFF = 170


def settle(one: Year) -> None:
    """People, services, and one standing approval."""
    content = read_yaml(DEMO_ORGANISATION.read_bytes()).content
    content["people"] += [_staff(number) for number in range(STAFF)]
    with one.portal.db.transaction() as session:
        import_people(session, PORTAL, read_organisation(content), issuer=one.portal.settings.oidc_issuer)
    with one.portal.db.reading() as session:
        people = session.scalars(select(Person).where(Person.active.is_(True)).order_by(Person.id))
        one.people = {person.id: person for person in people}
        rows = session.execute(
            select(Membership.person_id, Group.roles).join(Group, Group.id == Membership.group_id)
        ).all()
    for person_id, roles in rows:
        one.roles[person_id] = one.roles.get(person_id, frozenset()) | frozenset(roles)
    publisher = one.named("oskar.brandt")
    for content in offerings():
        with one.portal.db.transaction() as session:
            text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
            one.versions[content["slug"]] = publish(session, publisher, text, f"{content['slug']}.yaml").id
    _sign_in_advance(one)
    one.work()


def _sign_in_advance(one: Year) -> None:
    last_day = (BEGIN + timedelta(days=360)).date().isoformat()
    playbook = Playbook(
        "blocked-address",
        "Addresses of the feed",
        "The feed names them at night, so they are blocked without asking anybody again.",
        f'answers.item.startsWith("{FEED}")',
        "900",
        last_day,
    )
    with one.portal.db.transaction() as session:
        proposer = one.named("nadia.haddad")
        standing = propose(session, proposer, playbook)
        number, digest = standing.id, standing.digest
        signers = [
            (ask.quorum, [person.person_id for person in ask.people]) for ask in needed(session, standing)
        ]
    signed: set[int] = set()
    for quorum, people in signers:
        for person_id in [person for person in people if person not in signed][:quorum]:
            signed.add(person_id)
            with one.portal.db.transaction() as session:
                sign(session, one.actor(person_id), number, digest=digest, settings=one.portal.settings)
    with one.portal.db.reading() as session:
        one.counted[f"standing approval {session.get_one(StandingApproval, number).state}"] += 1


_GIVEN = (
    "Anna",
    "Łukasz",
    "Zoë",
    "Jörg",
    "Inês",
    "Siobhán",
    "Mehmet",
    "Ewa",
    "Noah",
    "Priya",
    "Tiago",
    "Mei",
)
_FAMILY = (
    "Åkesson",
    "Brandão",
    "Čapek",
    "Dąbrowski",
    "Evans",
    "Fischer",
    "García",
    "Hoang",
    "Ivanova",
    "Jansen",
)
_UNITS = (
    ("energia-sales", "ines.carvalho"),
    ("energia-plants", "tiago.ferreira"),
    ("freight-operations", "marcus.johnson"),
    ("group-it", "juergen.weiss"),
    ("group-finance", "priya.raman"),
)


def _staff(number: int) -> dict[str, Any]:
    given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number // len(_GIVEN) % len(_FAMILY)]
    unit, manager = _UNITS[number % len(_UNITS)]
    return {
        "subject": f"y-{number}",
        "user_name": f"staff.{number}",
        "name": f"{given} {family} {number}",
        "given_name": given,
        "family_name": family,
        "email": f"staff.{number}@meridian.example",
        "unit": unit,
        "manager": manager,
        "title": "Clerk",
        "locale": "en-GB",
        "active": True,
    }
