"""Enrolling: after a fresh, strong sign-in a person adds a key, and the key itself goes into the ledger."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.core.canonical import canonical_json
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, PortalError
from portal.core.events import publish
from portal.core.language import N_, _, ngettext
from portal.core.settings import Settings
from portal.core.text import clean_line
from portal.identity.actor import Actor
from portal.identity.events import PasskeyEnrolled
from portal.identity.passkeys.ceremony import (
    CeremonyFailed,
    credential_digest,
    from_base64url,
    to_base64url,
    verify_registration,
)
from portal.identity.passkeys.model import Passkey
from portal.identity.passkeys.nonces import is_ours, make_nonce
from portal.identity.passkeys.public_keys import ALGORITHMS
from portal.identity.passkeys.queries import passkeys_of
from portal.identity.passkeys.relying_party import NAME, RelyingParty
from portal.identity.step_up import StepUp

log = logging.getLogger(__name__)
PURPOSE = "countersign-passkey-enrolment/1"
#: More keys than anybody carries; without an end a session that was taken over could fill the ledger.
MOST = 20
LONGEST_NAME = 80
#: A page that was open for longer makes a new nonce.
NONCE_SECONDS = 15 * 60


class NotEnrolled(PortalError):
    """The key could not be enrolled; nothing was kept."""

    title = N_("The passkey was not enrolled")


@dataclass(frozen=True, slots=True)
class EnrolmentOffer:
    """What the browser needs: WebAuthn's creation options as JSON values, and the nonce that is sent back."""

    nonce: str
    options: dict[str, Any]


def require_fresh(actor: Actor, settings: Settings, *, at: datetime) -> None:
    """Raise StepUpNeeded unless the actor signed in a moment ago and as strongly as keys demand."""
    StepUp.of(settings).check(actor, risk="high", acr=settings.passkey_acr, at=at)


def offer_enrolment(
    actor: Actor, known: Sequence[Passkey], settings: Settings, *, user_name: str, at: datetime
) -> EnrolmentOffer:
    """What the browser needs to make a new key for the actor; `known` are those it must not make again."""
    nonce = make_nonce(settings.secret_key, PURPOSE, actor, at=at)
    party = RelyingParty.of(settings)
    return EnrolmentOffer(
        nonce,
        {
            "rp": {"id": party.id, "name": NAME},
            # A handle says nothing of the person (WebAuthn §14.6.1).
            "user": {
                "id": to_base64url(hashlib.sha256(_identity(actor)).digest()),
                "name": user_name,
                "displayName": actor.name,
            },
            "challenge": to_base64url(enrolment_challenge(actor, nonce)),
            "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in ALGORITHMS],
            "timeout": 5 * 60 * 1000,
            "excludeCredentials": [
                {"type": "public-key", "id": key.credential_id, "transports": list(key.transports)}
                for key in known
            ],
            "authenticatorSelection": {
                "residentKey": "preferred",
                "requireResidentKey": False,
                "userVerification": "required",
            },
            "attestation": "none",
        },
    )


def enrolment_challenge(actor: Actor, nonce: str) -> bytes:
    """SHA-256 over the canonical JSON (RFC 8785) of purpose, person and nonce."""
    return hashlib.sha256(
        canonical_json(
            {
                "purpose": PURPOSE,
                "person": {"issuer": actor.issuer, "subject": actor.subject},
                "nonce": nonce,
            }
        )
    ).digest()


def enrol(
    session: Session, actor: Actor, *, name: str, nonce: str, answer: str, settings: Settings
) -> Passkey:
    """Keep the key in the browser's answer as the actor's.

    Raises StepUpNeeded, FieldError for the name, NotEnrolled with a sentence, Conflict for a key that is known.
    """
    at = now(session)
    require_fresh(actor, settings, at=at)
    name = _checked_name(name)
    if not is_ours(nonce, settings.secret_key, PURPOSE, actor, at=at, seconds=NONCE_SECONDS):
        raise NotEnrolled(_("The page was open for too long. Nothing was kept; start again."))
    party = RelyingParty.of(settings)
    try:
        made = verify_registration(
            answer,
            challenge=enrolment_challenge(actor, nonce),
            rp_id=party.id,
            may_come_from=lambda origin: origin == party.origin,
        )
    except CeremonyFailed as error:
        log.warning("A passkey was not enrolled: %s", error)
        raise NotEnrolled(
            _("What the passkey answered could not be verified, so nothing was kept. Start again.")
        ) from error
    if len(passkeys_of(session, actor.person_id)) >= MOST:
        raise NotEnrolled(
            ngettext(
                "You have %(number)s passkey, which is as many as one person may have. Revoke one first.",
                "You have %(number)s passkeys, which is as many as one person may have. Revoke one first.",
                MOST,
            )
        )
    passkey = Passkey(
        person_id=actor.person_id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        aaguid=made.aaguid,
        transports=list(made.transports),
        synced=made.synced,
        name=name,
        enrolled_at=at,
    )
    try:
        with session.begin_nested():
            session.add(passkey)
    except IntegrityError as error:
        raise Conflict(_("This passkey is enrolled already.")) from error
    publish(
        session,
        PasskeyEnrolled(
            actor,
            passkey.id,
            credential_digest(from_base64url(made.credential_id)),
            made.public_key,
            made.aaguid,
            made.sign_count,
            party.id,
            name,
        ),
    )
    return passkey


def _checked_name(name: str) -> str:
    try:
        name = clean_line(name)
    except ValueError as error:
        raise FieldError("name", f"{error}.") from error
    if not name:
        raise FieldError("name", _("Give the passkey a name, so that you know it again."))
    if len(name) > LONGEST_NAME:
        raise FieldError("name", _("Shorten the name to %(most)s characters.", most=LONGEST_NAME))
    return name


def _identity(actor: Actor) -> bytes:
    return canonical_json({"issuer": actor.issuer, "subject": actor.subject})
