"""`GET /api/v1/explain`: the answer as JSON for programs with a token. No cookie is looked at under /api.

Every error is a problem document (RFC 9457).
"""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, make_response, request, url_for
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from catalog.explaining.answering import explain
from catalog.explaining.told import moment_asked, to_json
from portal.core.errors import FieldError, PortalError
from portal.core.http import reading, settings, transaction
from portal.core.language import spoken
from portal.identity.access import public
from portal.identity.tokens.bearer import Refused, bearer
from portal.identity.tokens.scopes import EXPLAIN

blueprint = Blueprint("api", __name__, url_prefix="/api")
log = logging.getLogger(__name__)
_KNOWN = frozenset({"q", "at"})


@blueprint.get("/v1/explain")
@public
def explained() -> Response:
    """Who allowed `q`, now and before, or at the moment `at`."""
    refused: Refused | None = None
    with transaction() as session:
        try:
            actor = bearer(session, request.headers.get("Authorization", ""), EXPLAIN)
        except Refused as error:
            # Raised after the commit: a call that was refused is counted too.
            refused = error
    if refused is not None:
        raise refused
    unknown = sorted(set(request.args) - _KNOWN)
    if unknown:
        raise FieldError(unknown[0], f"There is no parameter “{unknown[0][:40]}”; there are q and at.")
    with reading() as session:
        at = moment_asked(request.args.get("at", ""))
        found = explain(session, actor, request.args.get("q", ""), at=at)
    address = url_for("evidence.request", reference="SR-0").replace("SR-0", "{reference}")
    evidence = settings().public_url + address
    return _json(HTTPStatus.OK, to_json(found, evidence=evidence), "application/json")


@blueprint.route("/", defaults={"_path": ""})
@blueprint.route("/<path:_path>")
@public
def nothing(_path: str) -> Response:
    """There is nothing else under /api."""
    return problem(HTTPStatus.NOT_FOUND, "There is nothing at this address.")


def problem(status: int, detail: str, **more: Any) -> Response:
    """A problem document (RFC 9457): what went wrong, for a program and whoever reads its log."""
    title = HTTPStatus(status).phrase
    document = {"type": "about:blank", "title": title, "status": int(status), "detail": detail, **more}
    return _json(status, document, "application/problem+json")


@blueprint.errorhandler(Refused)
def _refused(error: Refused) -> Response:
    response = problem(error.status, error.why)
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="countersign"'
    if error.status == HTTPStatus.FORBIDDEN:
        scope = f'Bearer realm="countersign", error="insufficient_scope", scope="{EXPLAIN}"'
        response.headers["WWW-Authenticate"] = scope
    if error.wait:
        response.headers["Retry-After"] = str(error.wait)
    return response


@blueprint.errorhandler(PortalError)
def _portal_error(error: PortalError) -> Response:
    named = {"parameter": error.field} if isinstance(error, FieldError) else {}
    return problem(error.status, spoken(error.sentence), **named)


@blueprint.errorhandler(HTTPException)
def _http_error(error: HTTPException) -> Response:
    return problem(error.code or 500, error.description or "This cannot be done.")


@blueprint.errorhandler(OperationalError)
def _database_error(error: OperationalError) -> Response:
    log.error("The database does not answer: %s", error)
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "The portal's database does not answer at the moment.")


@blueprint.errorhandler(Exception)
def _mistake(error: Exception) -> Response:
    log.error("%s %s", request.method, request.endpoint, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The portal made a mistake; nothing was changed.")


def _json(status: int, document: dict[str, Any], media_type: str) -> Response:
    response = make_response(json.dumps(document, ensure_ascii=False, indent=2), status)
    response.headers["Content-Type"] = media_type
    response.headers["Cache-Control"] = "no-store"
    return response
