"""Emergencies and their reviews, and breaking the glass."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from approvals.emergency.glass import break_glass
from approvals.emergency.model import Finding
from approvals.emergency.pages import debt_page, glass_page, review_page
from approvals.emergency.speaking import speak
from catalog.requests.queries import request_for
from catalog.requests.route import Router
from portal.core.errors import Conflict, FieldError, Forbidden, PortalError
from portal.core.http import reading, render, services, settings, takes, transaction
from portal.core.language import _, spoken
from portal.identity.access import current_actor, requires, signed_in
from portal.identity.permissions import Permission
from portal.identity.step_up import StepUpNeeded

blueprint = Blueprint("emergencies", __name__)

#: What was written before a fresh sign-in was asked for, by the page that it was written on.
KEPT = "kept_reason"
_LONGEST_KEPT = 5000


@blueprint.get("/approvals/emergencies")
@signed_in
def index() -> Response:
    """The debt: every emergency that waits for its review or is being undone, for everybody to see."""
    with reading() as db:
        page = debt_page(db, current_actor())
    return render("approvals/emergency/index.html", debt=page)


@blueprint.get("/approvals/<reference>/review")
@signed_in
def review(reference: str) -> Response:
    """One review."""
    return _review(reference, reason=_kept())


@blueprint.post("/approvals/<reference>/review")
@signed_in
@takes("reason", "finding")
def say(reference: str) -> BaseResponse:
    """What a reviewer finds."""
    reason = request.form.get("reason", "")
    try:
        finding = Finding(request.form.get("finding", ""))
    except ValueError:
        raise PortalError(_("Choose whether it was right.")) from None
    try:
        with transaction() as db:
            found = request_for(db, current_actor(), reference, _router())
            speak(db, current_actor(), found.id, finding, reason, settings=settings())
    except StepUpNeeded as needed:
        return _sign_in_again(needed, url_for("emergencies.review", reference=reference), reason)
    except (Conflict, FieldError, Forbidden) as problem:
        return _review(reference, reason=reason, problem=problem)
    if finding is Finding.RIGHT:
        flash(_("You found %(reference)s right.", reference=reference), "success")
    else:
        flash(_("%(reference)s is undone now. Everybody concerned is told.", reference=reference), "success")
    return redirect(url_for("emergencies.review", reference=reference), 303)


@blueprint.get("/approvals/<reference>/break-glass")
@requires(Permission.BREAK_GLASS)
def glass(reference: str) -> Response:
    """What breaking the glass on this request would do."""
    return _glass(reference, reason=_kept())


@blueprint.post("/approvals/<reference>/break-glass")
@requires(Permission.BREAK_GLASS)
@takes("reason", "seal")
def press(reference: str) -> BaseResponse:
    """One person's word to break it; the second one's starts the work."""
    reason = request.form.get("reason", "")
    try:
        with transaction() as db:
            found = request_for(db, current_actor(), reference, _router())
            broken = break_glass(
                db,
                current_actor(),
                found.id,
                reason,
                seal=request.form.get("seal", ""),
                settings=settings(),
            )
    except StepUpNeeded as needed:
        return _sign_in_again(needed, url_for("emergencies.glass", reference=reference), reason)
    except (Conflict, FieldError, Forbidden) as problem:
        return _glass(reference, reason=reason, problem=problem)
    if broken:
        flash(
            _(
                "The glass is broken: %(reference)s is carried out now. Its approvers are told.",
                reference=reference,
            ),
            "warning",
        )
        return redirect(url_for("requests.show", reference=reference), 303)
    flash(_("The others who hold this role were told. One of them must agree within the hour."), "success")
    return redirect(url_for("emergencies.glass", reference=reference), 303)


def _review(reference: str, *, reason: str = "", problem: PortalError | None = None) -> Response:
    with reading() as db:
        page = review_page(db, current_actor(), reference, _router())
    return render(
        "approvals/emergency/review.html",
        problem.status if problem else 200,
        review=page,
        reason=reason,
        **_told(problem),
    )


def _glass(reference: str, *, reason: str = "", problem: PortalError | None = None) -> Response:
    with reading() as db:
        page = glass_page(db, current_actor(), reference, _router())
    return render(
        "approvals/emergency/glass.html",
        problem.status if problem else 200,
        glass=page,
        reason=reason,
        **_told(problem),
    )


def _told(problem: PortalError | None) -> dict[str, str]:
    """The sentence at the field that it is about, or above the page."""
    at_field = isinstance(problem, FieldError)
    sentence = spoken(problem.sentence) if problem else ""
    return {"reason_error": sentence if at_field else "", "conflict": "" if at_field else sentence}


def _sign_in_again(needed: StepUpNeeded, here: str, reason: str) -> BaseResponse:
    session[KEPT] = {"here": here, "reason": reason[:_LONGEST_KEPT]}
    return redirect(url_for("sign_in.step_up", max_age=needed.max_age, acr=needed.acr, next=here), 303)


def _kept() -> str:
    """What was written on this page before signing in again."""
    kept = session.get(KEPT)
    if not kept or kept["here"] != request.path:
        return ""
    session.pop(KEPT)
    return str(kept["reason"])


def _router() -> Any:
    return services().get(Router)  # type: ignore[type-abstract]  # wiring made one that fits the protocol
