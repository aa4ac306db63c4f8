"""Signatures by passkey in evidence: checked offline with the key in the ledger, and every change is found."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from approvals.decisions.decide import decide
from approvals.decisions.model import Verdict
from approvals.routing.model import Stage
from approvals.signatures.sign import Signature, offer_signing
from catalog.offerings.publish import publish
from catalog.requests.model import Request
from portal.audit import identity as entries
from portal.core.clock import now
from portal.identity import events
from portal.identity.passkeys.model import Passkey
from portal.identity.passkeys.queries import passkeys_of
from portal.identity.passkeys.revoke import revoke
from reports.evidence.document import Evidence
from reports.evidence.verify import Trusted, verify_file
from reports.evidence.verify.result import Verification
from reports.evidence.verify.signatures import check_signatures
from reports.verifier.recount import Story, passkey_problems
from reports.verifier.verify import Result, run_check, signature_problems
from tests.fixtures_passkeys import SoftAuthenticator, enrol_with
from tests.fixtures_requests import OFFERING
from tests.reports.conftest import ROUTE, EvidenceWorld, evidence_in

pytestmark = pytest.mark.on_sqlite


@dataclass
class SignedWorld:
    """A request that its manager approved with a passkey, as it was carried out."""

    world: EvidenceWorld
    device: SoftAuthenticator
    reference: str

    def evidence(self) -> Evidence:
        return evidence_in(self.world.file(self.reference))


def sign_with(world: EvidenceWorld, device: SoftAuthenticator, request_id: int, person: int) -> None:
    """The person approves the request with this device, through the real ceremony."""
    actor, settings = world.actor_of(person), world.shelves.settings
    with world.db.transaction() as session:
        request = session.get_one(Request, request_id)
        stage = session.scalars(select(Stage).where(Stage.request_id == request_id)).first()
        assert stage
        keys = passkeys_of(session, person)
        offer = offer_signing(actor, request, {Verdict.APPROVE: stage}, keys, settings, at=now(session))
        decide(
            session,
            actor,
            request_id,
            verdict=Verdict.APPROVE,
            comment="",
            seal=request.seal,
            settings=settings,
            signature=Signature(device.get(offer.options["approve"]), offer.nonce),
        )


@pytest.fixture
def signed(world: EvidenceWorld) -> SignedWorld:
    world.db.info["handlers"] |= {
        events.PasskeyEnrolled: (entries.on_passkey_enrolled,),
        events.PasskeyRevoked: (entries.on_passkey_revoked,),
    }
    offering = {
        **OFFERING,
        "slug": "words-that-are-signed",
        "route": {"stages": ROUTE["stages"][:1]},
        "signature": {"passkey_from": "low"},
    }
    device = SoftAuthenticator()
    with world.db.transaction() as session:
        publisher = world.actor_of(world.cast.operator)
        world.shelves.version_id = publish(session, publisher, yaml.safe_dump(offering), "signed.yaml").id
        enrol_with(session, world.actor_of(world.cast.manager), world.shelves.settings, device, "Blue key")
    request_id = world.asked()
    sign_with(world, device, request_id, world.cast.manager)
    world.shelves.work()
    return SignedWorld(world, device, world.reference(request_id))


def told(evidence: Evidence) -> Verification:
    result = Verification("x")
    check_signatures(evidence, result)
    return result


def told_by_the_single_file(evidence: Evidence) -> Result:
    """By the single file, and by the second reading beside it."""
    result, story = Result("x"), Story(evidence.model_dump(mode="json"))
    for rules in (signature_problems, passkey_problems):
        run_check("signature", partial(result.judge, "signature", "It is signed.", rules(story)), result)
    return result


def bent(evidence: Evidence, bend: Callable[[dict[str, Any]], None]) -> Evidence:
    """The facts, changed."""
    value = evidence.model_dump(mode="json")
    bend(value)
    return Evidence.model_validate_json(json.dumps(value))


def test_verify_says_with_which_passkey_whose_decision_is_signed(signed: SignedWorld) -> None:
    world = signed.world
    result = verify_file(world.file(signed.reference), trusted=Trusted.of([world.bench.signer.verifier]))
    assert result.proven, [check.line for check in result.checks if not check.holds]
    (sentence,) = [check.sentence for check in result.checks if check.name == "signature"]
    assert sentence.startswith("The approval by Milo Manager is signed with the passkey “Blue key” (")
    with world.db.transaction() as session:
        (key,) = session.scalars(select(Passkey)).all()
        revoke(session, world.actor_of(world.cast.manager), key.id, settings=world.shelves.settings)
    later = verify_file(world.file(signed.reference), trusted=Trusted.of([world.bench.signer.verifier]))
    assert later.proven, [check.line for check in later.checks if not check.holds]
    assert any("The key was revoked after it had signed." in check.sentence for check in later.checks)


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_any_changed_byte_of_a_signature_is_found(signed: SignedWorld) -> None:
    evidence = signed.evidence()
    assert told(evidence).holds
    assert told_by_the_single_file(evidence).holds
    tried = 0
    for part in ("credential_id", "client_data", "authenticator_data", "signature"):
        content = base64.b64decode(getattr(evidence.decisions[0].signature, part))
        for position in range(len(content)):
            turned = bytearray(content)
            turned[position] ^= 1

            def bend(value: dict[str, Any], part: str = part, turned: bytes = bytes(turned)) -> None:
                value["decisions"][0]["signature"][part] = base64.b64encode(turned).decode()

            assert not told(bent(evidence, bend)).holds, (part, position)
            assert not told_by_the_single_file(bent(evidence, bend)).holds, (part, position)
            tried += 1
    assert tried > 200


def another_seal(value: dict[str, Any]) -> None:
    value["decisions"][0]["seal"] = "sha256:" + "0" * 64


def another_verdict(value: dict[str, Any]) -> None:
    value["decisions"][0]["verdict"] = "deny"


def another_stage(value: dict[str, Any]) -> None:
    value["decisions"][0]["stage"] = "owner"


def another_person(value: dict[str, Any]) -> None:
    value["decisions"][0]["person"] = value["request"]["requester"]


def another_nonce(value: dict[str, Any]) -> None:
    value["decisions"][0]["signature"]["nonce"] = "A" * 75


def left_out(value: dict[str, Any]) -> None:
    value["decisions"][0]["signature"] = None


def left_out_everywhere(value: dict[str, Any]) -> None:
    left_out(value)
    for entry in value["ledger"]["entries"]:
        entry["body"]["facts"].pop("signature", None)


def enrolment(value: dict[str, Any]) -> dict[str, Any]:
    return next(entry for entry in value["ledger"]["entries"] if entry["body"]["tag"] == "passkey:enrolled")


def an_unknown_key(value: dict[str, Any]) -> None:
    value["ledger"]["entries"].remove(enrolment(value))


def another_owner(value: dict[str, Any]) -> None:
    enrolment(value)["body"]["facts"]["person"] = value["request"]["requester"]


def another_key(value: dict[str, Any]) -> None:
    other = SoftAuthenticator()
    enrolment(value)["body"]["facts"]["public_key"] = base64.b64encode(other.spki).decode()


def enrolled_afterwards(value: dict[str, Any]) -> None:
    enrolment(value)["number"] = 10_000


def revoked_before(value: dict[str, Any]) -> None:
    entry = enrolment(value)
    value["ledger"]["entries"].append(
        {**entry, "number": entry["number"] + 1, "body": {**entry["body"], "tag": "passkey:revoked"}}
    )


def another_portal(value: dict[str, Any]) -> None:
    enrolment(value)["body"]["facts"]["rp_id"] = "evil.test"


def a_key_for_nothing(value: dict[str, Any]) -> None:
    entry = enrolment(value)
    body = {**entry["body"], "subject": "passkey:sha256:" + "0" * 64}
    value["ledger"]["entries"].append({**entry, "body": body})


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_everything_else_around_a_signature_that_does_not_fit_is_found(signed: SignedWorld) -> None:
    evidence = signed.evidence()
    assert told(evidence).holds
    for bend in (
        another_seal,
        another_verdict,
        another_stage,
        another_person,
        another_nonce,
        left_out,
        left_out_everywhere,
        an_unknown_key,
        another_owner,
        another_key,
        enrolled_afterwards,
        revoked_before,
        another_portal,
        a_key_for_nothing,
    ):
        assert not told(bent(evidence, bend)).holds, bend.__name__
        assert not told_by_the_single_file(bent(evidence, bend)).holds, bend.__name__


def with_the_approver_erased(value: dict[str, Any]) -> None:
    """As the facts are after it: the ledger says so, and who they were stands in the seal alone."""
    person = value["decisions"][0]["person"]
    for one in value["people"]:
        if one["id"] == person:
            one.update(name="Erased person", issuer="https://erased.test", subject="nobody")
    entry = {**value["ledger"]["entries"][-1], "number": 10_000, "personal": {}}
    stated = {"tag": "person:erased", "subject": f"erasure:{person}", "facts": {"person": person}}
    value["ledger"]["entries"].append({**entry, "body": {**entry["body"], **stated}})


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_what_an_erased_person_signed_is_still_held_against_whom_the_seal_names(signed: SignedWorld) -> None:
    erased = bent(signed.evidence(), with_the_approver_erased)
    assert told(erased).holds
    assert told_by_the_single_file(erased).holds
    for bend in (another_nonce, another_key, another_verdict):
        assert not told(bent(erased, bend)).holds, bend.__name__
        assert not told_by_the_single_file(bent(erased, bend)).holds, bend.__name__
