"""The challenge that a passkey signs for a decision.

It is SHA-256 over the canonical JSON (RFC 8785) of this object, and nothing else:

    {"purpose": "countersign-decision-signature/1",
     "seal":    the request's seal, "sha256:" and hex: it covers what would be done, for whom, at what risk, by which route,
     "verdict": "approve" or "deny",
     "stage":   the stage's slug in the sealed route,
     "person":  {"issuer": …, "subject": …} of whoever decides,
     "nonce":   75 characters that the portal made for this page, taken once}

WebAuthn signs its own bytes over the challenge, the origin and the relying party, so the signature says: this person's
key, on this portal, gave this verdict on this seal in this stage. The purpose keeps it apart from every other use of
the same key. The offline verifier makes the same challenge from an evidence file.
"""

from __future__ import annotations

import hashlib

from portal.core.canonical import canonical_json, digest
from portal.identity.passkeys.ceremony import Assertion

PURPOSE = "countersign-decision-signature/1"


def decision_challenge(
    *, seal: str, verdict: str, stage: str, issuer: str, subject: str, nonce: str
) -> bytes:
    """The 32 bytes to be signed."""
    return hashlib.sha256(
        canonical_json(
            {
                "purpose": PURPOSE,
                "seal": seal,
                "verdict": verdict,
                "stage": stage,
                "person": {"issuer": issuer, "subject": subject},
                "nonce": nonce,
            }
        )
    ).digest()


def assertion_digest(assertion: Assertion, nonce: str) -> str:
    """How the ledger names an assertion: over the canonical JSON of its four parts in hex, and the nonce."""
    return digest(
        {
            "credential_id": assertion.credential_id.hex(),
            "client_data": assertion.client_data.hex(),
            "authenticator_data": assertion.authenticator_data.hex(),
            "signature": assertion.signature.hex(),
            "nonce": nonce,
        }
    )
