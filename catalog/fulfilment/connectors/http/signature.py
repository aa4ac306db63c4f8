"""Signatures of calls in both directions (Standard Webhooks 1.0.0: v1 by HMAC-SHA256, v1a by Ed25519).

What is signed is the message's id, the second it was sent and its body, with full stops between them; so a signed
message can be neither changed nor sent again later.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
#: How far the sender's clock may be from ours.
TOLERANCE = timedelta(minutes=5)
LONGEST_ID = 200
_LEAST, _MOST = 24, 64
_SEED, _PUBLIC = 32, 32
#: A receiver is not made to check signatures without end.
_MOST_SIGNATURES = 10
_LONGEST_TIME = 15

Kind = Literal["whsec", "whsk", "whpk"]


class BadSignature(Exception):
    """The message is not from who it says, not of now, or not whole."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A shared secret (`whsec`), an Ed25519 key that signs (`whsk`) or one that only checks (`whpk`)."""

    kind: Kind
    content: bytes = field(repr=False)

    @classmethod
    def read(cls, text: str) -> SigningKey:
        """From its text, such as `whsec_` and base64. Raises ValueError with a sentence that does not tell it."""
        prefix, _, encoded = text.strip().partition("_")
        try:
            content = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            content = b""
        if prefix == "whsec" and _LEAST <= len(content) <= _MOST:
            return cls("whsec", content)
        if prefix == "whsk" and len(content) in {_SEED, _SEED + _PUBLIC}:
            return cls("whsk", content[:_SEED])
        if prefix == "whpk" and len(content) == _PUBLIC:
            return cls("whpk", content)
        message = "a secret is whsec_ and the base64 of 24 to 64 bytes, and an Ed25519 key whsk_ or whpk_ and its base64"
        raise ValueError(message)

    @property
    def signs(self) -> bool:
        """Whether it can sign, and not only check."""
        return self.kind != "whpk"

    def sign(self, content: bytes) -> str:
        """One signature as the header has it."""
        if self.kind == "whsec":
            return "v1," + base64.b64encode(hmac.digest(self.content, content, sha256)).decode()
        signed = Ed25519PrivateKey.from_private_bytes(self.content).sign(content)
        return "v1a," + base64.b64encode(signed).decode()

    def accepts(self, content: bytes, signature: str) -> bool:
        """Whether the signature is by this key."""
        if self.kind == "whsec":
            return hmac.compare_digest(self.sign(content).encode(), signature.encode())
        version, _, encoded = signature.partition(",")
        public = (
            Ed25519PublicKey.from_public_bytes(self.content)
            if self.kind == "whpk"
            else Ed25519PrivateKey.from_private_bytes(self.content).public_key()
        )
        try:
            public.verify(base64.b64decode(encoded, validate=True), content)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return version == "v1a"


def signed_headers(keys: Sequence[SigningKey], message: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers; several keys give several signatures, so that a key can be changed without a gap."""
    second = str(int(at.timestamp()))
    content = _content(message, second, body)
    return {
        ID: message,
        TIMESTAMP: second,
        SIGNATURE: " ".join(key.sign(content) for key in keys if key.signs),
    }


def check_signature(
    keys: Sequence[SigningKey], headers: Mapping[str, str], body: bytes, *, at: datetime
) -> str:
    """The id of a message that one of the keys signed within five minutes of `at`. Raises BadSignature."""
    message, second = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not 0 < len(message) <= LONGEST_ID or not message.isascii() or not message.isprintable():
        raise BadSignature("it has no id")
    if not second.isascii() or not second.isdecimal() or len(second) > _LONGEST_TIME:
        raise BadSignature("it does not say when it was sent")
    if abs(at.astimezone(UTC).timestamp() - int(second)) > TOLERANCE.total_seconds():
        raise BadSignature("it was sent too long ago, or its sender's clock is wrong")
    content = _content(message, second, body)
    given = headers.get(SIGNATURE, "").split(" ")[:_MOST_SIGNATURES]
    if not any(
        signature.isascii() and key.accepts(content, signature) for key in keys for signature in given
    ):
        raise BadSignature("its signature is not by this target")
    return message


def _content(message: str, second: str, body: bytes) -> bytes:
    return f"{message}.{second}.".encode() + body
