"""The single file's reading of passkeys: every kind of key that may be enrolled, in its one form, and no other."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fido2 import cbor
from fido2.cose import CoseKey

from portal.identity.passkeys.ceremony import ALGORITHMS, KEY_FORMS
from reports.verifier import verify as single
from tests.fixtures_passkeys import SoftAuthenticator

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
def test_every_kind_of_key_that_may_be_enrolled_is_read_in_its_one_form(algorithm: int) -> None:
    key, signature = cose(algorithm), KEYS[algorithm][1]
    single.verify_by_cose(cbor.encode(key), signature, SIGNED)
    with pytest.raises(InvalidSignature):
        single.verify_by_cose(cbor.encode(key), signature, SIGNED + b".")
    others: list[dict[int, Any]] = [
        {**key, 4: [2]},
        {**key, 3: -47},
        {**key, -1: key[-1] + (b"\0" if algorithm == -257 else 7)},
        {name: part for name, part in key.items() if name != -2},
    ]
    written = [cbor.encode(key) + b"\0", cbor.encode(key)[:-1], b"", *map(cbor.encode, others)]
    for one in written:
        with pytest.raises(single.Wrong, match="not asked for"):
            single.verify_by_cose(one, signature, SIGNED)


def test_the_forms_are_those_in_which_keys_are_enrolled() -> None:
    assert single.COSE_KEYS == KEY_FORMS


@pytest.mark.parametrize(
    ("rp_id", "origin", "fits"),
    [
        ("portal.example", "https://portal.example", True),
        ("portal.example", "https://portal.example:8443", True),
        ("portal.example", "https://deep.er.portal.example", True),
        ("localhost", "http://localhost:8000", True),
        ("a.localhost", "http://a.localhost", True),
        ("portal.example", "http://portal.example", False),
        ("portal.example", "https://notportal.example", False),
        ("portal.example", "https://portalxexample", False),
        ("portal.example", "https://evil.test/.portal.example", False),
        ("portal.example", "https://evil.test#portal.example", False),
        ("portal.example", "https://portal.example@evil.test", False),
        ("portal.example", "https://portal.example.evil.test", False),
        ("portal.example", "https://portal.example\n", False),
        ("portal.example", "http://localhost", False),
    ],
)
def test_an_assertion_counts_on_the_portals_own_site_alone(rp_id: str, origin: str, fits: bool) -> None:
    device, challenge = SoftAuthenticator(origin=origin, rp_id=rp_id), b"c" * 32
    answer = json.loads(
        device.get({"challenge": single.base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()})
    )
    parts = {
        name: single.base64.urlsafe_b64decode(answer["response"][told] + "==")
        for name, told in (
            ("client_data", "clientDataJSON"),
            ("authenticator_data", "authenticatorData"),
            ("signature", "signature"),
        )
    }
    key = cbor.encode(device.cose)
    if fits:
        single.verify_assertion(parts, key, challenge, rp_id, 0)
        with pytest.raises(single.Wrong, match="counter"):
            single.verify_assertion(parts, key, challenge, rp_id, 1)
        with pytest.raises(single.Wrong, match="another challenge"):
            single.verify_assertion(parts, key, hashlib.sha256(challenge).digest(), rp_id, 0)
        cut = {**parts, "authenticator_data": parts["authenticator_data"][:36]}
        with pytest.raises(single.struct.error):
            single.verify_assertion(cut, key, challenge, rp_id, 0)
    else:
        with pytest.raises(single.Wrong, match="another site"):
            single.verify_assertion(parts, key, challenge, rp_id, 0)
