"""Standing approvals: the list, proposing, signing, revoking."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from approvals.standing.pages import proposal_page, standing_page, standing_rows
from approvals.standing.propose import Playbook
from approvals.standing.propose import propose as propose_it
from approvals.standing.signing import revoke as revoke_it
from approvals.standing.signing import sign as sign_it
from portal.core.errors import Conflict, FieldError, FieldErrors, Forbidden, PortalError
from portal.core.http import reading, render, settings, takes, transaction
from portal.core.language import _, spoken
from portal.identity.access import current_actor, requires, signed_in
from portal.identity.permissions import Permission
from portal.identity.step_up import StepUpNeeded

blueprint = Blueprint("standing", __name__, url_prefix="/approvals/standing")

_FIELDS = ("offering", "name", "reason", "scope", "uses", "last_day")


@blueprint.get("")
@signed_in
def index() -> Response:
    """Every standing approval, for everybody to see: they stand in the place of approvals."""
    with reading() as db:
        rows = standing_rows(db, current_actor())
    return render(
        "approvals/standing/index.html",
        rows=rows,
        may_propose=current_actor().may(Permission.PROPOSE_STANDING),
    )


@blueprint.get("/new")
@requires(Permission.PROPOSE_STANDING)
def new() -> Response:
    """The form; with `?offering=` it shows the names that a scope may use."""
    typed = dict.fromkeys(_FIELDS, "") | {"offering": request.args.get("offering", "")[:80]}
    return _form(typed)


@blueprint.post("/new")
@requires(Permission.PROPOSE_STANDING)
@takes(*_FIELDS)
def propose() -> BaseResponse:
    """Propose one, and have whoever may sign it asked."""
    typed = {name: request.form.get(name, "") for name in _FIELDS}
    try:
        with transaction() as db:
            number = propose_it(db, current_actor(), Playbook(**typed)).id
    except FieldErrors as problems:
        return _form(
            typed, {error.field: spoken(error.message) for error in problems.errors}, problems.status
        )
    flash(_("It is proposed. Whoever may sign it is asked by mail."), "success")
    return redirect(url_for("standing.show", number=number), 303)


@blueprint.get("/<int:number>")
@signed_in
def show(number: int) -> Response:
    """One standing approval: what it allows, who has signed, and what it was spent on."""
    return _page(number)


@blueprint.post("/<int:number>/signature")
@signed_in
@takes("digest")
def sign(number: int) -> BaseResponse:
    """Sign what the posted digest covers."""
    here = url_for("standing.show", number=number)
    try:
        with transaction() as db:
            standing = sign_it(
                db,
                current_actor(),
                number,
                digest=request.form.get("digest", ""),
                settings=settings(),
            )
            in_force = standing.in_force_at is not None
    except StepUpNeeded as needed:
        session["sign_again"] = number
        return redirect(url_for("sign_in.step_up", max_age=needed.max_age, acr=needed.acr, next=here), 303)
    except (Conflict, Forbidden) as problem:
        return _page(number, problem=problem)
    if in_force:
        flash(_("You signed it, and it is in force from now on."), "success")
    else:
        flash(_("You signed it. Others must sign before it is in force."), "success")
    return redirect(here, 303)


@blueprint.post("/<int:number>/revocation")
@signed_in
@takes("reason")
def revoke(number: int) -> BaseResponse:
    """End it at once."""
    reason = request.form.get("reason", "")
    try:
        with transaction() as db:
            revoke_it(db, current_actor(), number, reason)
    except (Conflict, FieldError, Forbidden) as problem:
        return _page(number, reason=reason, problem=problem)
    flash(_("It is revoked. From now on these requests go the usual way."), "success")
    return redirect(url_for("standing.show", number=number), 303)


def _form(typed: dict[str, str], errors: dict[str, str] | None = None, status: int = 200) -> Response:
    with reading() as db:
        page = proposal_page(db, current_actor(), typed["offering"])
    return render("approvals/standing/new.html", status, form=page, typed=typed, errors=errors or {})


def _page(number: int, *, reason: str = "", problem: PortalError | None = None) -> Response:
    with reading() as db:
        page = standing_page(db, current_actor(), number)
    at_field = isinstance(problem, FieldError)
    sentence = spoken(problem.sentence) if problem else ""
    return render(
        "approvals/standing/show.html",
        problem.status if problem else 200,
        standing=page,
        again=session.pop("sign_again", None) == number and page.may_sign,
        reason=reason,
        reason_error=sentence if at_field else "",
        conflict="" if at_field else sentence,
    )
