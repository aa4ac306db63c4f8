"""Answers to an authority's http-01 challenges (RFC 8555 §8.3), for names that lead to the portal."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, abort

from catalog.fulfilment.connectors.acme.answers import challenge_file
from portal.identity.access import public


def blueprint(folder: Path) -> Blueprint:
    """The one route. A token that nobody waits for is not found."""
    acme = Blueprint("acme", __name__, url_prefix="/.well-known/acme-challenge")

    @acme.get("/<token>")
    @public
    def challenge(token: str) -> Response:
        file = challenge_file(folder, token)
        try:
            content = file.read_bytes() if file is not None else None
        except OSError:
            content = None
        if content is None:
            abort(404)
        response = Response(content, content_type="application/octet-stream")
        response.headers["Cache-Control"] = "no-store"
        return response

    return acme
