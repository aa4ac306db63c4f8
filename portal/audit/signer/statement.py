"""A rotation of the ledger's key as the signer states it: a signed note of its own, signed by the old key and the new.

Heads are all that the signer signs for those who ask, and their first line is the log's name; so nobody but the
signer can make such a statement, and whoever trusts the old key may trust the new one.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from portal.audit.notes import DASH, NoteError, key_hash, read_verifier_key, verify_note

FIRST_LINE = "countersign-ledger-key/1"
_LINES = 4


@dataclass(frozen=True, slots=True)
class Rotation:
    """From which key to which (name+hash+key), of the log of this name."""

    origin: str
    old: str
    new: str

    def body(self) -> str:
        """The signed text."""
        return f"{FIRST_LINE}\n{self.origin}\n{self.old}\n{self.new}\n"


def read_statement(note: str) -> Rotation:
    """The rotation that the note states, once the old key and the new one have signed it. Raises NoteError."""
    lines = note.partition("\n\n")[0].split("\n")
    if len(lines) != _LINES or lines[0] != FIRST_LINE:
        message = "This is not the statement of a key's rotation"
        raise NoteError(message)
    stated = Rotation(*lines[1:])
    for verifier in (stated.old, stated.new):
        name, key = read_verifier_key(verifier)
        if name != stated.origin:
            message = "The statement is about the key of another log"
            raise NoteError(message)
        verify_note(note, name, key)
    return stated


def signature_line(name: str, key: Ed25519PublicKey, signature: bytes) -> str:
    """One line of a signed note, with its newline."""
    return f"{DASH} {name} {base64.b64encode(key_hash(name, key) + signature).decode()}\n"
