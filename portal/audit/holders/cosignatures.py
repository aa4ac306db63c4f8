"""Cosignatures of witnesses (C2SP tlog-cosignature, `cosignature/v1`): what they say, and whether they hold.

A witness says with one: at this time, this was the largest head of the log that I saw, and it fits all that I saw
before. Pure functions over bytes and keys.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from portal.audit.notes import DASH, NoteError, raw_public_key

#: The signature type of an Ed25519 cosignature; a log's own signature has another.
COSIGNATURE = b"\x04"
_KEY_ID, _TIME, _SIGNATURE = 4, 8, 64
_LATEST_TIME = 2**63 - 1


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness's name and key, as its operator gave them by another way than its answers."""

    name: str
    key: Ed25519PublicKey

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a note names the key."""
        material = self.name.encode() + b"\n" + COSIGNATURE + raw_public_key(self.key)
        return hashlib.sha256(material).digest()[:_KEY_ID]

    @property
    def verifier(self) -> str:
        """The key in the form that verifiers take: name+hash+key."""
        encoded = base64.b64encode(COSIGNATURE + raw_public_key(self.key)).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


@dataclass(frozen=True, slots=True)
class FoundCosignature:
    """One line of a note that holds: who saw the head, and when."""

    witness: WitnessKey
    at: datetime
    line: str


def is_witness_key(text: str) -> bool:
    """Whether the text is a verifier key of the type that witnesses have, whole or not."""
    try:
        # The key itself may hold the sign that stands between the parts.
        return base64.b64decode(text.strip().split("+", 2)[2], validate=True)[:1] == COSIGNATURE
    except (IndexError, ValueError):
        return False


def read_witness_key(text: str) -> WitnessKey:
    """The witness of a verifier key (name+hash+key, type 0x04). Raises NoteError."""
    try:
        name, hashed, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        witness = WitnessKey(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
    except ValueError as error:
        message = "This is not a witness's verifier key (name+hash+key)"
        raise NoteError(message) from error
    if raw[:1] != COSIGNATURE or not name or witness.key_id.hex() != hashed:
        message = "This verifier key does not fit its own hash, or is not a witness's"
        raise NoteError(message)
    return witness


def signed_text(note: str) -> str:
    """What a note's signatures are over: everything before the empty line, with its last line's end. Raises NoteError."""
    text, separator, _ = note.partition("\n\n")
    if not separator:
        message = "The checkpoint carries no signature"
        raise NoteError(message)
    return text + "\n"


def cosigned_message(text: str, seconds: int) -> bytes:
    """What a witness signs: the head that it saw, and when (POSIX seconds)."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def find_cosignature(note: str, witness: WitnessKey) -> FoundCosignature | None:
    """The witness's cosignature in the note, or None when it has none. Raises NoteError for one that does not hold."""
    text = signed_text(note)
    for line in note.partition("\n\n")[2].splitlines():
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.rpartition(" ")
        if dash != DASH or name != witness.name:
            continue
        try:
            raw = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        if raw[:_KEY_ID] != witness.key_id:
            continue
        return FoundCosignature(witness, _checked(raw[_KEY_ID:], text, witness), line)
    return None


def _checked(timed: bytes, text: str, witness: WitnessKey) -> datetime:
    """The time of a timestamped signature that holds. Raises NoteError."""
    message = f"The cosignature of {witness.name} does not hold"
    seconds = int.from_bytes(timed[:_TIME], "big")
    if len(timed) != _TIME + _SIGNATURE or not 0 < seconds <= _LATEST_TIME:
        raise NoteError(message)
    try:
        witness.key.verify(timed[_TIME:], cosigned_message(text, seconds))
        return datetime.fromtimestamp(seconds, UTC)
    except (InvalidSignature, OverflowError, ValueError, OSError) as error:
        raise NoteError(message) from error
