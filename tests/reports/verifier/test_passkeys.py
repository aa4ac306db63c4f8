"""The single file's reading of what passkeys sign."""

from __future__ import annotations

import hashlib
import json

import pytest

from reports.verifier import verify as single
from tests.fixtures_passkeys import SoftAuthenticator


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
    key = device.spki
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
