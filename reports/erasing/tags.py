"""What the ledger says of erasing, retention and holds."""

from __future__ import annotations

PERSON_ERASED = "person:erased"
RECORD_ERASED = "record:erased"
#: What was over its time went: the word of each round of retention.
RETENTION_ERASED = "retention:erased"
HOLD_PLACED = "hold:placed"
HOLD_LIFTED = "hold:lifted"


def erasure_subject(person_id: int) -> str:
    """What the entry of a person's erasure is about. A subject of its own, so that evidence finds it among many."""
    return f"erasure:person:{person_id}"
