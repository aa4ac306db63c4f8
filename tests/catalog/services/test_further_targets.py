"""The shipped offerings for a database, servers and a directory, ordered by their examples on real targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity
from sqlalchemy import select

from catalog.entitlements.model import Entitlement
from catalog.fulfilment.artefacts import get_artefact
from catalog.fulfilment.connectors.contract import Connector
from catalog.fulfilment.connectors.ldap import LdapConnector
from catalog.fulfilment.connectors.ldap.directory import bound
from catalog.fulfilment.connectors.postgresql import PostgresqlConnector
from catalog.fulfilment.connectors.ssh import SshAuthority, SshConnector
from catalog.fulfilment.secrets.one_time import one_time_secret
from catalog.fulfilment.secrets.show import show_secret
from catalog.offerings.publish import lacking
from catalog.offerings.queries import published_versions
from catalog.offerings.reading import read_offering
from catalog.requests.states import State
from portal.core.assets import services_folder
from portal.core.errors import Conflict, NotFound
from portal.core.language import said
from portal.demo.prepare import publish_offerings
from portal.identity.model import Person
from portal.tables import METADATA
from tests.catalog.fulfilment.connectors.cases import ldap as directory
from tests.catalog.fulfilment.connectors.cases import postgresql as database
from tests.catalog.services.test_ordered_end_to_end import stages_of

ROSA = "rosa.requester"
FURTHER = {"database-access", "server-access", "directory-group", "directory-password"}
pytestmark = pytest.mark.parametrize("database_url", ["sqlite://"])


@pytest.fixture
def postgres() -> Iterator[tuple[database.PostgresServer, str]]:
    with database.running() as (server, conninfo):
        server.execute_many(f'CREATE ROLE "{ROSA}" LOGIN')
        yield server, conninfo


@pytest.fixture
def slapd() -> Iterator[directory.Slapd]:
    with directory.running() as server:
        with server.open() as connection:
            person = {"cn": "Rosa Requester", "sn": "Requester", "userPassword": "the old one"}
            connection.add(f"uid={ROSA},ou=people,{directory.BASE}", "inetOrgPerson", person)
        yield server


@pytest.fixture
def authority(tmp_path: Path, clock) -> SshAuthority:
    authority = SshAuthority(tmp_path / "ssh", now=clock)
    authority.create_if_missing()
    return authority


@pytest.fixture
def further_connectors(request, settings) -> Sequence[Connector]:
    """Those whose target the test asks for, so that it waits for no other."""
    found: list[Connector] = []
    if "postgres" in request.fixturenames:
        found.append(PostgresqlConnector(request.getfixturevalue("postgres")[1]))
    if "slapd" in request.fixturenames:
        place = request.getfixturevalue("slapd").place()
        found.append(LdapConnector(place, partial(one_time_secret, settings.secret_key)))
    if "authority" in request.fixturenames:
        found.append(SshConnector(request.getfixturevalue("authority"), ("crm-admin", "root")))
    return found


def slugs(world) -> set[str]:
    with world.db.reading() as session:
        return {version.offering.slug for version in published_versions(session)}


def test_only_what_the_portal_can_carry_out_is_published(world, cast, authority):
    assert slugs(world) & FURTHER == {"server-access"}
    documents = {
        slug: read_offering((services_folder() / f"{slug}.yaml").read_bytes(), slug) for slug in FURTHER
    }
    lacks = {slug: lacking(document, world.portal.connectors) for slug, document in documents.items()}
    assert lacks == {
        "database-access": "postgresql",
        "directory-group": "ldap",
        "directory-password": "ldap",
        "server-access": "",
    }
    with world.db.reading() as session:
        publisher = session.get_one(Person, cast.operator).user_name
    told = {slug: lack for slug, _number, _new, lack in publish_offerings(world.portal, None, publisher)}
    assert len(told) == len(list(services_folder().glob("*.yaml")))
    assert {slug: told[slug] for slug in FURTHER} == lacks
    assert slugs(world) & FURTHER == {"server-access"}


def test_a_database_role_is_given_and_taken_away_at_the_end_of_its_day(world, cast, actor_of, postgres):
    server, _ = postgres
    granted = ('"CRM readers"', f'"{ROSA}"', "portal", False)
    request = world.done(actor_of(cast.requester), "database-access")
    assert request.state is State.FULFILLED, request.outcome
    assert stages_of(world, request) == ["line-manager", "database-owner"]
    assert granted in database.members(server)
    world.clock.time = request.ends_at + timedelta(seconds=1)
    world.work()
    assert world.request(request.id).state is State.ENDED
    assert granted not in database.members(server)


def test_somebody_without_a_database_account_is_told_before_anybody_is_asked(world, cast, actor_of, postgres):
    actor = actor_of(cast.requester)
    request = world.request(world.ordered(actor, "database-access", person="Milo Manager"))
    assert request.state is State.REFUSED
    assert "has no account" in request.outcome


def test_a_certificate_for_servers_holds_what_was_approved_and_is_taken_back_at_its_end(
    world, cast, actor_of, authority
):
    actor = actor_of(cast.requester)
    request_id = world.ordered(actor, "server-access")
    lines = [str(said(line["text"])) for line in world.request(request_id).plans[0]["lines"]]
    assert f"{ROSA} may sign in by SSH as crm-admin" in lines
    assert "Only from 10.1.4.16/28" in lines
    assert "Only to run: /usr/local/bin/restart-export" in lines
    for _ in ("owner", "security"):
        world.agree(request_id)
        world.work()
    request = world.request(request_id)
    assert (request.state, request.baton) == (State.SCHEDULED, "The change window")
    assert request.risk["level"] == "high"
    world.clock.time = request.baton_due + timedelta(seconds=1)
    world.work()
    request = world.request(request_id)
    assert request.state is State.FULFILLED, request.outcome
    assert stages_of(world, request) == ["server-owner", "security-office"]
    with world.db.reading() as session:
        line = get_artefact(session, request_id, "id-cert.pub").content
    certificate = load_ssh_public_identity(line)
    assert isinstance(certificate, SSHCertificate)
    assert certificate.valid_principals == [b"crm-admin"]
    assert certificate.key_id.decode() == f"{request.reference} {ROSA}"
    assert dict(certificate.critical_options) == {
        b"source-address": b"10.1.4.16/28",
        b"force-command": b"/usr/local/bin/restart-export",
    }
    # The hour begins when it is signed; the portal takes it back at the end that was asked for.
    end = world.clock.time.replace(microsecond=0) + timedelta(hours=1)
    assert datetime.fromtimestamp(certificate.valid_before, UTC) == end
    (entitlement,) = world.entitlements()
    assert entitlement.ends_at <= end
    assert [live.reference for live in authority.valid()] == [request.reference]
    world.clock.time = entitlement.ends_at + timedelta(seconds=1)
    world.work()
    assert world.request(request_id).state is State.ENDED
    assert authority.valid() == []


def test_a_group_is_joined_and_left_at_the_end_of_its_day(world, cast, actor_of, slapd):
    def members() -> str:
        return str(
            [values for dn, values in slapd.content() if dn.startswith("cn=CRM readers")]  # type: ignore[attr-defined]
        )

    request = world.done(actor_of(cast.requester), "directory-group")
    assert request.state is State.FULFILLED, request.outcome
    assert stages_of(world, request) == ["line-manager", "group-owner"]
    assert f"uid={ROSA}" in members()
    world.clock.time = request.ends_at + timedelta(seconds=1)
    world.work()
    assert world.request(request.id).state is State.ENDED
    assert f"uid={ROSA}" not in members()


def test_a_new_password_is_shown_once_to_its_holder_and_works(world, cast, actor_of, slapd, settings):
    actor = actor_of(cast.requester)
    request = world.done(actor, "directory-password")
    assert request.state is State.FULFILLED, request.outcome
    assert stages_of(world, request) == []
    with world.db.reading() as session:
        assert session.scalars(select(Entitlement)).all() == []
    with pytest.raises(NotFound), world.db.transaction() as session:
        show_secret(session, actor_of(cast.manager), request.reference, secret_key=settings.secret_key)
    with world.db.transaction() as session:
        password = show_secret(session, actor, request.reference, secret_key=settings.secret_key)
    with pytest.raises(Conflict, match="shown already"), world.db.transaction() as session:
        show_secret(session, actor, request.reference, secret_key=settings.secret_key)
    with bound(slapd.place()) as found:
        account = found.find_account(ROSA)
        assert found.accepts(account, password)
        assert not found.accepts(account, "the old one")
    with world.db.reading() as session:
        kept = [str(row) for table in METADATA.sorted_tables for row in session.execute(select(table))]
    assert any("directory-password" in row for row in kept)
    assert not any(password in row for row in kept)
