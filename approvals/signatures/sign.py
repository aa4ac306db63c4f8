"""Signing a decision: offering the browser what to sign, and taking only what holds."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from approvals.decisions.model import Decision, Verdict
from approvals.routing.model import Stage
from approvals.signatures.challenge import PURPOSE, assertion_digest, decision_challenge
from approvals.signatures.model import DecisionSignature
from catalog.requests.model import Request
from portal.core.clock import now
from portal.core.errors import Conflict, PortalError
from portal.core.language import N_, _
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.passkeys.ceremony import (
    Assertion,
    CeremonyFailed,
    credential_digest,
    to_base64url,
    verify_assertion,
)
from portal.identity.passkeys.model import Passkey
from portal.identity.passkeys.nonces import is_ours, make_nonce
from portal.identity.passkeys.queries import passkeys_of
from portal.identity.passkeys.relying_party import RelyingParty
from portal.identity.step_up import StepUp

log = logging.getLogger(__name__)


class SignatureNeeded(PortalError):
    """The decision has to be signed with a passkey, and was not; nothing was decided."""

    status: ClassVar[int] = 422
    title: ClassVar[str] = N_("Sign with your passkey")


class PasskeyMissing(SignatureNeeded):
    """The person has no passkey; they have to enrol one first."""

    title: ClassVar[str] = N_("You need a passkey")

    def __init__(self) -> None:
        super().__init__(_("This decision is signed with a passkey, and you have none yet. Enrol one first."))


class SignatureRefused(SignatureNeeded):
    """There is a signature and it does not hold; nothing was decided."""

    title: ClassVar[str] = N_("The signature does not hold")


@dataclass(frozen=True, slots=True)
class Signature:
    """What the browser sent: the passkey's answer (AuthenticationResponseJSON) and the nonce of the page."""

    answer: str
    nonce: str


@dataclass(frozen=True, slots=True)
class SigningOffer:
    """What the page hands to the browser. `options` are WebAuthn's request options by verdict; empty without a key."""

    nonce: str
    options: Mapping[str, Any]
    #: How long the page may wait before the portal has to be asked again.
    seconds: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A signature that holds, before its decision is written."""

    passkey: Passkey
    assertion: Assertion
    nonce: str
    count: int
    at: datetime

    @property
    def facts(self) -> dict[str, str]:
        """What the ledger keeps of it beside the decision."""
        return {
            "passkey": credential_digest(self.assertion.credential_id),
            "assertion": assertion_digest(self.assertion, self.nonce),
        }


def offer_signing(
    actor: Actor,
    request: Request,
    stages: Mapping[Verdict, Stage],
    passkeys: Sequence[Passkey],
    settings: Settings,
    *,
    at: datetime,
) -> SigningOffer:
    """What the actor's browser needs to sign; `stages` are those in which they may give each verdict."""
    nonce = make_nonce(settings.secret_key, PURPOSE, actor, at=at)
    party = RelyingParty.of(settings)
    allowed = [
        {"type": "public-key", "id": key.credential_id, "transports": list(key.transports)}
        for key in passkeys
    ]
    options = {
        verdict.value: {
            "challenge": to_base64url(_challenge(actor, request, stage, verdict, nonce)),
            "rpId": party.id,
            "allowCredentials": allowed,
            "userVerification": "required",
            "timeout": 5 * 60 * 1000,
        }
        for verdict, stage in stages.items()
        if allowed
    }
    age = (at - actor.auth_time).total_seconds() if actor.auth_time else 0
    return SigningOffer(nonce, options, max(int(_patience(request, settings) - age), 0))


def check_signature(
    session: Session,
    actor: Actor,
    request: Request,
    *,
    stage: Stage,
    verdict: Verdict,
    signature: Signature | None,
    settings: Settings,
) -> Checked:
    """The signature if it is the actor's own, on exactly this; its key's row is held until the transaction ends.

    Raises PasskeyMissing without an enrolled key, SignatureNeeded without a signature, SignatureRefused for one that
    does not hold.
    """
    if signature is None:
        if not passkeys_of(session, actor.person_id):
            raise PasskeyMissing
        raise SignatureNeeded(
            _(
                "This decision has to be signed with your passkey, and no signature came. That needs JavaScript: "
                "turn it on for this page, or use another browser."
            )
        )
    at = now(session)
    patience = _patience(request, settings)
    if not is_ours(signature.nonce, settings.secret_key, PURPOSE, actor, at=at, seconds=patience):
        raise SignatureRefused(
            _("The page was open for too long before you signed. Nothing was decided; sign once more.")
        )
    party = RelyingParty.of(settings)
    try:
        assertion = Assertion.from_browser(signature.answer)
        passkey = _held(session, actor, assertion)
        count = verify_assertion(
            assertion,
            public_key=passkey.public_key,
            challenge=_challenge(actor, request, stage, verdict, signature.nonce),
            rp_id=party.id,
            may_come_from=lambda origin: origin == party.origin,
            last_count=passkey.sign_count,
        )
    except CeremonyFailed as error:
        log.warning("A signature on %s was refused: %s", request.reference, error)
        raise SignatureRefused(
            _(
                "The signature could not be verified, so nothing was decided. Read the page again and sign once more."
            )
        ) from error
    return Checked(passkey, assertion, signature.nonce, count, at)


def keep_signature(session: Session, decision: Decision, checked: Checked) -> None:
    """Keep the assertion with its decision, and move the key's counter. Raises Conflict for one that served before."""
    checked.passkey.sign_count = checked.count
    checked.passkey.last_used_at = checked.at
    row = DecisionSignature(
        decision_id=decision.id,
        passkey_id=checked.passkey.id,
        credential_id=checked.assertion.credential_id,
        client_data=checked.assertion.client_data,
        authenticator_data=checked.assertion.authenticator_data,
        signature=checked.assertion.signature,
        nonce=checked.nonce,
        sign_count=checked.count,
        signed_at=checked.at,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as error:
        raise Conflict(_("This signature was used before. Nothing was decided.")) from error


def _held(session: Session, actor: Actor, assertion: Assertion) -> Passkey:
    """The actor's own live key, its row locked so that two signatures cannot show one count."""
    passkey = session.scalar(
        select(Passkey)
        .where(
            Passkey.credential_id == to_base64url(assertion.credential_id),
            Passkey.person_id == actor.person_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if passkey is None:
        raise CeremonyFailed("no key of this person made it")
    if passkey.revoked_at is not None:
        raise CeremonyFailed("its key was revoked")
    return passkey


def _challenge(actor: Actor, request: Request, stage: Stage, verdict: Verdict, nonce: str) -> bytes:
    return decision_challenge(
        seal=request.seal,
        verdict=verdict.value,
        stage=stage.slug,
        issuer=actor.issuer,
        subject=actor.subject,
        nonce=nonce,
    )


def _patience(request: Request, settings: Settings) -> int:
    """Seconds: as old as a sign-in may be for this risk."""
    return StepUp.of(settings).max_age(str(request.risk.get("level", "")))
