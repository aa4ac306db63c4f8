"""How the development sign-in is set up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from portal.core.development import is_loopback
from portal.core.errors import SettingsError
from portal.identity.development_sso.people import Person

NAME = "development sign-in"
DEMO_PASSWORD = "countersign"  # noqa: S105  (shown on the sign-in page: it guards nothing)

ACR_PASSWORD = "urn:countersign:acr:password"  # noqa: S105  (a name, not a secret)
ACR_MFA = "urn:countersign:acr:mfa"

#: Seconds that each thing lives.
CODE_SECONDS = 60
ATTEMPT_SECONDS = 15 * 60
TOKEN_SECONDS = 5 * 60
SESSION_SECONDS = 8 * 60 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SsoConfig:
    """One issuer with one client. `people` are those who may sign in; `clock` gives seconds since 1970, UTC."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    people: tuple[Person, ...]
    state: Path
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    client_name: str = "Countersign"
    organisation: str = "Demonstration"
    password: str = DEMO_PASSWORD
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        parts = urlsplit(self.issuer)
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.path
            or parts.query
            or parts.fragment
        ):
            message = (
                f"The issuer {self.issuer!r} must be an origin without a path, such as http://localhost:8010."
            )
            raise SettingsError(message)
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            message = f"The issuer {self.issuer!r} must begin with https:// unless it is on loopback."
            raise SettingsError(message)
        if not self.redirect_uris:
            message = "The development sign-in needs at least one redirect URI of its client."
            raise SettingsError(message)
        if not self.client_secret:
            message = "The client secret is empty; put one into the file named by --client-secret-file."
            raise SettingsError(message)
        if self.backchannel_logout_uri and not is_loopback(
            urlsplit(self.backchannel_logout_uri).hostname or ""
        ):
            message = f"The back-channel address {self.backchannel_logout_uri!r} must be on loopback."
            raise SettingsError(message)

    @property
    def secure(self) -> bool:
        """Whether browsers reach this provider over TLS."""
        return self.issuer.startswith("https://")

    @property
    def host(self) -> str:
        """The issuer's host name."""
        return urlsplit(self.issuer).hostname or ""
