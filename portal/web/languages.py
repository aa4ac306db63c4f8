"""Whoever is answered is answered in their language: the one they chose, their account's, or their browser's."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Flask, redirect, request
from werkzeug.wrappers import Response

from portal.core.errors import NotFound
from portal.core.http import settings, transaction
from portal.core.language import LANGUAGES, SOURCE, _, language, speak, supported
from portal.core.templates import teach
from portal.identity.access import current_actor, find_actor, public, signed_in
from portal.identity.people import choose_language
from portal.identity.sign_in.destination import safe_destination

blueprint = Blueprint("languages", __name__, url_prefix="/language")
#: What was chosen by somebody who had not signed in.
COOKIE = "countersign-language"
_REMEMBERED = timedelta(days=365)


def install(app: Flask) -> None:
    """Speak the reader's language from the beginning of each request, and teach the templates to."""
    teach(app.jinja_env)

    @app.before_request
    def speak_theirs() -> None:
        if request.endpoint in app.config["SESSIONLESS_ENDPOINTS"]:
            speak(SOURCE)
        else:
            speak(_theirs())

    @app.teardown_request
    def fall_silent(_error: BaseException | None) -> None:
        # The thread answers somebody else next, or runs something that answers nobody.
        speak(SOURCE)

    @app.after_request
    def say_which(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.headers.setdefault("Content-Language", language())
            response.vary.update(("Accept-Language", "Cookie"))
        return response


@blueprint.get("/<code>")
@public
def choose(code: str) -> Response:
    """Remember the language in this browser; nothing of a person changes."""
    _check(code)
    response = redirect(safe_destination(request.args.get("next")), 303)
    response.set_cookie(
        COOKIE, code, max_age=_REMEMBERED, secure=settings().secure, httponly=True, samesite="Lax", path="/"
    )
    return response


@blueprint.post("/<code>")
@signed_in
def keep(code: str) -> Response:
    """Remember the language with the person: pages everywhere, and mails."""
    _check(code)
    with transaction() as session:
        choose_language(session, current_actor(), code)
    return redirect(safe_destination(request.form.get("next")), 303)


def _check(code: str) -> None:
    if code not in LANGUAGES:
        raise NotFound(_("The portal does not speak that language."))


def _theirs() -> str:
    actor = find_actor()
    if actor is not None and actor.language:
        return actor.language
    chosen = request.cookies.get(COOKIE, "")
    accepted = (supported(code) for code, _quality in request.accept_languages)
    return supported(chosen) or next((code for code in accepted if code), None) or SOURCE
