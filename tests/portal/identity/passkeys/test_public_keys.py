"""Passkeys' public keys: those kinds that are asked for, each in one form, and what the offline verifier makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fido2.cose import CoseKey

from portal.identity.passkeys.public_keys import ALGORITHMS, cose_of, spki_of
from reports.verifier import verify as single

SIGNED = b"what was signed"
ON_P256 = ec.generate_private_key(ec.SECP256R1())
ON_P384 = ec.generate_private_key(ec.SECP384R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()
OF_2048_BITS = rsa.generate_private_key(65537, 2048)
#: COSE's number of each algorithm: a public key, and its signature.
KEYS: dict[int, tuple[Any, bytes]] = {
    -7: (ON_P256.public_key(), ON_P256.sign(SIGNED, ec.ECDSA(hashes.SHA256()))),
    -35: (ON_P384.public_key(), ON_P384.sign(SIGNED, ec.ECDSA(hashes.SHA384()))),
    -8: (EDWARDS.public_key(), EDWARDS.sign(SIGNED)),
    -257: (OF_2048_BITS.public_key(), OF_2048_BITS.sign(SIGNED, padding.PKCS1v15(), hashes.SHA256())),
}


def cose(algorithm: int) -> dict[int, Any]:
    """The key as an authenticator states it."""
    return dict(CoseKey.for_alg(algorithm).from_cryptography_key(KEYS[algorithm][0]))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_kind_of_key_that_is_asked_for_is_kept_as_every_library_reads_it(algorithm: int) -> None:
    key, signature = cose(algorithm), KEYS[algorithm][1]
    spki = spki_of(key)
    assert dict(cose_of(spki)) == key
    single.verify_by_passkey(spki, signature, SIGNED)
    with pytest.raises(InvalidSignature):
        single.verify_by_passkey(spki, signature, SIGNED + b".")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_other_form_of_such_a_key_is_enrolled(algorithm: int) -> None:
    key = cose(algorithm)
    others: list[dict[int, Any]] = [
        {**key, 4: [2]},
        {**key, 3: -47},
        {**key, -1: key[-1] + (b"\0" if algorithm == -257 else 7)},
        {name: part for name, part in key.items() if name != -2},
        {name: part for name, part in key.items() if name != 3},
        {},
    ]
    for other in others:
        with pytest.raises(ValueError, match="not asked for"):
            spki_of(other)


def test_a_longer_rsa_key_and_another_curve_are_not_asked_for() -> None:
    longer = rsa.generate_private_key(65537, 3072).public_key()
    with pytest.raises(ValueError, match="not asked for"):
        spki_of(dict(CoseKey.for_alg(-257).from_cryptography_key(longer)))
    other = x25519.X25519PrivateKey.generate().public_key()
    with pytest.raises(ValueError, match="not asked for"):
        cose_of(other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    for public in (other, longer, ec.generate_private_key(ec.SECP521R1()).public_key()):
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(single.Wrong, match="not asked for"):
            single.verify_by_passkey(spki, b"", SIGNED)
    with pytest.raises(ValueError, match=r"."):
        single.verify_by_passkey(b"no key", b"", SIGNED)
