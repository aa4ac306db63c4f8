"""Witnesses who saw the ledger's head (C2SP tlog-cosignature): those whose keys were given are looked for by name."""

from __future__ import annotations

from portal.audit.holders.cosignatures import WitnessKey, find_cosignature
from portal.audit.notes import NoteError
from reports.evidence.verify.result import Verification
from reports.evidence.verify.trusted import Trusted


def check_witnesses(checkpoint: str, trusted: Trusted, result: Verification) -> None:
    """One line for each witness that was given. Signatures of others say nothing, and are passed over."""
    for witness in trusted.witnesses:
        _check(checkpoint, witness, result)


def _check(checkpoint: str, witness: WitnessKey, result: Verification) -> None:
    try:
        found = find_cosignature(checkpoint, witness)
    except NoteError as error:
        result.bad("witnesses", f"{error}.")
        return
    if found is None:
        result.open("witnesses", f"The witness {witness.name} has not signed this checkpoint.")
        return
    result.good(
        "witnesses", f"The witness {witness.name} saw this checkpoint at {found.at:%Y-%m-%d %H:%M:%S} UTC."
    )
