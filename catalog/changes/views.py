"""The calendar of changes, its windows and freezes, and everybody's own feed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, request, session, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from catalog.assets.register import Register
from catalog.changes.feed import feed_since, feed_text, make_feed, revoke_feed
from catalog.changes.forms import FREEZE_FIELDS, WINDOW_FIELDS, FreezeForm, WindowForm
from catalog.changes.listing import restrictions_page
from catalog.changes.model import Kind
from catalog.changes.seeing import SeesRequests
from catalog.changes.setting import end_restriction, set_freeze, set_window, time_zones
from catalog.changes.week import WORDS, Asked, week_page
from portal.core.errors import FieldErrors
from portal.core.http import reading, render, services, settings, takes, transaction
from portal.core.language import _
from portal.identity.access import current_actor, public, signed_in
from portal.identity.step_up import StepUpNeeded

blueprint = Blueprint("changes", __name__, url_prefix="/changes")

#: What was typed and waits for a fresh sign-in, and an address that is shown once: on the server, in the session.
PENDING, TOKEN = "pending_freeze", "calendar_feed"
_LONGEST = 200


@blueprint.get("")
@signed_in
def index() -> Response:
    """One week of what is planned, running and done."""
    given = {
        name: request.args.get(name, "")[:_LONGEST] for name in ("offering", "unit", "asset", "standing")
    }
    asked = Asked(week=request.args.get("week", "")[:_LONGEST], **given)
    with reading() as db:
        week = week_page(db, current_actor(), asked, sees=_sees())
    return render("catalog/changes/index.html", week=week, words=WORDS)


@blueprint.get("/windows")
@signed_in
def windows() -> Response:
    """The windows in force, and a form for another."""
    return _windows(WindowForm())


@blueprint.post("/windows")
@signed_in
@takes(*WINDOW_FIELDS)
def add_window() -> BaseResponse:
    """Add hours in which changes are carried out."""
    form = WindowForm(request.form)
    form.validate()
    try:
        with transaction() as db:
            set_window(db, current_actor(), form.wish())
    except FieldErrors as problems:
        form.tell(problems)
        return _windows(form, status=422)
    flash(_("The window is set. What waits is worked out anew."), "success")
    return redirect(url_for("changes.windows"), 303)


@blueprint.get("/freezes")
@signed_in
def freezes() -> Response:
    """The freezes that are not over, and a form for another. What was typed before signing in again stands there."""
    kept = session.pop(PENDING, None)
    return _freezes(FreezeForm(MultiDict(kept)) if kept else FreezeForm(), again=kept is not None)


@blueprint.post("/freezes")
@signed_in
@takes(*FREEZE_FIELDS)
def add_freeze() -> BaseResponse:
    """Add a time in which nothing is carried out."""
    form = FreezeForm(request.form)
    form.validate()
    try:
        with transaction() as db:
            set_freeze(db, current_actor(), form.wish(), settings=settings())
    except StepUpNeeded as needed:
        session[PENDING] = {name: request.form.get(name, "")[:_LONGEST] for name in FREEZE_FIELDS}
        return _sign_in_again(needed)
    except FieldErrors as problems:
        form.tell(problems)
        return _freezes(form, status=422)
    flash(_("The freeze is set. Whatever waits is moved, and whoever asked for it is told."), "success")
    return redirect(url_for("changes.freezes"), 303)


@blueprint.post("/restrictions/<int:number>/end")
@signed_in
@takes()
def end(number: int) -> BaseResponse:
    """End a window or lift a freeze."""
    try:
        with transaction() as db:
            ended = end_restriction(db, current_actor(), number, settings=settings())
            frozen = ended.kind is Kind.FREEZE
    except StepUpNeeded as needed:
        return _sign_in_again(needed)
    if frozen:
        flash(_("The freeze is lifted. Whatever waited for its end is moved forward."), "success")
        return redirect(url_for("changes.freezes"), 303)
    flash(_("The window has ended. What waits is worked out anew."), "success")
    return redirect(url_for("changes.windows"), 303)


@blueprint.get("/feed")
@signed_in
def feed() -> Response:
    """The reader's own address for calendar programs: shown once, when it was made."""
    token = session.pop(TOKEN, "")
    with reading() as db:
        since = feed_since(db, current_actor())
    address = (
        f"{settings().public_url.rstrip('/')}{url_for('changes.subscribed', token=token)}" if token else ""
    )
    return render("catalog/changes/feed.html", since=since, address=address)


@blueprint.post("/feed")
@signed_in
@takes()
def make() -> BaseResponse:
    """A new address; the one before ends."""
    with transaction() as db:
        session[TOKEN] = make_feed(db, current_actor())
    return redirect(url_for("changes.feed"), 303)


@blueprint.post("/feed/revoke")
@signed_in
@takes()
def revoke() -> BaseResponse:
    """End the address."""
    with transaction() as db:
        revoke_feed(db, current_actor())
    flash(_("The calendar address has ended."), "success")
    return redirect(url_for("changes.feed"), 303)


@blueprint.get("/feed/<token>.ics")
@public
def subscribed(token: str) -> Response:
    """What a calendar program reads. The token is the right, as in every subscription; it leads to nothing else."""
    with reading() as db:
        text = feed_text(db, token, sees=_sees(), settings=settings())
    response = make_response(text)
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = 'inline; filename="changes.ics"'
    return response


def _sign_in_again(needed: StepUpNeeded) -> BaseResponse:
    here = url_for("changes.freezes")
    return redirect(url_for("sign_in.step_up", max_age=needed.max_age, acr=needed.acr, next=here), 303)


def _windows(form: WindowForm, *, status: int = 200) -> Response:
    return _page("windows", Kind.WINDOW, form, status=status)


def _freezes(form: FreezeForm, *, status: int = 200, again: bool = False) -> Response:
    return _page("freezes", Kind.FREEZE, form, status=status, again=again)


def _page(name: str, kind: Kind, form: WindowForm | FreezeForm, *, status: int, **more: Any) -> Response:
    actor = current_actor()
    with reading() as db:
        page = restrictions_page(db, actor, kind)
        assets = [asset.label for asset in Register(db).suggestions()] if page.choices else []
    form = form.speak(page.choices, actor.timezone)
    return render(
        f"catalog/changes/{name}.html",
        status,
        page_of=page,
        form=form,
        assets=assets,
        zones=sorted(time_zones()),
        **more,
    )


def _sees() -> SeesRequests:
    return services().get(SeesRequests)  # type: ignore[type-abstract]  # wiring made one that fits the protocol
