"""An authenticator in software: makes ES256 keys and signs with them, as honestly or dishonestly as a test wants."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fido2 import cbor
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.database import Database
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.passkeys.ceremony import from_base64url, to_base64url
from portal.identity.passkeys.enrol import enrol, offer_enrolment
from portal.identity.passkeys.model import Passkey

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class SoftAuthenticator:
    """One device with one key. Its fields may be bent between two uses."""

    origin: str = "http://localhost:8000"
    rp_id: str = "localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    #: How much the counter rises with each use.
    step: int = 1
    cross_origin: bool = False
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = b""
    algorithm: int = -7

    def __post_init__(self) -> None:
        numbers = self.key.public_key().public_numbers()
        self.cose = {
            1: 2,
            3: self.algorithm,
            -1: 1,
            -2: numbers.x.to_bytes(32, "big"),
            -3: numbers.y.to_bytes(32, "big"),
        }
        self.spki = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.credential_id = self.credential_id or hashlib.sha256(cbor.encode(self.cose)).digest()

    def create(self, options: Mapping[str, Any], **bent: Any) -> str:
        """Answer WebAuthn's creation options, as RegistrationResponseJSON; `bent` replaces what it states."""
        client_data = self._client_data("webauthn.create", options["challenge"], bent)
        credential = (
            b"\xaa" * 16
            + len(self.credential_id).to_bytes(2, "big")
            + self.credential_id
            + cbor.encode(self.cose)
        )
        authenticator = self._authenticator(self.flags | ATTESTED) + credential
        return json.dumps(
            {
                **self._named(),
                "response": {
                    "clientDataJSON": to_base64url(client_data),
                    "attestationObject": to_base64url(
                        cbor.encode({"fmt": "none", "attStmt": {}, "authData": authenticator})
                    ),
                    "transports": ["internal"],
                },
            }
        )

    def get(self, options: Mapping[str, Any], **bent: Any) -> str:
        """Answer WebAuthn's request options, as AuthenticationResponseJSON."""
        self.count += self.step
        client_data = self._client_data("webauthn.get", options["challenge"], bent)
        authenticator = self._authenticator(self.flags)
        signed = authenticator + hashlib.sha256(client_data).digest()
        return json.dumps(
            {
                **self._named(),
                "response": {
                    "clientDataJSON": to_base64url(client_data),
                    "authenticatorData": to_base64url(authenticator),
                    "signature": to_base64url(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
                },
            }
        )

    def _named(self) -> dict[str, Any]:
        name = to_base64url(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}}

    def _client_data(self, kind: str, challenge: str, bent: Mapping[str, Any]) -> bytes:
        stated = {
            "type": kind,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": self.cross_origin,
            **bent,
        }
        return json.dumps(stated, separators=(",", ":")).encode()

    def _authenticator(self, flags: int) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")


def changed_answer(answer: str, part: str, position: int = 0) -> str:
    """The answer with one bit of one part turned."""
    told = json.loads(answer)
    content = bytearray(from_base64url(told["response"][part]))
    content[position] ^= 1
    told["response"][part] = to_base64url(bytes(content))
    return json.dumps(told)


def enrol_with(
    session: Session, actor: Actor, settings: Settings, device: SoftAuthenticator, name: str = "Work phone"
) -> Passkey:
    """Enrol the device's key for the actor, through the real ceremony."""
    offer = offer_enrolment(actor, (), settings, user_name="somebody", at=now(session))
    return enrol(
        session, actor, name=name, nonce=offer.nonce, answer=device.create(offer.options), settings=settings
    )


@pytest.fixture
def enrolled(
    db: Database, settings: Settings, actor_of: Callable[..., Actor]
) -> Callable[[int], SoftAuthenticator]:
    """Gives a person an authenticator whose key is enrolled."""

    def make(person: int) -> SoftAuthenticator:
        device = SoftAuthenticator()
        with db.transaction() as session:
            enrol_with(session, actor_of(person), settings, device)
        return device

    return make
