"""A client that does each step of the code flow by hand, so that each can be done wrong."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from portal.identity.development_sso.visitor import sign_in_through_sso

DROP = object()


@dataclass
class Relying:
    """One client with one browser."""

    sso: Any
    browser: requests.Session
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def url(self, **changes: Any) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        parameters = {
            "response_type": "code",
            "client_id": self.sso.client_id,
            "redirect_uri": self.sso.redirect_uri,
            "scope": "openid profile email",
            "state": "a state & more",
            "nonce": secrets.token_urlsafe(8),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        } | changes
        kept = {name: value for name, value in parameters.items() if value is not DROP}
        return f"{self.sso.issuer}/authorize?{urlencode(kept)}"

    def sign_in(self, user_name: str, *, mfa: bool = False, **changes: Any) -> dict[str, str]:
        """Sign in with the pages; returns what came back to the redirect address."""
        return callback(sign_in_through_sso(self.browser, self.url(**changes), user_name, mfa=mfa))

    def ask(self, **changes: Any) -> requests.Response:
        """Open the authorization endpoint and follow nothing."""
        return self.browser.get(self.url(**changes), allow_redirects=False, timeout=60)

    def token(self, code: str, /, *, auth: Any = None, **changes: Any) -> requests.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.sso.redirect_uri,
            "code_verifier": self.verifier,
        } | changes
        form = {name: value for name, value in form.items() if value is not DROP}
        credentials = auth if auth is not None else basic(self.sso.client_id, self.sso.client_secret)
        return requests.post(f"{self.sso.issuer}/token", data=form, headers=credentials, timeout=60)

    def claims(self, code: str) -> dict[str, Any]:
        """Trade the code in and check the ID token's signature with the published key."""
        answer = self.token(code)
        assert answer.status_code == 200, answer.text
        return self.checked(answer.json()["id_token"])

    def checked(self, token: str) -> dict[str, Any]:
        keys = KeySet.import_key_set(requests.get(f"{self.sso.issuer}/jwks", timeout=60).json())
        return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def callback(response: requests.Response) -> dict[str, str]:
    """The parameters that the client was sent: the last redirect's, or those of the page that it led to."""
    query = parse_qs(urlsplit(response.headers.get("Location") or response.url).query)
    assert all(len(values) == 1 for values in query.values())
    return {name: values[0] for name, values in query.items()}


class CallbackPage:
    """What stands at the client's redirect address: a page that says yes to everything, and keeps what is posted."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, bytes]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            length = int(environ.get("CONTENT_LENGTH") or 0)
            self.posted.append((environ["PATH_INFO"], environ["wsgi.input"].read(length)))
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [b"<!DOCTYPE html><html lang=en><title>Client</title><h1>Back at the client</h1></html>"]


@pytest.fixture
def client_page() -> CallbackPage:
    return CallbackPage()


@pytest.fixture
def client_origin(client_page: CallbackPage) -> Iterator[str]:
    from portal.core.development import listen_on_loopback, serving

    listener = listen_on_loopback("client", "127.0.0.1", 0)
    with serving(listener, client_page):
        yield f"http://localhost:{listener.getsockname()[1]}"


@pytest.fixture
def sso_client(client_origin: str) -> dict[str, Any]:
    return {
        "redirect_uris": (f"{client_origin}/callback", f"{client_origin}/other"),
        "post_logout_redirect_uris": (f"{client_origin}/goodbye",),
        "backchannel_logout_uri": f"{client_origin}/backchannel",
    }


@pytest.fixture
def relying(development_sso: Any) -> Iterator[Relying]:
    with requests.Session() as browser:
        yield Relying(development_sso, browser)
