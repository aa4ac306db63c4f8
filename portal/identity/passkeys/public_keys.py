"""Passkeys' public keys: authenticators state them in COSE (RFC 9053), here they are kept as every library reads them.

That is SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in DER: whoever checks a signature offline needs no reader of COSE and CBOR.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from fido2.cose import ES256, ES384, RS256, CoseKey, EdDSA

#: COSE algorithms, the preferred first: ES256, EdDSA, ES384, RS256 (Windows Hello's older chips).
ALGORITHMS = (-7, -8, -35, -257)
#: As those chips make them.
RSA_BITS, RSA_EXPONENT = 2048, 65537
_X, _Y, _MODULUS = -2, -3, -1
_READERS: Mapping[int, Callable[[Mapping[int, Any]], Any]] = {
    -7: lambda key: _point(ec.SECP256R1(), key),
    -35: lambda key: _point(ec.SECP384R1(), key),
    -8: lambda key: ed25519.Ed25519PublicKey.from_public_bytes(key[_X]),
    -257: lambda key: rsa.RSAPublicNumbers(RSA_EXPONENT, int.from_bytes(key[_MODULUS], "big")).public_key(),
}


def spki_of(key: Mapping[int, Any]) -> bytes:
    """The key of a registration. Raises ValueError for one of a kind that was not asked for."""
    try:
        public = _READERS[key[3]](key)
        spki: bytes = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        same = dict(cose_of(spki)) == dict(key)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("its key is of a kind that was not asked for") from error
    if not same or (isinstance(public, rsa.RSAPublicKey) and public.key_size != RSA_BITS):
        raise ValueError("its key is of a kind that was not asked for")
    return spki


def cose_of(spki: bytes) -> CoseKey:
    """The key as the library that holds the ceremonies wants it. Raises ValueError for any other than `spki_of` gives."""
    public = load_der_public_key(spki)
    kind: Any = None
    if isinstance(public, ed25519.Ed25519PublicKey):
        kind = EdDSA
    elif isinstance(public, rsa.RSAPublicKey):
        kind = RS256
    elif isinstance(public, ec.EllipticCurvePublicKey):
        kind = ES384 if isinstance(public.curve, ec.SECP384R1) else ES256
    if kind is None:
        raise ValueError("the key is of a kind that was not asked for")
    key: CoseKey = kind.from_cryptography_key(public)
    return key


def _point(curve: ec.EllipticCurve, key: Mapping[int, Any]) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + key[_X] + key[_Y])
