"""Keys and signatures that are accepted in a certificate signing request."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from catalog.fulfilment.connectors.ca.refusal import CsrError
from portal.core.language import N_, Said, _, every_language, say

ACCEPTED = N_("RSA with 2048 to 4096 bits, ECDSA P-256 or P-384, or Ed25519")
_NOT_ACCEPTED = N_("The key in the request is of a kind that is not accepted. Use %(accepted)s.")
_SMALLEST_RSA = 2048
_LARGEST_RSA = 4096
_EXPONENT = 65537
_CURVES = {"secp256r1": "ECDSA P-256", "secp384r1": "ECDSA P-384"}
#: CA/Browser Forum Baseline Requirements §6.1.1.3: a hundred rounds of Fermat's method find primes too close.
_FERMAT_ROUNDS = 100
_SMALL_PRIMES = math.prod(n for n in range(3, 752, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2)))
_ED25519_BITS = 256


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """A public key: its kind for people, its size in bits, and SHA-256 (hex) over its SubjectPublicKeyInfo."""

    kind: str
    bits: int
    spki_sha256: str


def judge_key(csr: x509.CertificateSigningRequest) -> KeyFacts:
    """Raises CsrError for a key that is weak or of a kind that is not accepted."""
    try:
        key = csr.public_key()
    except (UnsupportedAlgorithm, ValueError) as error:
        raise CsrError(_naming_the_accepted(_NOT_ACCEPTED)) from error
    if isinstance(key, rsa.RSAPublicKey):
        kind, bits = "RSA", _judge_rsa(key)
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        kind, bits = _CURVES[key.curve.name], key.curve.key_size
    elif isinstance(key, ed25519.Ed25519PublicKey):
        kind, bits = "Ed25519", _ED25519_BITS
    else:
        raise CsrError(_naming_the_accepted(_NOT_ACCEPTED))
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if spki not in csr.tbs_certrequest_bytes:
        # Curve parameters written out, or a key bound to RSA-PSS: the certificate would hold another key than
        # the one that the request shows (RFC 5480 §2.1.1 allows named curves only).
        message = N_("The key in the request is encoded in an unusual way. Make a new key: %(accepted)s.")
        raise CsrError(_naming_the_accepted(message))
    return KeyFacts(kind, bits, hashlib.sha256(spki).hexdigest())


def judge_signature(csr: x509.CertificateSigningRequest) -> str:
    """The name of the signature's hash. Raises CsrError when it is not SHA-2 or the signature does not fit."""
    try:
        algorithm = csr.signature_hash_algorithm
    except UnsupportedAlgorithm as error:
        message = say("The request is signed with an algorithm that is not accepted. Sign it with SHA-256.")
        raise CsrError(message) from error
    if algorithm is not None and not isinstance(algorithm, hashes.SHA256 | hashes.SHA384 | hashes.SHA512):
        message = say(
            "The request is signed with %(algorithm)s, which is no longer "
            "safe. Make it again with SHA-256: openssl req -new -sha256 …",
            algorithm=algorithm.name.upper().replace("SHA1", "SHA-1"),
        )
        raise CsrError(message)
    if not csr.is_signature_valid:
        message = say(
            "The request's signature does not fit its key: it was changed or damaged after it was made. "
            "Make it again and paste it whole."
        )
        raise CsrError(message)
    return "Ed25519" if algorithm is None else algorithm.name.upper().replace("SHA", "SHA-")


def _judge_rsa(key: rsa.RSAPublicKey) -> int:
    numbers = key.public_numbers()
    if key.key_size < _SMALLEST_RSA:
        message = N_("The RSA key has %(bits)s bits, which is too short. Make a new key: %(accepted)s.")
        raise CsrError(_naming_the_accepted(message, bits=key.key_size))
    if key.key_size > _LARGEST_RSA:
        message = N_("The RSA key has %(bits)s bits, which is more than servers support. Use %(accepted)s.")
        raise CsrError(_naming_the_accepted(message, bits=key.key_size))
    if numbers.e != _EXPONENT:
        message = say(
            "The RSA key has the public exponent %(exponent)s. Make a new key with the exponent %(usual)s.",
            exponent=numbers.e,
            usual=_EXPONENT,
        )
        raise CsrError(message)
    if numbers.n % 2 == 0 or math.gcd(numbers.n, _SMALL_PRIMES) != 1 or _primes_are_close(numbers.n):
        message = say("The RSA key is broken: its factors can be found. Make a new key with a current tool.")
        raise CsrError(message)
    return key.key_size


def _naming_the_accepted(message: str, **values: object) -> Said:
    return every_language(lambda: _(message, accepted=_(ACCEPTED), **values))


def _primes_are_close(modulus: int) -> bool:
    middle = math.isqrt(modulus)
    for candidate in range(middle, middle + _FERMAT_ROUNDS):
        difference = candidate * candidate - modulus
        if difference >= 0 and math.isqrt(difference) ** 2 == difference:
            return True
    return False
