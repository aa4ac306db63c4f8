"""Downloading attachments: always to be saved, never shown, whatever they hold."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, make_response

from catalog.attachments.download import fetch
from catalog.attachments.store import Store
from catalog.requests.queries import request_for
from catalog.requests.route import Router
from portal.core.http import services, transaction
from portal.identity.access import current_actor, signed_in

blueprint = Blueprint("attachments", __name__)

_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"


@blueprint.get("/requests/<reference>/attachments/<int:attachment_id>")
@signed_in
def show(reference: str, attachment_id: int) -> Response:
    """One file of a request, for whoever may see the request."""
    actor = current_actor()
    with transaction() as session:
        found = request_for(session, actor, reference, _router())
        file = fetch(session, actor, found, attachment_id)
    return attachment_response(services().get(Store).get(file.digest), file.name)  # type: ignore[type-abstract]


def attachment_response(content: bytes, name: str) -> Response:
    """A file that people uploaded: a browser saves it and never renders it (RFC 6266, RFC 8187)."""
    response = make_response(content)
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_").replace("\\", "_")
    headers = response.headers
    headers["Content-Type"] = "application/octet-stream"
    headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Content-Security-Policy"] = _POLICY
    return response


def _router() -> Any:
    return services().get(Router)  # type: ignore[type-abstract]  # wiring made one that fits the protocol
