"""The public side of the SSH authority, for servers: whom to trust, and what was taken back."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, abort, request

from catalog.fulfilment.connectors.ssh.authority import SshAuthority
from portal.identity.access import public

#: Seconds that caches may repeat the list; a server that fetches it sees a revocation at most this much later.
_SHORT = 60


def blueprint(authority: SshAuthority) -> Blueprint:
    """Routes under /pki/ssh. They change nothing and need no session."""
    ssh = Blueprint("ssh", __name__, url_prefix="/pki/ssh")

    @ssh.get("/ca.pub")
    @public
    def ca() -> Response:
        return _answer(authority.public_file, "text/plain; charset=us-ascii")

    @ssh.get("/revoked.krl")
    @public
    def krl() -> Response:
        return _answer(authority.krl_file, "application/octet-stream")

    return ssh


def _answer(file: Path, media_type: str) -> Response:
    try:
        response = Response(file.read_bytes(), content_type=media_type)
    except OSError:
        abort(503)
    response.headers["Cache-Control"] = f"public, max-age={_SHORT}"
    response.add_etag()
    response.make_conditional(request)
    return response
