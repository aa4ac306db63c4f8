"""What the ledger says of audits; the subject is `audit:<reference>`."""

from __future__ import annotations

#: The whole query, before anything was counted.
ORDERED = "audit:ordered"
#: How many there are, the digest of what is told of them, and the root from which the sample will be drawn.
COUNTED = "audit:counted"
#: The auditor's word for a draw; the root was signed and shown before.
NONCE_GIVEN = "audit:nonce-given"
#: The report and its bundle lie ready.
MADE = "audit:made"
FAILED = "audit:failed"
RETRIED = "audit:tried-again"
DOWNLOADED = "audit:downloaded"


def subject_of(reference: str) -> str:
    """How the ledger names the audit."""
    return f"audit:{reference}"
