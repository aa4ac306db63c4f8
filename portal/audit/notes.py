"""Signed notes and checkpoints (C2SP signed-note and tlog-checkpoint), signed with Ed25519.

Pure functions over bytes and keys; nothing here reads the database.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ED25519 = b"\x01"
DASH = "\u2014"


class NoteError(Exception):
    """A note is malformed or its signature does not hold; the message says which."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a checkpoint states: the log's name, its number of leaves and their root hash."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The signed text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def raw_public_key(key: Ed25519PublicKey) -> bytes:
    """The 32 bytes of the key."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_hash(name: str, key: Ed25519PublicKey) -> bytes:
    """The four bytes by which a note names its key."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + raw_public_key(key)).digest()[:4]


def verifier_key(name: str, key: Ed25519PublicKey) -> str:
    """The public key in the form that verifiers take: name+hash+key."""
    encoded = base64.b64encode(ED25519 + raw_public_key(key)).decode()
    return f"{name}+{key_hash(name, key).hex()}+{encoded}"


def read_verifier_key(text: str) -> tuple[str, Ed25519PublicKey]:
    """The name and key of `verifier_key`'s text. Raises NoteError."""
    try:
        name, hashed, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        key = Ed25519PublicKey.from_public_bytes(raw[1:])
    except ValueError as error:
        message = "This is not a verifier key (name+hash+key)"
        raise NoteError(message) from error
    if raw[:1] != ED25519 or key_hash(name, key).hex() != hashed:
        message = "This verifier key does not fit its own hash"
        raise NoteError(message)
    return name, key


def fingerprint(key: Ed25519PublicKey) -> str:
    """What people compare out of band: SHA-256 of the raw key, in groups of four hex digits."""
    digits = hashlib.sha256(raw_public_key(key)).hexdigest()
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def sign_head(head: Head, name: str, key: Ed25519PrivateKey) -> str:
    """The checkpoint as a signed note."""
    body = head.body()
    signature = key_hash(name, key.public_key()) + key.sign(body.encode())
    return f"{body}\n{DASH} {name} {base64.b64encode(signature).decode()}\n"


#: Origin, size and root, each on a line of its own; more lines may follow.
_HEAD = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)(?:\n|\Z)")


def read_head(note: str) -> Head:
    """What a checkpoint states, its signature not looked at. Raises NoteError."""
    found = _HEAD.match(note)
    if found is None:
        message = "The checkpoint is malformed"
        raise NoteError(message)
    return Head(found[1], int(found[2]), binascii.a2b_base64(found[3]))


def verify_head(note: str, name: str, key: Ed25519PublicKey) -> Head:
    """The head that this key signed. Raises NoteError when no signature of it is there, or it does not hold."""
    verify_note(note, name, key)
    return read_head(note)


def verify_note(note: str, name: str, key: Ed25519PublicKey) -> None:
    """Raise NoteError unless this key signed the note, whatever it says."""
    body, separator, signatures = note.partition("\n\n")
    if not separator:
        message = "The checkpoint carries no signature"
        raise NoteError(message)
    wanted = key_hash(name, key)
    for line in signatures.splitlines():
        dash, _, rest = line.partition(" ")
        signer, _, encoded = rest.rpartition(" ")
        if dash != DASH or signer != name:
            continue
        try:
            raw = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        if raw[:4] != wanted:
            continue
        try:
            key.verify(raw[4:], (body + "\n").encode())
        except InvalidSignature as error:
            message = "The checkpoint's signature does not hold: its text was changed after signing"
            raise NoteError(message) from error
        return
    message = f"The checkpoint is not signed by the key {name}+{wanted.hex()}"
    raise NoteError(message)


def is_signed_by(note: str, verifier: str) -> bool:
    """Whether the key (name+hash+key) signed the note."""
    try:
        verify_note(note, *read_verifier_key(verifier))
    except NoteError:
        return False
    return True


def verify_head_by(note: str, keys: Sequence[tuple[str, Ed25519PublicKey]]) -> Head:
    """The head that one of the keys, each with its name, signed; the newest, which stands last, is tried first.

    Raises NoteError, of several keys what the newest says.
    """
    if not keys:
        message = "The ledger has no key"
        raise NoteError(message)
    *older, newest = keys
    try:
        return verify_head(note, *newest)
    except NoteError:
        for key in reversed(older):
            try:
                return verify_head(note, *key)
            except NoteError:
                continue
        raise
