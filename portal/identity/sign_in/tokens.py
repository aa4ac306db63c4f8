"""ID tokens and logout tokens, checked by us: issuer, audience, times, nonce, authentication time and context.

Authlib's defaults (1.9.9, measured) take a token whose `aud` is another client when `azp` is ours, and one that
expired 100 seconds ago, and ask for neither `acr` nor `auth_time`. So signature and claims are checked here,
after OpenID Connect Core 1.0 §3.1.3.7 and Back-Channel Logout 1.0 §2.6.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

#: Asymmetric only: with HS256 whoever holds the public key could sign.
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
#: Headers by which a token would bring, or point at, its own key.
KEY_HEADERS = frozenset({"jwk", "jku", "x5c", "x5u"})
LEEWAY_SECONDS = 30
#: An ID token is taken right after it was made.
MAXIMUM_AGE_SECONDS = 300
MAXIMUM_LENGTH = 8_000
MAXIMUM_SUBJECT = 255
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class TokenRefused(Exception):
    """The token does not hold; the message says why, for the log and the ledger."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a token must say. `max_age` is in seconds; `acr_values` empty means any context."""

    issuer: str
    client_id: str
    now: datetime
    nonce: str = ""
    max_age: int | None = None
    acr_values: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signed in at the provider, when and how."""

    issuer: str
    subject: str
    auth_time: datetime
    acr: str
    amr: tuple[str, ...]
    sid: str


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """Whose sessions end: one provider session, or all of a subject."""

    issuer: str
    subject: str
    sid: str
    jti: str


def verify_id_token(token: str, keys: KeySet, expected: Expectation) -> Identity:
    """Who the token speaks of. Raises TokenRefused with the first thing that does not hold."""
    claims = _signed_claims(token, keys, types=("JWT",))
    _check_common(claims, expected)
    _demand(claims.get("nonce") == expected.nonce and bool(expected.nonce), "the nonce is not ours")
    expires, issued = _seconds(claims, "exp"), _seconds(claims, "iat")
    seconds = expected.now.timestamp()
    _demand(expires > seconds - LEEWAY_SECONDS, "it has expired")
    _demand(seconds - issued < MAXIMUM_AGE_SECONDS, "it was issued too long ago")
    authorized = claims.get("azp")
    _demand(authorized in {None, expected.client_id}, "it was issued for another party (azp)")
    auth_time = _seconds(claims, "auth_time")
    _demand(auth_time <= seconds + LEEWAY_SECONDS, "its sign-in lies in the future")
    if expected.max_age is not None:
        _demand(seconds - auth_time <= expected.max_age + LEEWAY_SECONDS, "the sign-in is too old")
    acr = claims.get("acr", "")
    _demand(isinstance(acr, str), "acr is not text")
    if expected.acr_values:
        _demand(acr in expected.acr_values, "the sign-in was not as strong as was asked for (acr)")
    amr = claims.get("amr", [])
    _demand(isinstance(amr, list) and all(isinstance(item, str) for item in amr), "amr is not a list of text")
    return Identity(
        issuer=expected.issuer,
        subject=_subject(claims),
        auth_time=datetime.fromtimestamp(auth_time, UTC),
        acr=acr,
        amr=tuple(amr),
        sid=_text(claims, "sid"),
    )


def verify_logout_token(token: str, keys: KeySet, expected: Expectation) -> LoggedOut:
    """Whose sessions the provider ends. Raises TokenRefused."""
    claims = _signed_claims(token, keys, types=("logout+jwt", "JWT"))
    _check_common(claims, expected)
    _demand("nonce" not in claims, "a logout token has no nonce")
    events = claims.get("events")
    _demand(isinstance(events, dict) and LOGOUT_EVENT in events, "it is no logout event")
    issued = _seconds(claims, "iat")
    _demand(expected.now.timestamp() - issued < MAXIMUM_AGE_SECONDS, "it was issued too long ago")
    if "exp" in claims:
        _demand(_seconds(claims, "exp") > expected.now.timestamp() - LEEWAY_SECONDS, "it has expired")
    subject, sid = _text(claims, "sub"), _text(claims, "sid")
    _demand(bool(subject or sid), "it names neither a subject nor a session")
    jti = _text(claims, "jti")
    _demand(bool(jti), "it has no identifier (jti)")
    return LoggedOut(expected.issuer, subject, sid, jti)


def _signed_claims(token: str, keys: KeySet, *, types: tuple[str, ...]) -> Mapping[str, Any]:
    _demand(len(token) <= MAXIMUM_LENGTH, "it is too long")
    try:
        header = jws.extract_compact(token.encode()).headers()
        _demand(not KEY_HEADERS & header.keys(), "it brings its own key")
        _demand(
            header.get("typ", "JWT").lower() in {kind.lower() for kind in types},
            "it is another kind of token",
        )
        decoded = jwt.decode(
            token, keys, registry=jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        )
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        message = f"its signature cannot be verified ({type(error).__name__})"
        raise TokenRefused(message) from error
    return decoded.claims


def _check_common(claims: Mapping[str, Any], expected: Expectation) -> None:
    _demand(claims.get("iss") == expected.issuer, "it comes from another issuer")
    audience = claims.get("aud")
    _demand(audience in (expected.client_id, [expected.client_id]), "it was made for another client (aud)")
    issued = _seconds(claims, "iat")
    _demand(issued <= expected.now.timestamp() + LEEWAY_SECONDS, "it was issued in the future")


def _subject(claims: Mapping[str, Any]) -> str:
    subject = _text(claims, "sub")
    _demand(0 < len(subject) <= MAXIMUM_SUBJECT, "it names nobody (sub)")
    return subject


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name, "")
    _demand(isinstance(value, str), f"{name} is not text")
    return str(value)


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    _demand(isinstance(value, int | float) and not isinstance(value, bool), f"it has no {name}")
    return float(value or 0)


def _demand(holds: bool, why: str) -> None:  # noqa: FBT001  (reads as the sentence it checks)
    if not holds:
        raise TokenRefused(why)
