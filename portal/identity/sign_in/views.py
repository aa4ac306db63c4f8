"""Sign-in, step-up, callback and sign-out."""

from __future__ import annotations

import logging
from typing import Any

import requests
from authlib.integrations.base_client import OAuthError
from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import Forbidden, Unavailable
from portal.core.events import publish
from portal.core.http import reading, render, services, settings, transaction
from portal.core.language import _
from portal.identity.access import find_actor, public, signed_in
from portal.identity.events import SignInRefused
from portal.identity.people import find_person
from portal.identity.sign_in.client import Provider
from portal.identity.sign_in.destination import safe_destination
from portal.identity.sign_in.server_session import current_session
from portal.identity.sign_in.tokens import (
    Expectation,
    Identity,
    TokenRefused,
    verify_id_token,
    verify_logout_token,
)
from portal.identity.web_sessions import LIFETIME, end_session, end_sessions_at_provider, sign_in

log = logging.getLogger(__name__)
blueprint = Blueprint("sign_in", __name__)
#: What a step-up asked for, by the state of its authorization request.
ASKED = "sign_in_asked"
LONGEST_STEP_UP = 24 * 60 * 60


@blueprint.get("/sign-in")
@public
def start() -> Response:
    """Send the browser to the identity provider."""
    destination = safe_destination(request.args.get("next"))
    if find_actor() is not None:
        return redirect(destination, 303)
    return _to_provider(destination, max_age=int(LIFETIME.total_seconds()), acr="")


@blueprint.get("/sign-in/again")
@signed_in
def step_up() -> Response:
    """Send the browser to sign in again, recently enough and strongly enough; what was typed is kept."""
    max_age = min(max(request.args.get("max_age", 0, type=int), 0), LONGEST_STEP_UP)
    return _to_provider(
        safe_destination(request.args.get("next")),
        max_age=max_age,
        acr=request.args.get("acr", "")[:200],
        again=True,
    )


@blueprint.get("/sign-in/callback")
@public
def callback() -> Response:
    """Take the provider's answer, check all of it, and begin a new session."""
    provider = services().get(Provider)
    session = current_session()
    asked = session.get(ASKED, {}).pop(request.args.get("state", ""), None)
    try:
        identity, id_token = _identity(provider, asked)
    except (TokenRefused, OAuthError) as error:
        return _refuse(str(error))
    except requests.RequestException as error:
        log.warning("The identity provider does not answer: %s", error)
        message = _("The sign-in service does not answer. Try again in a minute; nothing you typed is lost.")
        raise Unavailable(message) from error
    with transaction() as db:
        person = find_person(db, issuer=identity.issuer, subject=identity.subject)
        if person is None or not person.active:
            publish(db, SignInRefused("the person is not known here, or no longer active", identity.issuer))
        else:
            # A step-up by the same person keeps what they typed; anybody else starts with an empty session.
            same = bool(session.actor and session.actor.person_id == person.id)
            content = {key: value for key, value in session.items() if key != ASKED} if same else {}
            _actor, token = sign_in(
                db, person, identity, id_token=id_token, content=content, replaces=session.opened
            )
            session.replace_token(token)
            return redirect(asked["next"], 303)
    message = _(
        "You signed in, but this portal does not know your account or it is no longer active. "
        "Ask your service desk to add you."
    )
    raise Forbidden(message)


@blueprint.post("/sign-out")
@signed_in
def sign_out() -> Response:
    """End the session here and at the identity provider."""
    session = current_session()
    actor, id_token = find_actor(), session.opened.id_token if session.opened else ""
    with transaction() as db:
        if actor is not None:
            end_session(db, actor, "signed out")
    session.forget()
    provider = services().get(Provider)
    after = settings().public_url + url_for("sign_in.signed_out")
    try:
        result = provider.client.create_logout_url(post_logout_redirect_uri=after, id_token_hint=id_token)
    except (RuntimeError, requests.RequestException) as error:
        log.warning("Signed out here only: %s", error)
        return redirect(url_for("sign_in.signed_out"), 303)
    return redirect(result["url"], 303)


@blueprint.get("/signed-out")
@public
def signed_out() -> Response:
    """Say that the session has ended."""
    return render("portal/identity/signed_out.html")


@blueprint.post("/sign-out/back-channel")
@public
def back_channel() -> tuple[Any, int, dict[str, str]]:
    """The provider says that a session ended (Back-Channel Logout 1.0 §2.5); it has no cookie and no form token."""
    headers = {"Cache-Control": "no-store"}
    provider = services().get(Provider)
    try:
        told = verify_logout_token(request.form.get("logout_token", ""), provider.keys(), _expectation())
    except TokenRefused as error:
        log.warning("A logout token was refused: %s", error)
        return {"error": "invalid_request"}, 400, headers
    with transaction() as db:
        end_sessions_at_provider(db, issuer=told.issuer, subject=told.subject, sid=told.sid)
    return "", 200, headers


def _to_provider(destination: str, *, max_age: int, acr: str, again: bool = False) -> Response:
    provider = services().get(Provider)
    wanted: dict[str, Any] = {"max_age": max_age}
    if acr:
        wanted["acr_values"] = acr
    if again and max_age == 0:
        wanted["prompt"] = "login"
    try:
        callback_url = settings().public_url + url_for("sign_in.callback")
        made = provider.client.create_authorization_url(callback_url, **wanted)
    except requests.RequestException as error:
        log.warning("The identity provider does not answer: %s", error)
        message = _("The sign-in service does not answer. Try again in a minute; nothing you typed is lost.")
        raise Unavailable(message) from error
    provider.client.save_authorize_data(redirect_uri=callback_url, **made)
    session = current_session()
    # Only the last few attempts are kept, so that an abandoned sign-in does not grow the session.
    attempts = dict(list(session.get(ASKED, {}).items())[-4:])
    attempts[made["state"]] = {"next": destination, "max_age": max_age, "acr": acr, "nonce": made["nonce"]}
    session[ASKED] = attempts
    return redirect(made["url"], 303)


def _identity(provider: Provider, asked: dict[str, Any] | None) -> tuple[Identity, str]:
    """The checked identity of a callback. Raises TokenRefused or Authlib's OAuthError."""
    session = current_session()
    session.modified = True
    if asked is None:
        message = "the answer belongs to no sign-in of this browser (state)"
        raise TokenRefused(message)
    metadata = provider.metadata()
    issuer = request.args.get("iss")
    promised = metadata.get("authorization_response_iss_parameter_supported", False)
    if (promised and issuer is None) or issuer not in {None, settings().oidc_issuer}:
        message = "the answer comes from another issuer (iss)"
        raise TokenRefused(message)
    if metadata.get("issuer") != settings().oidc_issuer:
        message = "the provider's own description names another issuer"
        raise TokenRefused(message)
    if request.args.get("error"):
        message = f"the provider answered {request.args['error'][:80]!r}"
        raise TokenRefused(message)
    state = request.args["state"]
    kept = provider.client.framework.get_state_data(session, state)
    provider.client.framework.clear_state_data(session, state)
    if not kept:
        message = "the answer belongs to no sign-in of this browser (state)"
        raise TokenRefused(message)
    token = provider.client.fetch_access_token(
        redirect_uri=kept["redirect_uri"],
        code=request.args.get("code", ""),
        state=state,
        code_verifier=kept["code_verifier"],
    )
    id_token = token.get("id_token")
    if not isinstance(id_token, str):
        message = "the provider sent no ID token"
        raise TokenRefused(message)
    expected = _expectation(
        nonce=asked["nonce"], max_age=asked["max_age"], acr_values=tuple(asked["acr"].split())
    )
    try:
        return verify_id_token(id_token, provider.keys(), expected), id_token
    except TokenRefused as refused:
        # The provider may have changed its keys since they were read.
        if "signature" not in str(refused):
            raise
        return verify_id_token(id_token, provider.keys(fresh=True), expected), id_token


def _expectation(
    *, nonce: str = "", max_age: int | None = None, acr_values: tuple[str, ...] = ()
) -> Expectation:
    with reading() as db:
        time = db.info["clock"]()
    return Expectation(
        issuer=settings().oidc_issuer,
        client_id=settings().oidc_client_id,
        now=time,
        nonce=nonce,
        max_age=max_age,
        acr_values=acr_values,
    )


def _refuse(why: str) -> Response:
    log.warning("A sign-in was refused: %s", why)
    with transaction() as db:
        publish(db, SignInRefused(why[:300], settings().oidc_issuer))
    message = _("The sign-in could not be verified, so you are not signed in. Start again from the portal.")
    raise Forbidden(message)
