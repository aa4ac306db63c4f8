"""Pages of evidence."""

from __future__ import annotations

from flask import Blueprint, Response

from portal.core.errors import NotFound
from portal.identity.access import requires
from portal.identity.permissions import Permission

blueprint = Blueprint("evidence", __name__)


@blueprint.get("/evidence")
@requires(Permission.READ_EVIDENCE)
def index() -> Response:
    """The list."""
    raise NotFound("Evidence is being built.")


@blueprint.get("/requests/<reference>/evidence.pdf")
@requires(Permission.READ_EVIDENCE)
def request(reference: str) -> Response:
    """One request's file."""
    raise NotFound("Evidence is being built.")
