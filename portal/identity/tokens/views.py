"""Pages of tokens: those that work, a new one, and revoking one."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal.core.clock import now
from portal.core.errors import FieldError
from portal.core.http import reading, render, settings, takes, transaction
from portal.core.language import _
from portal.identity.access import current_actor, signed_in
from portal.identity.permissions import Permission
from portal.identity.step_up import StepUp, StepUpNeeded
from portal.identity.tokens.create import create_token, revoke_token
from portal.identity.tokens.queries import tokens_for
from portal.identity.tokens.scopes import SCOPES

blueprint = Blueprint("tokens", __name__, url_prefix="/me/tokens")


@blueprint.get("")
@signed_in
def index() -> Response:
    """The tokens that work, and the form for another."""
    return _page()


@blueprint.post("")
@signed_in
@takes("name", "scopes", "until", "person")
def create() -> BaseResponse:
    """Make a token and show it, this once: it stands in this answer and nowhere else, so nothing is redirected."""
    try:
        until = date.fromisoformat(request.form.get("until", ""))
    except ValueError:
        until = None
    try:
        with transaction() as session:
            # It works for longer than any sign-in, so an open browser that somebody found is not enough for it.
            StepUp.of(settings()).check(current_actor(), risk="medium", acr="", at=now(session))
            token, text = create_token(
                session,
                current_actor(),
                name=request.form.get("name", ""),
                scopes=request.form.getlist("scopes"),
                until=until,
                user_name=request.form.get("person", ""),
            )
    except StepUpNeeded as needed:
        here = url_for("tokens.index")
        return redirect(url_for("sign_in.step_up", max_age=needed.max_age, acr=needed.acr, next=here), 303)
    except FieldError as error:
        return _page(error)
    return render("portal/identity/tokens/made.html", name=token.name, text=text)


@blueprint.post("/<int:token_id>/revoke")
@signed_in
@takes()
def revoke(token_id: int) -> BaseResponse:
    """Revoke a token."""
    with transaction() as session:
        name = revoke_token(session, current_actor(), token_id).name
    flash(_("The token “%(name)s” opens nothing any more.", name=name), "success")
    return redirect(url_for("tokens.index"), 303)


def _page(error: FieldError | None = None) -> Response:
    actor = current_actor()
    with reading() as session:
        lines = tokens_for(session, actor)
    return render(
        "portal/identity/tokens/index.html",
        422 if error else 200,
        lines=lines,
        error=error,
        typed=request.form,
        scopes=[(scope, _(says)) for scope, says in SCOPES.items()],
        manages=actor.may(Permission.MANAGE_TOKENS),
    )
