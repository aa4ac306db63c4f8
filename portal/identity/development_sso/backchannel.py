"""Back-channel logout: telling the client, server to server, that a session is over (OIDC Back-Channel Logout 1.0)."""

from __future__ import annotations

import logging
import secrets

import requests
from joserfc import jwt
from joserfc.jwk import RSAKey

from portal.identity.development_sso.config import SsoConfig
from portal.identity.development_sso.store import Session

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TOKEN_SECONDS = 120
TIMEOUT_SECONDS = 3

log = logging.getLogger(__name__)


def logout_token(config: SsoConfig, key: RSAKey, session: Session) -> str:
    """The signed statement that this session has ended (§2.4: no nonce, its own type)."""
    now = int(config.clock())
    claims = {
        "iss": config.issuer,
        "aud": config.client_id,
        "sub": session.subject,
        "sid": session.sid,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "jti": secrets.token_urlsafe(16),
        "events": {EVENT: {}},
    }
    return jwt.encode({"alg": "RS256", "kid": str(key.kid), "typ": "logout+jwt"}, claims, key, ["RS256"])


def tell_client(config: SsoConfig, key: RSAKey, session: Session) -> bool:
    """Send the logout token if the client asked for it and knew of the session; True if the client took it.

    A client that does not answer keeps nobody signed in here: the session has ended before this is called.
    """
    if config.backchannel_logout_uri is None or not session.told_client:
        return False
    with requests.Session() as http:
        # The address is on loopback: a proxy from the environment could not reach it.
        http.trust_env = False
        try:
            answer = http.post(
                config.backchannel_logout_uri,
                data={"logout_token": logout_token(config, key, session)},
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            log.warning("The client did not take the logout token: %s", type(error).__name__)
            return False
    if not answer.ok:
        log.warning("The client refused the logout token with status %s", answer.status_code)
    return answer.ok
