"""Public keys that people paste, judged before anybody is asked to approve."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key

from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import N_, say

PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
_SMALLEST_RSA, _LARGEST_RSA = 3072, 8192
_CURVES = {"secp256r1", "secp384r1", "secp521r1"}
_LONGEST = 8_000


@dataclass(frozen=True, slots=True)
class SshKey:
    """A public key in OpenSSH's one line without its comment, and its fingerprint as ssh-keygen shows it."""

    line: str
    fingerprint: str
    kind: str

    def public_key(self) -> PublicKey:
        """The key itself."""
        key = load_ssh_public_key(self.line.encode("ascii"))
        assert isinstance(key, PublicKey)  # noqa: S101  (read_key let no other through)
        return key


def read_key(text: object) -> SshKey:
    """The public key in a pasted line. Raises a permanent ConnectorError that says what is wrong."""
    line = text.strip() if isinstance(text, str) else ""
    if "PRIVATE KEY" in line:
        raise _refusal(
            N_(
                "This is a private key. Never give it to anybody, and make a new one; paste the line of the file that ends in .pub."
            )
        )
    if not line or len(line) > _LONGEST or len(line.splitlines()) != 1 or "-cert-" in line:
        raise _refusal(
            N_(
                "This is no public key. Paste the one line of the file that ends in .pub, such as ssh-ed25519 AAAA…."
            )
        )
    try:
        key = load_ssh_public_key(line.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm, UnicodeEncodeError):
        raise _refusal(
            N_(
                "This public key cannot be read. Paste the one line of the file that ends in .pub, such as ssh-ed25519 AAAA…."
            )
        ) from None
    if isinstance(key, rsa.RSAPublicKey):
        if not _SMALLEST_RSA <= key.key_size <= _LARGEST_RSA:
            raise ConnectorError(
                say(
                    "An RSA key needs %(least)s bits or more, and this one has %(bits)s. Make a new one with “ssh-keygen -t ed25519”.",
                    least=_SMALLEST_RSA,
                    bits=key.key_size,
                ),
                permanent=True,
            )
    elif not isinstance(key, ed25519.Ed25519PublicKey) and not (
        isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES
    ):
        raise _refusal(N_("Keys of this kind are not accepted. Make a new one with “ssh-keygen -t ed25519”."))
    plain = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")
    kind, blob = plain.split()[:2]
    digest = base64.b64encode(hashlib.sha256(base64.b64decode(blob)).digest()).decode().rstrip("=")
    return SshKey(plain, f"SHA256:{digest}", kind)


def _refusal(sentence: str) -> ConnectorError:
    return ConnectorError(say(sentence), permanent=True)
