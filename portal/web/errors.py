"""Error pages: one clear sentence, what to do next, and a reference that the log knows."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import cast

from flask import Flask, Response, g, redirect, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response as BaseResponse

from portal.core.errors import PortalError
from portal.core.http import render
from portal.core.language import N_, _, spoken
from portal.identity.access import SignInNeeded

log = logging.getLogger(__name__)

#: For errors that Werkzeug raises: the title and the sentence.
_WORDS = {
    400: (N_("That did not work"), N_("The browser sent something that the portal cannot read.")),
    404: (N_("Page not found"), N_("There is no page at this address, or it is not yours to see.")),
    405: (N_("That did not work"), N_("This page cannot be used that way.")),
    413: (
        N_("That is too large"),
        N_("What you sent is larger than this page takes. Send a smaller file, or fewer at once."),
    ),
    429: (N_("Too many attempts"), N_("Wait a minute and try again.")),
}
#: The library's own words for rarer ones are English; the page's advice goes with the status.
_UNUSUAL = (N_("That did not work"), N_("The portal cannot do that."))
_OURS = (
    N_("Something went wrong"),
    N_(
        "The portal made a mistake and nothing was changed. The operators can find it by the reference below."
    ),
)


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What templates/errors/page.html shows."""

    status: int
    title: str
    sentence: str
    what_next: str = ""
    reference: str = ""


def install(app: Flask) -> None:
    """Answer every error with a page."""
    app.register_error_handler(SignInNeeded, to_sign_in)
    app.register_error_handler(PortalError, show_portal_error)
    app.register_error_handler(CSRFError, show_csrf_error)
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(InternalServerError, show_unhandled)
    app.register_error_handler(OperationalError, show_database_error)
    app.register_error_handler(Exception, show_mistake)


def to_sign_in(error: SignInNeeded) -> BaseResponse:
    """Lead to sign-in and back here; nothing of the page is told.

    A part of a page that asks for itself cannot follow to another host, and nobody is to come back to a part.
    """
    if request.headers.get("HX-Request") == "true":
        return show_portal_error(error)
    here = request.full_path.rstrip("?") if request.method in {"GET", "HEAD"} else "/"
    return redirect(url_for("sign_in.start", next=here), 303)


def show_portal_error(error: PortalError) -> Response:
    """The error's own sentence."""
    return _page(ErrorPage(error.status, _(error.title), spoken(error.sentence)))


def show_csrf_error(_error: CSRFError) -> Response:
    """The form is of a session that has ended."""
    return _page(
        ErrorPage(
            400,
            _("Your session has ended"),
            _("The page was open for too long or in another session, so nothing was changed."),
            _("Go back, reload the page and send it again. Drafts are kept."),
        )
    )


def show_http_error(error: HTTPException) -> BaseResponse:
    """Werkzeug's errors in our words."""
    status = error.code or 500
    if status < 400 and error.response is not None:  # noqa: PLR2004  (a redirect)
        return cast("BaseResponse", error.response)
    title, sentence = _WORDS.get(status, _UNUSUAL)
    response = _page(ErrorPage(status, _(title), _(sentence)))
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def show_unhandled(error: InternalServerError) -> BaseResponse:
    """What was raised where no handler is asked: while the session was kept."""
    original = error.original_exception
    if isinstance(original, OperationalError):
        return show_database_error(original)
    if isinstance(original, Exception):
        return show_mistake(original)
    return show_http_error(error)


def show_database_error(error: DBAPIError) -> Response:
    """The database does not answer; nothing was done."""
    reference = _reference()
    log.error("%s: the database does not answer: %s", reference, error)
    return _bare(
        ErrorPage(
            503,
            _("The portal is not available"),
            _("Its database does not answer at the moment, so nothing was changed."),
            _("Try again in a minute."),
            reference,
        )
    )


def show_mistake(error: Exception) -> Response:
    """Our own mistake: the log gets all of it, the page a reference."""
    reference = _reference()
    log.error("%s: %s %s", reference, request.method, request.endpoint, exc_info=error)
    title, sentence = _OURS
    return _bare(ErrorPage(500, _(title), _(sentence), reference=reference))


def _page(error: ErrorPage) -> Response:
    try:
        return render("errors/page.html", error.status, error=error)
    except OperationalError as broken:
        return show_database_error(broken)


def _bare(error: ErrorPage) -> Response:
    """The page without anything that could fail again: no session, no query."""
    g.bare = True
    return render("errors/page.html", error.status, error=error)


def _reference() -> str:
    return secrets.token_hex(4)
