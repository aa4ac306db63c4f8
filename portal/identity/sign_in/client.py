"""The portal as an OpenID Connect client, through Authlib; state, nonce and PKCE verifier stay on the server."""

from __future__ import annotations

from typing import Any, cast

from authlib.integrations.flask_client import OAuth
from flask import Flask
from joserfc.jwk import KeySet

from portal.core.settings import Settings

NAME = "sso"
TIMEOUT_SECONDS = 10


class Provider:
    """The organisation's identity provider. Its metadata and keys are read on first use and kept."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.settings = settings
        # The session that Authlib writes its state to lives on the server (portal.web.sessions), so the PKCE
        # verifier and the nonce never reach the browser.
        self._oauth = OAuth(app)
        self._oauth.register(
            NAME,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            server_metadata_url=f"{settings.oidc_issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid profile email",
                "code_challenge_method": "S256",
                "default_timeout": TIMEOUT_SECONDS,
            },
        )

    @property
    def client(self) -> Any:
        """Authlib's client."""
        return self._oauth.create_client(NAME)

    def metadata(self) -> dict[str, Any]:
        """The provider's discovery document. Raises what requests raises when it cannot be read."""
        return cast("dict[str, Any]", self.client.load_server_metadata())

    def keys(self, *, fresh: bool = False) -> KeySet:
        """The provider's public keys; `fresh` reads them again, for a key that is not known yet."""
        return KeySet.import_key_set(self.client.fetch_jwk_set(force=fresh))
