"""Enrolling and revoking passkeys: what holds is kept and told, what does not leaves nothing behind."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from portal.audit import identity as entries
from portal.audit.model import Entry, PersonalValue
from portal.core.database import Database
from portal.core.errors import Conflict, FieldError, NotFound, PortalError
from portal.core.settings import Settings
from portal.identity import events
from portal.identity.actor import Actor
from portal.identity.passkeys.ceremony import credential_digest
from portal.identity.passkeys.enrol import NotEnrolled, enrol, offer_enrolment
from portal.identity.passkeys.model import Passkey
from portal.identity.passkeys.queries import passkeys_of
from portal.identity.passkeys.relying_party import RelyingParty
from portal.identity.passkeys.revoke import revoke
from portal.identity.step_up import StepUpNeeded
from portal.notifications import passkeys as mails
from portal.notifications.model import Message
from tests.fixtures_passkeys import PRESENT, SoftAuthenticator, enrol_with
from tests.fixtures_people import MFA, Cast, StandingClock


@pytest.fixture
def person(db: Database, cast: Cast, actor_of: Callable[..., Actor]) -> Actor:
    """Somebody who decides, signed in just now, in a portal that tells of keys as the real one does."""
    db.info["handlers"] = {
        events.PasskeyEnrolled: (entries.on_passkey_enrolled, mails.on_passkey_enrolled),
        events.PasskeyRevoked: (entries.on_passkey_revoked, mails.on_passkey_revoked),
    }
    return actor_of(cast.manager)


def test_an_enrolled_key_is_itself_in_the_ledger_and_its_owner_gets_a_mail(
    db: Database, person: Actor, settings: Settings
) -> None:
    device = SoftAuthenticator()
    with db.transaction() as session:
        passkey = enrol_with(session, person, settings, device, "Blue key")
    with db.reading() as session:
        entry = session.scalars(select(Entry).where(Entry.tag == "passkey:enrolled")).one()
        facts = json.loads(entry.body)["facts"]
        assert base64.b64decode(facts["public_key"]) == passkey.public_key == device.spki
        assert facts["credential"] == credential_digest(device.credential_id)
        assert entry.subject == f"passkey:{facts['credential']}"
        assert facts["aaguid"] == "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
        assert facts["person"] == entry.actor == f"person:{person.person_id}"
        assert "Blue key" not in entry.body
        assert session.scalars(select(PersonalValue.value)).all() == ["Blue key"]
        mail = session.scalars(select(Message)).one()
        assert (mail.person_id, mail.event) == (person.person_id, "passkey_enrolled")
        assert "Blue key" in mail.text
        assert [key.name for key in passkeys_of(session, person.person_id)] == ["Blue key"]


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    "late",
    [{"signed_in": timedelta(minutes=6)}, {"acr": "urn:countersign:acr:password"}],
    ids=["too old", "too weak"],
)
def test_nobody_enrols_or_revokes_without_a_fresh_and_strong_sign_in(
    db: Database,
    cast: Cast,
    person: Actor,
    settings: Settings,
    clock: StandingClock,
    actor_of: Callable[..., Actor],
    late: dict[str, Any],
) -> None:
    with db.transaction() as session:
        passkey_id = enrol_with(session, person, settings, SoftAuthenticator()).id
    signed_in = clock() - late.get("signed_in", timedelta())
    other = actor_of(cast.manager, acr=late.get("acr", MFA), signed_in=signed_in)
    with pytest.raises(StepUpNeeded) as needed, db.transaction() as session:
        enrol_with(session, other, settings, SoftAuthenticator())
    assert (needed.value.max_age, needed.value.acr) == (300, MFA)
    with pytest.raises(StepUpNeeded), db.transaction() as session:
        revoke(session, other, passkey_id, settings=settings)
    with db.reading() as session:
        assert [key.id for key in passkeys_of(session, person.person_id)] == [passkey_id]


def another_origin(device: SoftAuthenticator, options: dict[str, Any]) -> str:
    device.origin = "https://evil.test"
    return device.create(options)


def another_portal(device: SoftAuthenticator, options: dict[str, Any]) -> str:
    device.rp_id = "evil.test"
    return device.create(options)


def another_challenge(device: SoftAuthenticator, options: dict[str, Any]) -> str:
    return device.create({**options, "challenge": "A" * 43})


def nobody_verified(device: SoftAuthenticator, options: dict[str, Any]) -> str:
    device.flags = PRESENT
    return device.create(options)


def in_a_frame(device: SoftAuthenticator, options: dict[str, Any]) -> str:
    return device.create(options, crossOrigin=True)


def a_signature_instead(device: SoftAuthenticator, options: dict[str, Any]) -> str:
    return device.create(options, type="webauthn.get")


def another_name(device: SoftAuthenticator, options: dict[str, Any]) -> str:
    return json.dumps({**json.loads(device.create(options)), "id": "AAAA", "rawId": "AAAA"})


def an_unknown_kind_of_key(device: SoftAuthenticator, options: dict[str, Any]) -> str:
    return SoftAuthenticator(algorithm=-65535).create(options)


def nonsense(device: SoftAuthenticator, options: dict[str, Any]) -> str:
    return '{"response": {"clientDataJSON": 7}}'


def nothing_at_all(device: SoftAuthenticator, options: dict[str, Any]) -> str:
    return "[" * 5000


@pytest.mark.parametrize("database_url", ["sqlite://"])
@pytest.mark.parametrize(
    "bend",
    [
        another_origin,
        another_portal,
        another_challenge,
        nobody_verified,
        in_a_frame,
        a_signature_instead,
        another_name,
        an_unknown_kind_of_key,
        nonsense,
        nothing_at_all,
    ],
)
def test_a_registration_that_does_not_hold_leaves_nothing(
    db: Database, person: Actor, settings: Settings, clock: StandingClock, bend: Callable[..., str]
) -> None:
    offer = offer_enrolment(person, (), settings, user_name="milo", at=clock())
    answer = bend(SoftAuthenticator(), offer.options)
    with pytest.raises(NotEnrolled), db.transaction() as session:
        enrol(session, person, name="Phone", nonce=offer.nonce, answer=answer, settings=settings)
    with db.reading() as session:
        assert session.scalars(select(Passkey)).all() == []
        assert session.scalars(select(Entry).where(Entry.tag.startswith("passkey:"))).all() == []


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_a_nonce_serves_its_own_session_for_a_quarter_of_an_hour(
    db: Database,
    cast: Cast,
    person: Actor,
    settings: Settings,
    clock: StandingClock,
    actor_of: Callable[..., Actor],
) -> None:
    offer = offer_enrolment(person, (), settings, user_name="milo", at=clock())
    answer = SoftAuthenticator().create(offer.options)
    attempt = partial(enrol, name="Phone", answer=answer, settings=settings)
    turned = offer.nonce[:-2] + ("A" if offer.nonce[-2] != "A" else "B") + offer.nonce[-1]
    for actor, nonce in (
        (actor_of(cast.owner), offer.nonce),
        (person, turned),
        (person, ""),
        (person, "é" * 75),
    ):
        with pytest.raises(NotEnrolled), db.transaction() as session:
            attempt(session, actor, nonce=nonce)
    clock.pass_time(minutes=16)
    with pytest.raises(NotEnrolled, match="open for too long"), db.transaction() as session:
        attempt(session, actor_of(cast.manager), nonce=offer.nonce)


@pytest.mark.parametrize("database_url", ["sqlite://"])
@pytest.mark.parametrize(
    ("name", "error"), [("  ", FieldError), ("x" * 81, FieldError), ("a\u202eb", FieldError)]
)
def test_a_name_is_needed_and_shows_all_of_itself(
    db: Database, person: Actor, settings: Settings, name: str, error: type[PortalError]
) -> None:
    with pytest.raises(error), db.transaction() as session:
        enrol_with(session, person, settings, SoftAuthenticator(), name)


def test_one_key_belongs_to_one_person(
    db: Database, cast: Cast, person: Actor, settings: Settings, actor_of: Callable[..., Actor]
) -> None:
    device = SoftAuthenticator()
    with db.transaction() as session:
        enrol_with(session, person, settings, device)
    with pytest.raises(Conflict), db.transaction() as session:
        enrol_with(session, actor_of(cast.owner), settings, device)


def test_a_revoked_key_stays_with_its_time_and_nobody_revokes_anothers(
    db: Database, cast: Cast, person: Actor, settings: Settings, actor_of: Callable[..., Actor]
) -> None:
    with db.transaction() as session:
        passkey_id = enrol_with(session, person, settings, SoftAuthenticator()).id
    with pytest.raises(NotFound), db.transaction() as session:
        revoke(session, actor_of(cast.owner), passkey_id, settings=settings)
    with db.transaction() as session:
        revoke(session, person, passkey_id, settings=settings)
    with pytest.raises(Conflict), db.transaction() as session:
        revoke(session, person, passkey_id, settings=settings)
    with db.reading() as session:
        assert passkeys_of(session, person.person_id) == []
        (passkey,) = passkeys_of(session, person.person_id, revoked=True)
        assert passkey.revoked_at is not None
        tags = select(Entry.tag).where(Entry.tag.startswith("passkey:")).order_by(Entry.number)
        assert session.scalars(tags).all() == ["passkey:enrolled", "passkey:revoked"]
        assert session.scalars(select(Message.event).order_by(Message.id)).all()[-1] == "passkey_revoked"


@pytest.mark.parametrize("database_url", ["sqlite://"])
@pytest.mark.parametrize(
    ("url", "party", "possible"),
    [
        ("https://portal.example", RelyingParty("portal.example", "https://portal.example"), True),
        ("https://Portal.example:443", RelyingParty("portal.example", "https://portal.example"), True),
        (
            "https://portal.example:8443/x",
            RelyingParty("portal.example", "https://portal.example:8443"),
            True,
        ),
        ("http://localhost:8000", RelyingParty("localhost", "http://localhost:8000"), True),
        ("http://127.0.0.1:8000", RelyingParty("127.0.0.1", "http://127.0.0.1:8000"), False),
        ("http://portal.example", RelyingParty("portal.example", "http://portal.example"), False),
    ],
)
def test_the_relying_party_follows_from_the_public_address(
    settings: Settings, url: str, party: RelyingParty, possible: bool
) -> None:
    found = RelyingParty.of(Settings.from_environment({"PUBLIC_URL": url}))
    assert found == party
    assert found.possible is possible
