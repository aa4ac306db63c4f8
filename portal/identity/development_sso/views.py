"""The provider's pages and endpoints."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oidc.core.errors import LoginRequiredError
from flask import Flask, Response, jsonify, make_response, redirect, render_template, request
from jinja2 import StrictUndefined
from joserfc.jwk import KeySet
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response as BaseResponse

from portal.core.assets import templates_folder
from portal.identity.development_sso.authorization_request import needs_of, read_request, suggested_person
from portal.identity.development_sso.backchannel import tell_client
from portal.identity.development_sso.config import ATTEMPT_SECONDS, SsoConfig
from portal.identity.development_sso.discovery import discovery_document
from portal.identity.development_sso.keys import signing_key
from portal.identity.development_sso.provider import Provider, SignedIn, make_provider
from portal.identity.development_sso.steps import (
    ConsentRefused,
    Step,
    TooManyTries,
    current_step,
    take_answer,
)
from portal.identity.development_sso.store import Attempt, Session, Store

SESSION_COOKIE = "devsso"
BROWSER_COOKIE = "devsso_browser"
MAXIMUM_BODY = 64 * 1024
POLICY = (
    # No form-action: after a POST, Chromium applies it to the redirect back to the client too.
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_sso(config: SsoConfig) -> Flask:
    """The provider as a WSGI application, with its own key kept in `config.state`."""
    app = Flask(
        __name__,
        template_folder=str(templates_folder() / "portal" / "development_sso"),
        static_folder=str(Path(__file__).parent / "static"),
        static_url_path="/static",
    )
    app.jinja_env.undefined = StrictUndefined
    app.config["MAX_CONTENT_LENGTH"] = MAXIMUM_BODY
    # A foreign name that resolves to loopback must not be able to read these pages.
    app.config["TRUSTED_HOSTS"] = sorted({config.host, "localhost", "127.0.0.1", "[::1]"})
    provider = make_provider(config, Store(config.clock), signing_key(config.state), app.config)
    app.extensions["development_sso"] = provider
    _add_endpoints(app, provider)
    _add_sign_in(app, provider)
    _add_sign_out(app, provider)
    app.register_error_handler(HTTPException, _show_http_error)
    app.after_request(_add_headers)
    app.context_processor(lambda: {"client_name": config.client_name, "organisation": config.organisation})
    return app


def _add_endpoints(app: Flask, provider: Provider) -> None:
    document = discovery_document(provider.config.issuer)

    @app.get("/.well-known/openid-configuration")
    def discovery() -> Response:
        return jsonify(document)

    @app.get("/jwks")
    def jwks() -> Response:
        return jsonify(KeySet([provider.key]).as_dict(private=False, use="sig", alg="RS256"))

    @app.post("/token")
    def token() -> Any:
        try:
            return provider.server.create_token_response()
        except ValueError:
            # Authlib decodes the Authorization header without a guard: bytes that are no UTF-8, no second word.
            return provider.server.handle_error_response(
                None, InvalidRequestError("The request cannot be read")
            )

    @app.route("/userinfo", methods=["GET", "POST"])
    def userinfo() -> Any:
        return provider.server.create_endpoint_response("userinfo")

    @app.get("/health")
    def health() -> Response:
        return jsonify(status="ok")

    @app.get("/")
    def home() -> str:
        session = _session(provider)
        return render_template("home.html", person=provider.person(session.subject) if session else None)


def _add_sign_in(app: Flask, provider: Provider) -> None:
    @app.get("/authorize")
    def authorize() -> BaseResponse:
        session = _session(provider)
        redirect_uri = None
        try:
            redirect_uri = provider.server.get_consent_grant(end_user=session).redirect_uri
            asked = read_request(request.args)
            hinted = provider.end_session.subject_of(asked.id_token_hint) if asked.id_token_hint else None
            fitting = session if session and hinted in {None, session.subject} else None
            needs = needs_of(asked, fitting, provider.config.clock())
        except OAuth2Error as error:
            error.redirect_uri = error.redirect_uri or redirect_uri
            return _refuse(provider, error)
        if fitting and needs.nothing:
            return _give_code(provider, fitting)
        browser = request.cookies.get(BROWSER_COOKIE) or secrets.token_urlsafe(32)
        attempt = provider.store.begin_attempt(
            browser, _query(), login=needs.login, second_factor=needs.second_factor, consent=needs.consent
        )
        known = hinted or (session.subject if session else None)
        person = suggested_person(asked, provider.config.people, known)
        attempt.subject = (person.subject if person else None) if needs.login else known
        response = _show_step(provider, attempt)
        response.set_cookie(BROWSER_COOKIE, browser, ATTEMPT_SECONDS, **_cookie_rules(provider))
        return response

    @app.post("/authorize")
    def answer() -> BaseResponse:
        attempt = provider.store.find_attempt(
            request.form.get("attempt"), request.cookies.get(BROWSER_COOKIE), _query()
        )
        if attempt is None:
            return _show_error("This page has been open for too long, or was opened in another browser.", 400)
        by_user_name = {person.user_name: person for person in provider.config.people}
        try:
            problem = take_answer(attempt, request.form, by_user_name, provider.config.password)
        except TooManyTries:
            provider.store.end_attempt(attempt)
            return _show_error("That was wrong too often.", 429)
        except ConsentRefused:
            provider.store.end_attempt(attempt)
            return _give_code(provider, None)
        if problem or current_step(attempt) is not Step.DONE:
            return _show_step(provider, attempt, problem)
        return _finish(provider, attempt)


def _finish(provider: Provider, attempt: Attempt) -> BaseResponse:
    """Everything is answered: begin, renew or raise the session, and send the code."""
    store, session = provider.store, _session(provider)
    store.end_attempt(attempt)
    subject = attempt.subject or ""
    hint = request.args.get("id_token_hint")
    if hint and provider.end_session.subject_of(hint) != subject:
        uri = request.args.get("redirect_uri")
        return _refuse(
            provider, LoginRequiredError(description="Somebody else has signed in", redirect_uri=uri)
        )
    if attempt.needs_login:
        if session and session.subject == subject:
            session = store.renew_session(session, second_factor=attempt.second_factor_given)
        else:
            if session:
                _end(provider, session)
            session = store.begin_session(subject, second_factor=attempt.second_factor_given)
    elif session is None or session.subject != subject:
        return _show_error("You have been signed out meanwhile.", 400)
    elif attempt.second_factor_given:
        store.raise_session(session)
    return _give_code(provider, session)


def _give_code(provider: Provider, session: Session | None) -> BaseResponse:
    """Send the browser back with a code, or with access_denied when there is no session to give."""
    person = provider.person(session.subject) if session else None
    signed_in = SignedIn(person, session) if person and session else None
    try:
        grant = provider.server.get_consent_grant(end_user=signed_in)
    except OAuth2Error as error:
        return _refuse(provider, error)
    response: BaseResponse = provider.server.create_authorization_response(grant_user=signed_in, grant=grant)
    if response.status_code == 302:  # noqa: PLR2004
        # RFC 9700 §4.12: after a form was posted, 303 keeps the browser from posting the password on.
        response.status_code = 303
    if session and signed_in:
        response.set_cookie(SESSION_COOKIE, session.secret, **_cookie_rules(provider))
    return response


def _refuse(provider: Provider, error: OAuth2Error) -> BaseResponse:
    """Tell the client if it is known where to; otherwise only the person, since the address may be anybody's."""
    if not error.redirect_uri:
        return _show_error(error.description or "The application's request is not understood.", 400)
    error.state = request.values.get("state")
    response: BaseResponse = provider.server.handle_error_response(None, error)
    provider.issuer.add_issuer_parameter(provider.server, response)
    response.status_code = 303
    return response


def _show_step(provider: Provider, attempt: Attempt, problem: str | None = None) -> Response:
    step = current_step(attempt)
    people = provider.config.people
    companies = dict.fromkeys(person.company for person in people)
    page = render_template(
        f"{step.value}.html",
        attempt=attempt.id,
        problem=problem,
        person=provider.people.get(attempt.subject or ""),
        companies=[(name, [person for person in people if person.company == name]) for name in companies],
        password=provider.config.password,
        one_time_code=attempt.one_time_code,
        step_up=not attempt.needs_login,
    )
    return make_response(page, 422 if problem else 200)


def _add_sign_out(app: Flask, provider: Provider) -> None:
    @app.route("/logout", methods=["GET", "POST"])
    def logout() -> BaseResponse:
        try:
            asked = provider.server.validate_endpoint_request("end_session")
        except OAuth2Error as error:
            return _show_error(error.description or "The request to sign out is not understood.", 400)
        except ValueError:
            return _show_error("The id_token_hint cannot be read.", 400)
        session = _session(provider)
        if session:
            token = hmac.new(session.secret.encode(), b"logout", hashlib.sha256).hexdigest()
            hinted = (asked.id_token_claims or {}).get("sub") == session.subject
            confirmed = request.method == "POST" and hmac.compare_digest(
                request.form.get("confirm", ""), token
            )
            if not hinted and not confirmed:
                # Any site could send the browser here: without a hint that fits, the person decides (§6).
                person = provider.people.get(session.subject)
                return make_response(
                    render_template("sign_out.html", person=person, confirm=token, asked=request.values)
                )
            _end(provider, session)
        response = (
            redirect(asked.redirect_uri, 303)
            if asked.redirect_uri
            else make_response(render_template("signed_out.html"))
        )
        response.delete_cookie(SESSION_COOKIE, **_cookie_rules(provider))
        return response


def _end(provider: Provider, session: Session) -> None:
    if provider.store.end_session(session):
        tell_client(provider.config, provider.key, session)


def _session(provider: Provider) -> Session | None:
    session = provider.store.find_session(request.cookies.get(SESSION_COOKIE))
    return session if session and provider.person(session.subject) else None


def _query() -> str:
    return request.query_string.decode("latin-1")


def _cookie_rules(provider: Provider) -> dict[str, Any]:
    return {"path": "/", "httponly": True, "samesite": "Lax", "secure": provider.config.secure}


def _show_error(sentence: str, status: int) -> Response:
    return make_response(render_template("error.html", sentence=sentence), status)


def _show_http_error(error: HTTPException) -> Response:
    if isinstance(error, SecurityError):
        # Asked for by a name that is not ours: a page would hold links, which Flask cannot make for such a name.
        return Response("This is not a name of the development sign-in.\n", 400, mimetype="text/plain")
    return _show_error(error.description or "This page is not here.", error.code or 500)


def _add_headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.path in {"/jwks", "/.well-known/openid-configuration"} or request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "public, max-age=300"
    else:
        response.headers["Cache-Control"] = "no-store"
    return response
