"""The two ceremonies of WebAuthn Level 3 as we hold them: registering a passkey (§7.1) and signing with one (§7.2).

The checks are the library's; what it leaves to its caller is added here: the counter, frames of other sites, sizes,
and that nothing but a refusal comes out of whatever a browser sends. Nothing here reads a database or the clock, so
that the offline verifier of evidence runs the very same checks.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fido2.server import Fido2Server
from fido2.webauthn import (
    Aaguid,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialRpEntity,
    UserVerificationRequirement,
)

from portal.identity.passkeys.public_keys import cose_of, spki_of
from portal.identity.passkeys.relying_party import NAME

#: Characters of what a browser sends at most; an attestation that we did not ask for may be long.
LONGEST_ANSWER = 20_000
_TRANSPORTS = frozenset({"internal", "usb", "nfc", "ble", "hybrid", "smart-card"})


class CeremonyFailed(Exception):
    """What came from the browser does not hold; the message says why, for the log and for the verifier."""


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What a registration brought. `credential_id` is base64url, `public_key` SubjectPublicKeyInfo in DER."""

    credential_id: str
    public_key: bytes
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    synced: bool


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an authenticator signed, byte for byte as it came."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes

    @classmethod
    def from_browser(cls, text: str) -> Assertion:
        """From an AuthenticationResponseJSON. Raises CeremonyFailed for anything else."""
        answer = _answer(text)
        try:
            response = answer["response"]
            return cls(
                from_base64url(answer["rawId"]),
                from_base64url(response["clientDataJSON"]),
                from_base64url(response["authenticatorData"]),
                from_base64url(response["signature"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CeremonyFailed("it is no answer of a passkey") from error

    @property
    def origin(self) -> str:
        """Where the browser was when it was made. Raises CeremonyFailed when that cannot be read."""
        return _client_data(self.client_data).origin


def verify_registration(
    text: str, *, challenge: bytes, rp_id: str, may_come_from: Callable[[str], bool]
) -> NewCredential:
    """The credential in a RegistrationResponseJSON, user verified. Raises CeremonyFailed.

    Attestation is neither asked for nor believed: which make of authenticator is allowed is not ours to say.
    """
    answer = _answer(text)
    try:
        made = _server(rp_id, may_come_from).register_complete(_state(challenge), answer)
        client_data = _client_data(from_base64url(answer["response"]["clientDataJSON"]))
        raw_id = from_base64url(answer["rawId"])
        transports = {str(one) for one in answer["response"].get("transports") or ()}
    except CeremonyFailed:
        raise
    except Exception as error:  # the library raises whatever parsing raises
        raise CeremonyFailed(str(error) or type(error).__name__) from error
    _same_site(client_data)
    credential = made.credential_data
    if credential is None or raw_id != credential.credential_id:
        raise CeremonyFailed("it names another key than it holds")
    try:
        public_key = spki_of(credential.public_key)
    except ValueError as error:
        raise CeremonyFailed(str(error)) from error
    return NewCredential(
        credential_id=to_base64url(credential.credential_id),
        public_key=public_key,
        sign_count=made.counter,
        aaguid=str(credential.aaguid),
        transports=tuple(sorted(_TRANSPORTS & transports)),
        synced=made.is_backed_up(),
    )


def verify_assertion(
    assertion: Assertion,
    *,
    public_key: bytes,
    challenge: bytes,
    rp_id: str,
    may_come_from: Callable[[str], bool],
    last_count: int,
) -> int:
    """The signature counter that the authenticator shows, after everything holds.

    That is: challenge, origin, relying party, presence, user verification, the signature by this key, and a counter
    that rose if there is one. Raises CeremonyFailed with what does not hold.
    """
    answer = {
        "id": to_base64url(assertion.credential_id),
        "rawId": to_base64url(assertion.credential_id),
        "type": "public-key",
        "clientExtensionResults": {},
        "response": {
            "clientDataJSON": to_base64url(assertion.client_data),
            "authenticatorData": to_base64url(assertion.authenticator_data),
            "signature": to_base64url(assertion.signature),
        },
    }
    try:
        known = AttestedCredentialData.create(Aaguid.NONE, assertion.credential_id, cose_of(public_key))
        _server(rp_id, may_come_from).authenticate_complete(_state(challenge), [known], answer)
        _same_site(_client_data(assertion.client_data))
        count = AuthenticatorData(assertion.authenticator_data).counter
    except CeremonyFailed:
        raise
    except Exception as error:  # as above
        raise CeremonyFailed(str(error) or type(error).__name__) from error
    # WebAuthn §7.2 step 22: one that counts shows a higher count each time, or it has been copied.
    if (count or last_count) and count <= last_count:
        raise CeremonyFailed(f"its counter shows {count} after {last_count}: the key may have been copied")
    return count


def credential_digest(credential_id: bytes) -> str:
    """How the ledger names a credential: `sha256:` and hex over its identifier."""
    return "sha256:" + hashlib.sha256(credential_id).hexdigest()


def to_base64url(content: bytes) -> str:
    """As browsers write bytes in JSON: without padding."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes. Raises ValueError for anything but their one spelling, and TypeError for what is no text."""
    if not isinstance(text, str):
        raise TypeError("bytes are sent as text")
    content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if to_base64url(content) != text:
        raise ValueError("bytes are spelled in another way than base64url")
    return content


def _answer(text: str) -> dict[str, Any]:
    if len(text) > LONGEST_ANSWER:
        raise CeremonyFailed("it is longer than any answer of a passkey")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CeremonyFailed("it is no answer of a passkey") from error
    if not isinstance(answer, dict) or not isinstance(answer.get("response"), dict):
        raise CeremonyFailed("it is no answer of a passkey")
    return answer


def _client_data(content: bytes) -> CollectedClientData:
    try:
        return CollectedClientData(content)
    except Exception as error:  # as above
        raise CeremonyFailed("what the browser states cannot be read") from error


def _same_site(client_data: CollectedClientData) -> None:
    if client_data.cross_origin:
        raise CeremonyFailed("it was made in a frame of another site")


def _server(rp_id: str, may_come_from: Callable[[str], bool]) -> Fido2Server:
    return Fido2Server(PublicKeyCredentialRpEntity(name=NAME, id=rp_id), verify_origin=may_come_from)


def _state(challenge: bytes) -> dict[str, Any]:
    return {
        "challenge": to_base64url(challenge),
        "user_verification": UserVerificationRequirement.REQUIRED,
    }
