"""Headers of every answer, and the check that a change comes from our own pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from portal.core.errors import Forbidden
from portal.core.language import _
from portal.core.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def install(app: Flask, settings: Settings) -> None:
    """Add both to the application."""
    policy = content_security_policy(settings)
    own = _origin(settings.public_url)

    @app.before_request
    def refuse_foreign_changes() -> None:
        if request.method in SAFE_METHODS or request.endpoint in app.config["MACHINE_ENDPOINTS"]:
            return
        if not comes_from_us(request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site"), own):
            message = _(
                "This was not sent from a page of this portal, so nothing was changed. Open the page here and try again."
            )
            raise Forbidden(message)

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy)
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        if settings.secure:
            headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
        if request.endpoint not in app.config["SESSIONLESS_ENDPOINTS"]:
            headers["Cache-Control"] = "no-store"
        return response


def comes_from_us(origin: str | None, fetch_site: str | None, own: str) -> bool:
    """Whether a changing request was sent by one of our own pages.

    A page under `Referrer-Policy: no-referrer` posts with `Origin: null` (Fetch standard, "append a request Origin
    header"), so then the browser's own Sec-Fetch-Site decides, which no script can set.
    """
    if origin is not None and origin != "null":
        return origin == own
    return fetch_site == "same-origin"


def content_security_policy(settings: Settings) -> str:
    """No inline script or style, nothing from elsewhere; forms may lead to sign-in, which browsers check too."""
    provider = _origin(settings.oidc_issuer)
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "font-src 'self'",
            "connect-src 'self'",
            f"form-action 'self' {provider}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "manifest-src 'self'",
        )
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
