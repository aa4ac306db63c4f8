"""What a chaos run begins with: a portal's data folder and database, and requests of every kind that wait for a worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.fulfilment.connectors.firewall.repository import create_repository
from catalog.fulfilment.connectors.firewall.starting_policy import BASELINE, ZONES
from catalog.offerings.model import OfferingVersion
from catalog.requests.checking import check_draft
from catalog.requests.drafts import get_draft, keep, new_token
from catalog.requests.submit import submit
from portal.core.settings import Settings
from portal.demo.orders import certificate
from portal.demo_targets.scim import ROLES as NAMES_OF_ROLES
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.tables import METADATA
from portal.wiring import build
from tests.catalog.fulfilment.connectors.directory import TOKEN
from tests.fixtures_people import ISSUER, add_cast
from tests.fixtures_requests import KEY, OFFERING, add_offering

ROLES = tuple(NAMES_OF_ROLES.values())


@dataclass(frozen=True)
class Kind:
    """One kind of request: an offering that its published policy approves, and what is typed into its form."""

    slug: str
    steps: tuple[tuple[str, str, dict[str, Any]], ...]
    answers: dict[str, Any]
    fails: bool = False

    def offering(self) -> dict[str, Any]:
        """The offering's document."""
        fields = [
            {
                "name": name,
                "kind": "long_text" if "\n" in str(value) else "text",
                "label": name,
                "at_most": 2000,
            }
            for name, value in self.answers.items()
        ]
        reason = {"name": "reason", "kind": "long_text", "label": "Reason", "at_least": 5}
        return {
            **{name: part for name, part in OFFERING.items() if name not in {"beneficiary", "ends", "risk"}},
            "slug": self.slug,
            "name": self.slug.replace("-", " ").capitalize(),
            "kind": "standard",
            "form": {"sections": [{"title": "What", "fields": [*fields, reason]}]},
            "title": f"'{self.slug} ' + answers.{next(iter(self.answers))}",
            "route": {"stages": []},
            "fulfilment": [
                {
                    "step": f"s{number}",
                    "name": f"Step {number}",
                    "connector": connector,
                    "action": action,
                    "with": {name: {"answer": name} for name in takes},
                }
                for number, (connector, action, takes) in enumerate(self.steps, 1)
            ],
        }


def kinds(number: int) -> Iterator[Kind]:
    """One request of each kind; `number` makes them different from those of other numbers."""
    role = {"role": ROLES[number % len(ROLES)]}
    word = {"word": f"word-{number}"}
    yield Kind("access", (("scim", "grant", role),), role)
    names = {"source_zone": "office", "destination_zone": "database", "protocol": "tcp", "ports": "5432"}
    rule = {**names, "source": f"10.1.{number}.16/28", "destination": f"10.10.2.{10 + number}"}
    yield Kind("rule", (("firewall", "allow", rule),), rule)
    yield Kind(
        "saga",
        (("counting", "put", word), ("scim", "grant", role), ("counting", "refuse", word)),
        {**word, **role},
        fails=True,
    )
    csr = {"csr": certificate().answers["csr"], "validity_days": "90"}
    yield Kind("certificate", (("ca", "issue", csr),), csr)
    yield Kind("words", (("counting", "put", word), ("scim", "grant", role)), {**word, **role})


#: Who asks, by round: each for themselves, so that nobody asks for the same twice.
WHO = {
    "access": "requester",
    "saga": "manager",
    "words": "owner",
    "rule": "requester",
    "certificate": "requester",
}


def environment_of(home: Path, database_url: str) -> dict[str, str]:
    """What every process of the portal is told."""
    return {
        "COUNTERSIGN_HOME": str(home),
        "COUNTERSIGN_ENVIRONMENT": "development",
        "DATABASE_URL": database_url,
        "OIDC_ISSUER": ISSUER,
        "SCIM_TOKEN": TOKEN,
    }


def build_estate(home: Path, database_url: str, rounds: int) -> None:
    """Fill an empty database and data folder: the cast, the offerings, and `rounds` requests of each kind, submitted."""
    settings = Settings.from_environment(environment_of(home, database_url))
    portal = build(settings)
    METADATA.create_all(portal.db.engine)
    create_repository(settings.firewall_repository, zones=ZONES, baseline=BASELINE)
    with portal.db.transaction() as session:
        people = add_cast(session)
    with portal.db.transaction() as session:
        versions = {
            kind.slug: add_offering(session, kind.offering(), publisher_id=people["operator"])
            for kind in kinds(0)
        }
    for number in range(rounds):
        for kind in kinds(number):
            with portal.db.reading() as session:
                person = session.get_one(Person, people[WHO[kind.slug]])
            actor = _actor(person)
            token = new_token(person.id, KEY)
            with portal.db.transaction() as session:
                version = session.get_one(OfferingVersion, versions[kind.slug])
                keep(session, token, version, {**kind.answers, "reason": "It is needed."}, key=KEY)
            with portal.db.reading() as session:
                version = session.get_one(OfferingVersion, versions[kind.slug])
                checked = check_draft(
                    session, actor, get_draft(session, actor, token), version, portal.connectors
                )
            with portal.db.transaction() as session:
                submit(session, actor, checked)
    portal.db.dispose()


def _actor(person: Person) -> Actor:
    return Actor(
        name=person.name,
        person_id=person.id,
        issuer=person.issuer,
        subject=person.subject,
        unit_id=person.unit_id,
        roles=frozenset({"person"}),
        session_id=1,
        auth_time=datetime.now(UTC),
        timezone=person.timezone,
    )
