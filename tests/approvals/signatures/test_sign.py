"""Signing a decision with a passkey: only this person's live key, on exactly this, once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from approvals.decisions.changes import SealChanged
from approvals.decisions.decide import decide
from approvals.decisions.model import Decision, Verdict
from approvals.routing.model import Stage
from approvals.signatures.challenge import assertion_digest, decision_challenge
from approvals.signatures.demand import reaches
from approvals.signatures.model import DecisionSignature
from approvals.signatures.sign import (
    PasskeyMissing,
    Signature,
    SignatureNeeded,
    SignatureRefused,
    offer_signing,
)
from catalog.offerings.publish import publish
from catalog.requests.model import Request
from portal.audit.model import Entry
from portal.core.clock import now
from portal.core.errors import Conflict
from portal.identity.actor import Actor
from portal.identity.passkeys.ceremony import Assertion, to_base64url
from portal.identity.passkeys.model import Passkey
from portal.identity.passkeys.queries import passkeys_of
from portal.identity.passkeys.revoke import revoke
from tests.approvals.conftest import MANAGER_STAGE, Story, offering_text
from tests.fixtures_passkeys import PRESENT, SoftAuthenticator, changed_answer, enrol_with
from tests.fixtures_people import StandingClock

HIGH: dict[str, Any] = {"level": "high", "score": 60, "reasons": []}


@dataclass
class Desk:
    """A request that must be signed from high risk on, its approver, and their device."""

    story: Story
    request_id: int
    approver: Actor
    device: SoftAuthenticator

    def offer(self, actor: Actor | None = None) -> tuple[str, Mapping[str, Any]]:
        """What the card hands to the browser: the nonce, and the options by verdict."""
        with self.story.db.reading() as session:
            request = session.get_one(Request, self.request_id)
            stage = session.scalars(select(Stage).where(Stage.revision == request.revision)).one()
            offer = offer_signing(
                actor or self.approver,
                session.get_one(Request, self.request_id, populate_existing=True),
                dict.fromkeys(Verdict, stage),
                passkeys_of(session, (actor or self.approver).person_id),
                self.story.settings,
                at=now(session),
            )
        return offer.nonce, offer.options

    def signed(self, verdict: Verdict = Verdict.APPROVE) -> Signature:
        """What an honest browser sends."""
        nonce, options = self.offer()
        return Signature(self.device.get(options[verdict.value]), nonce)

    def decide(
        self,
        signature: Signature | None,
        verdict: Verdict = Verdict.APPROVE,
        actor: Actor | None = None,
        seal: str = "",
    ) -> None:
        seen = seal or self.story.see(self.request_id).seal
        with self.story.db.transaction() as session:
            decide(
                session,
                actor or self.approver,
                self.request_id,
                verdict=verdict,
                comment="Because." if verdict is Verdict.DENY else "",
                seal=seen,
                settings=self.story.settings,
                signature=signature,
            )

    def nothing_decided(self) -> bool:
        with self.story.db.reading() as session:
            return (
                not session.scalars(select(Decision)).all()
                and not session.scalars(select(DecisionSignature)).all()
            )


def signed_offering(story: Story, level: str) -> int:
    text = yaml.safe_load(offering_text([MANAGER_STAGE], slug=f"signed-from-{level}"))
    text["signature"] = {"passkey_from": level}
    with story.db.transaction() as session:
        return publish(
            session, Actor(name="Publisher", person_id=story.cast.operator), yaml.safe_dump(text), "x.yaml"
        ).id


@pytest.fixture
def desk(story: Story, enrolled: Callable[[int], SoftAuthenticator], actor_of: Callable[..., Actor]) -> Desk:
    request_id = story.request(signed_offering(story, "high"), risk=HIGH)
    story.plan(request_id)
    return Desk(story, request_id, actor_of(story.cast.manager), enrolled(story.cast.manager))


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_signed_decision_keeps_the_assertion_and_names_it_in_the_ledger(
    desk: Desk, verdict: Verdict
) -> None:
    signature = desk.signed(verdict)
    desk.decide(signature, verdict)
    assertion = Assertion.from_browser(signature.answer)
    with desk.story.db.reading() as session:
        row = session.scalars(select(DecisionSignature)).one()
        kept = Assertion(row.credential_id, row.client_data, row.authenticator_data, row.signature)
        assert (kept, row.nonce) == (assertion, signature.nonce)
        entry = session.scalars(select(Entry.body).where(Entry.tag.like("approval:%ed")).limit(1)).one()
        told = json.loads(entry)["facts"]["signature"]
        assert told["assertion"] == assertion_digest(assertion, signature.nonce)
        passkey = session.scalars(select(Passkey)).one()
        assert (passkey.sign_count, passkey.last_used_at) == (1, now(session))
        decision = session.get_one(Decision, row.decision_id)
    expected = decision_challenge(
        seal=decision.seal,
        verdict=verdict.value,
        stage="line-manager",
        issuer=desk.approver.issuer,
        subject=desk.approver.subject,
        nonce=signature.nonce,
    )
    assert json.loads(kept.client_data)["challenge"] == to_base64url(expected)


@pytest.mark.parametrize("database_url", ["sqlite://"])
@pytest.mark.parametrize(("level", "needed"), [("low", True), ("high", True), ("critical", False)])
def test_the_offering_says_from_which_risk_on_a_signature_is_needed(
    story: Story, actor_of: Callable[..., Actor], level: str, needed: bool
) -> None:
    request_id = story.request(signed_offering(story, level), risk=HIGH)
    story.plan(request_id)
    desk = Desk(story, request_id, actor_of(story.cast.manager), SoftAuthenticator())
    if needed:
        with pytest.raises(PasskeyMissing):
            desk.decide(None)
        assert desk.nothing_decided()
    else:
        desk.decide(None)
        assert not desk.nothing_decided()


def test_a_risk_of_no_known_level_counts_as_the_highest() -> None:
    assert reaches({"level": "unheard"}, "critical")
    assert reaches({}, "critical")
    assert not reaches({"level": "high"}, "critical")


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_without_a_signature_nothing_is_decided_and_javascript_is_named(desk: Desk) -> None:
    with pytest.raises(SignatureNeeded, match="needs JavaScript"):
        desk.decide(None)
    assert desk.nothing_decided()


def of_the_other_verdict(desk: Desk) -> Signature:
    return desk.signed(Verdict.DENY)


def of_another_challenge(desk: Desk) -> Signature:
    nonce, options = desk.offer()
    return Signature(desk.device.get({**options["approve"], "challenge": "A" * 43}), nonce)


def with_another_pages_nonce(desk: Desk) -> Signature:
    nonce, _ = desk.offer()
    return replace(desk.signed(), nonce=nonce)


def from_another_origin(desk: Desk) -> Signature:
    desk.device.origin = "http://localhost:8001"
    return desk.signed()


def for_another_portal(desk: Desk) -> Signature:
    desk.device.rp_id = "evil.test"
    return desk.signed()


def in_a_frame_of_another_site(desk: Desk) -> Signature:
    desk.device.cross_origin = True
    return desk.signed()


def with_nobody_verified(desk: Desk) -> Signature:
    desk.device.flags = PRESENT
    return desk.signed()


def with_nobody_present(desk: Desk) -> Signature:
    desk.device.flags = 0x04
    return desk.signed()


def with_a_registration_instead(desk: Desk) -> Signature:
    nonce, options = desk.offer()
    return Signature(desk.device.get(options["approve"], type="webauthn.create"), nonce)


def by_a_key_that_nobody_enrolled(desk: Desk) -> Signature:
    desk.device = SoftAuthenticator()
    return desk.signed()


def by_another_key_under_the_enrolled_name(desk: Desk) -> Signature:
    desk.device = SoftAuthenticator(credential_id=desk.device.credential_id)
    return desk.signed()


def by_a_revoked_key(desk: Desk) -> Signature:
    signature = desk.signed()
    with desk.story.db.transaction() as session:
        (passkey,) = passkeys_of(session, desk.approver.person_id)
        revoke(session, desk.approver, passkey.id, settings=desk.story.settings)
    return signature


def with_a_lower_counter(desk: Desk) -> Signature:
    with desk.story.db.transaction() as session:
        session.scalars(select(Passkey)).one().sign_count = 9
    desk.device.count = 7
    return desk.signed()


def with_the_same_counter(desk: Desk) -> Signature:
    with desk.story.db.transaction() as session:
        session.scalars(select(Passkey)).one().sign_count = 9
    desk.device.count = 8
    return desk.signed()


def with_a_changed_signature(desk: Desk) -> Signature:
    signature = desk.signed()
    return replace(signature, answer=changed_answer(signature.answer, "signature", 9))


def with_changed_flags(desk: Desk) -> Signature:
    signature = desk.signed()
    return replace(signature, answer=changed_answer(signature.answer, "authenticatorData", 36))


def with_nonsense(desk: Desk) -> Signature:
    return replace(desk.signed(), answer='{"response": {"authenticatorData": "AA"}, "rawId": "AA"}')


def with_a_nonce_of_ones_own(desk: Desk) -> Signature:
    signature = desk.signed()
    return replace(signature, nonce="A" * len(signature.nonce))


ATTACKS = [
    of_the_other_verdict,
    of_another_challenge,
    with_another_pages_nonce,
    from_another_origin,
    for_another_portal,
    in_a_frame_of_another_site,
    with_nobody_verified,
    with_nobody_present,
    with_a_registration_instead,
    by_a_key_that_nobody_enrolled,
    by_another_key_under_the_enrolled_name,
    by_a_revoked_key,
    with_a_lower_counter,
    with_the_same_counter,
    with_a_changed_signature,
    with_changed_flags,
    with_nonsense,
    with_a_nonce_of_ones_own,
]


@pytest.mark.parametrize("database_url", ["sqlite://"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_signature_that_does_not_hold_decides_nothing(
    desk: Desk, attack: Callable[[Desk], Signature]
) -> None:
    with pytest.raises(SignatureRefused):
        desk.decide(attack(desk))
    assert desk.nothing_decided()


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_an_authenticator_that_does_not_count_is_taken(desk: Desk) -> None:
    desk.device.step = 0
    desk.decide(desk.signed())
    assert not desk.nothing_decided()


@pytest.mark.on_sqlite
def test_another_persons_key_signs_nothing_for_me(
    desk: Desk, enrolled: Callable[[int], SoftAuthenticator]
) -> None:
    desk.device = enrolled(desk.story.cast.owner)
    with pytest.raises(SignatureRefused):
        desk.decide(desk.signed())
    assert desk.nothing_decided()


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_a_signature_waits_no_longer_than_a_sign_in(desk: Desk, clock: StandingClock) -> None:
    signature = desk.signed()
    clock.pass_time(minutes=6)
    fresh = replace(desk.approver, auth_time=clock())
    with pytest.raises(SignatureRefused, match="open for too long"):
        desk.decide(signature, actor=fresh)
    assert desk.nothing_decided()


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_a_signature_of_another_session_decides_nothing(desk: Desk) -> None:
    with pytest.raises(SignatureRefused):
        desk.decide(desk.signed(), actor=replace(desk.approver, session_id=2))
    assert desk.nothing_decided()


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_a_signature_on_the_seal_that_stood_before_decides_nothing(desk: Desk) -> None:
    signature, seen = desk.signed(), desk.story.see(desk.request_id).seal
    with desk.story.db.transaction() as session:
        request = session.get_one(Request, desk.request_id)
        request.answers = {**request.answers, "reason": "Something else"}
        request.revision, request.seal = 2, ""
    desk.story.plan(desk.request_id)
    with pytest.raises(SealChanged):
        desk.decide(signature, seal=seen)
    with pytest.raises(SignatureRefused):
        desk.decide(signature)
    assert desk.nothing_decided()


def test_an_assertion_serves_once(desk: Desk) -> None:
    signature = desk.signed()
    desk.decide(signature)
    with pytest.raises(Conflict):
        desk.decide(signature)
    with desk.story.db.transaction() as session:
        # As if the decision were gone: the kept nonce still refuses it.
        kept = session.scalars(select(DecisionSignature.nonce)).all()
        assert kept == [signature.nonce]
        copy = session.scalars(select(DecisionSignature)).one()
        values = {
            column.name: getattr(copy, column.name)
            for column in DecisionSignature.__table__.columns
            if column.name != "decision_id"
        }
    with pytest.raises(Exception, match=r"(?i)unique"), desk.story.db.transaction() as session:
        session.add(DecisionSignature(decision_id=copy.decision_id + 1, **values))
        session.flush()


def test_a_kept_signature_can_be_neither_changed_nor_removed(desk: Desk) -> None:
    desk.decide(desk.signed())
    for statement in ("UPDATE decision_signature SET sign_count = 0", "DELETE FROM decision_signature"):
        with pytest.raises(Exception, match="append-only"), desk.story.db.transaction() as session:
            session.connection().exec_driver_sql(statement)


@pytest.mark.on_sqlite
def test_several_keys_of_one_person_all_sign(desk: Desk) -> None:
    second = SoftAuthenticator()
    with desk.story.db.transaction() as session:
        enrol_with(session, desk.approver, desk.story.settings, second, "Spare")
    _, options = desk.offer()
    assert len(options["approve"]["allowCredentials"]) == 2
    desk.device = second
    desk.decide(desk.signed())
    assert not desk.nothing_decided()
