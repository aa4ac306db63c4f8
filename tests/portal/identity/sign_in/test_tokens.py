"""Forged and stale tokens: each differs from a good one in one thing, and none is accepted."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from joserfc.jws import JWSRegistry

from portal.identity.sign_in.tokens import (
    LOGOUT_EVENT,
    Expectation,
    TokenRefused,
    verify_id_token,
    verify_logout_token,
)

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER = "https://sso.test"
CLIENT = "countersign"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
CURVE = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})
KEYS = KeySet.import_key_set(
    {"keys": [KEY.as_dict(private=False), CURVE.as_dict(private=False)]}  # as a provider publishes them
)
EXPECTED = Expectation(
    issuer=ISSUER,
    client_id=CLIENT,
    now=NOW,
    nonce="n-1",
    max_age=900,
    acr_values=("urn:countersign:acr:mfa",),
)
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "p-1",
    "aud": CLIENT,
    "nonce": "n-1",
    "iat": SECONDS,
    "exp": SECONDS + 300,
    "auth_time": SECONDS - 10,
    "acr": "urn:countersign:acr:mfa",
    "amr": ["pwd", "otp"],
    "sid": "s-1",
}
REGISTRY = JWSRegistry(algorithms=["RS256", "ES256", "HS256", "none", "RS512"], strict_check_header=False)


def token(
    claims: dict[str, Any] | None = None, key: Any = KEY, header: dict[str, Any] | None = None, **changes: Any
) -> str:
    made = {**GOOD, **(claims or {}), **changes}
    made = {name: value for name, value in made.items() if value is not ...}
    return jwt.encode({"alg": "RS256", "kid": "one", **(header or {})}, made, key, registry=REGISTRY)


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def forged(header: dict[str, Any], sign: Callable[[bytes], bytes] = lambda _: b"") -> str:
    """A token made by hand, as no library would make it."""
    signed = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(GOOD).encode())}"
    return f"{signed}.{encoded(sign(signed.encode()))}"


def by_our_key(content: bytes) -> bytes:
    private = cast("rsa.RSAPrivateKey", KEY.private_key)
    return private.sign(content, padding.PKCS1v15(), hashes.SHA256())


def with_embedded_key() -> str:
    return token(key=OTHER, header={"jwk": OTHER.as_dict(private=False)})


def signed_with_the_public_key() -> str:
    secret = KEY.as_pem(private=False)
    return forged({"alg": "HS256", "kid": "one"}, lambda content: hmac.digest(secret, content, "sha256"))


def changed_after_signing() -> str:
    head, body, signature = token().split(".")
    other = token(sub="p-2").split(".")[1]
    assert other != body
    return f"{head}.{other}.{signature}"


FORGED: dict[str, Callable[[], str]] = {
    "no signature (alg none)": lambda: forged({"alg": "none"}),
    "no signature (alg None)": lambda: forged({"alg": "None"}),
    "an empty signature": lambda: forged({"alg": "RS256", "kid": "one"}),
    "HS256 with the public key": signed_with_the_public_key,
    "an embedded jwk": with_embedded_key,
    "a jku header": lambda: token(header={"jku": "https://evil.test/keys"}),
    "an x5u header": lambda: token(header={"x5u": "https://evil.test/cert"}),
    "another key under our kid": lambda: token(key=OTHER),
    "an unknown kid": lambda: token(header={"kid": "nine"}, key=OTHER),
    "an RSA signature under the EC kid": lambda: token(header={"kid": "two"}),
    "an algorithm that is not ours": lambda: token(header={"alg": "RS512"}),
    "a critical header that is not understood": lambda: forged(
        {"alg": "RS256", "kid": "one", "crit": ["x"], "x": 1}, by_our_key
    ),
    "a changed payload": changed_after_signing,
    "another issuer": lambda: token(iss="https://evil.test"),
    "our issuer with a slash": lambda: token(iss=ISSUER + "/"),
    "no issuer": lambda: token(iss=...),
    "another audience": lambda: token(aud="other"),
    "another audience with our azp": lambda: token(aud="other", azp=CLIENT),
    "two audiences": lambda: token(aud=[CLIENT, "other"], azp=CLIENT),
    "no audience": lambda: token(aud=...),
    "our audience with another azp": lambda: token(azp="other"),
    "expired 100 seconds ago": lambda: token(exp=SECONDS - 100),
    "no expiry": lambda: token(exp=...),
    "an expiry that is text": lambda: token(exp=str(SECONDS + 300)),
    "issued in the future": lambda: token(iat=SECONDS + 120),
    "issued an hour ago": lambda: token(iat=SECONDS - 3600),
    "no time of issue": lambda: token(iat=...),
    "another nonce": lambda: token(nonce="n-2"),
    "no nonce": lambda: token(nonce=...),
    "no subject": lambda: token(sub=...),
    "an empty subject": lambda: token(sub=""),
    "a subject that is a number": lambda: token(sub=1),
    "an endless subject": lambda: token(sub="p" * 256),
    "no time of sign-in": lambda: token(auth_time=...),
    "a sign-in that is too old": lambda: token(auth_time=SECONDS - 1000),
    "a sign-in in the future": lambda: token(auth_time=SECONDS + 120),
    "a weaker sign-in": lambda: token(acr="urn:countersign:acr:password"),
    "no strength of sign-in": lambda: token(acr=...),
    "a strength that is a list": lambda: token(acr=["urn:countersign:acr:mfa"]),
    "methods that are text": lambda: token(amr="pwd"),
    "a logout token": lambda: token(header={"typ": "logout+jwt"}),
    "an access token": lambda: token(header={"typ": "at+jwt"}),
    "an endless token": lambda: token(extra="x" * 9000),
    "no token": lambda: "",
    "text": lambda: "not.a.token",
    "four parts": lambda: token() + ".x",
}


@pytest.mark.parametrize("key", [KEY, CURVE], ids=["RS256", "ES256"])
def test_a_good_token_is_taken(key: Any) -> None:
    header = {} if key is KEY else {"alg": "ES256", "kid": "two"}
    identity = verify_id_token(token(key=key, header=header), KEYS, EXPECTED)
    assert (identity.subject, identity.acr, identity.amr) == (
        "p-1",
        "urn:countersign:acr:mfa",
        ("pwd", "otp"),
    )
    assert identity.auth_time == NOW - timedelta(seconds=10)


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_token_is_refused(forgery: str) -> None:
    with pytest.raises(TokenRefused):
        verify_id_token(FORGED[forgery](), KEYS, EXPECTED)


def test_a_token_made_by_hand_with_our_key_is_taken_so_the_forgeries_fail_for_their_own_reason() -> None:
    assert (
        verify_id_token(forged({"alg": "RS256", "kid": "one"}, by_our_key), KEYS, EXPECTED).subject == "p-1"
    )


def test_an_empty_expected_nonce_accepts_nothing() -> None:
    expected = Expectation(issuer=ISSUER, client_id=CLIENT, now=NOW)
    with pytest.raises(TokenRefused, match="nonce"):
        verify_id_token(token(nonce=""), KEYS, expected)


LOGOUT = {
    "iss": ISSUER,
    "aud": CLIENT,
    "iat": SECONDS,
    "exp": SECONDS + 120,
    "jti": "j-1",
    "sid": "s-1",
    "sub": "p-1",
    "events": {LOGOUT_EVENT: {}},
}


def logout_token(header: dict[str, Any] | None = None, key: Any = KEY, **changes: Any) -> str:
    made = {name: value for name, value in {**LOGOUT, **changes}.items() if value is not ...}
    return jwt.encode(
        {"alg": "RS256", "kid": "one", "typ": "logout+jwt", **(header or {})}, made, key, registry=REGISTRY
    )


def test_a_good_logout_token_is_taken() -> None:
    told = verify_logout_token(logout_token(), KEYS, EXPECTED)
    assert (told.subject, told.sid, told.jti) == ("p-1", "s-1", "j-1")


@pytest.mark.parametrize(
    "forgery",
    [
        {"nonce": "n-1"},
        {"events": ...},
        {"events": {}},
        {"sid": ..., "sub": ...},
        {"jti": ...},
        {"iss": "https://evil.test"},
        {"aud": "other"},
        {"iat": SECONDS - 3600},
        {"exp": SECONDS - 100},
        {"key": OTHER},
        {"header": {"typ": "at+jwt"}},
    ],
    ids="-".join,
)
def test_a_forged_logout_token_is_refused(forgery: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        verify_logout_token(logout_token(**forgery), KEYS, EXPECTED)
