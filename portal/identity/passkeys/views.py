"""A person's passkeys: those they have, a new one, and revoking one."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, NotFound, PortalError
from portal.core.http import reading, render, settings, transaction
from portal.core.language import _
from portal.identity.access import current_actor, signed_in
from portal.identity.model import Person
from portal.identity.passkeys.enrol import NotEnrolled, enrol, offer_enrolment, require_fresh
from portal.identity.passkeys.present import lines_of
from portal.identity.passkeys.queries import passkeys_of
from portal.identity.passkeys.relying_party import RelyingParty
from portal.identity.passkeys.revoke import find_own, revoke
from portal.identity.sign_in.destination import safe_destination
from portal.identity.step_up import StepUpNeeded

blueprint = Blueprint("passkeys", __name__, url_prefix="/me/passkeys")
_FIELDS = frozenset({"csrf_token", "name", "nonce", "answer", "next"})


@blueprint.get("")
@signed_in
def index() -> Response:
    """The reader's passkeys, revoked ones below."""
    actor = current_actor()
    with reading() as session:
        lines = lines_of(passkeys_of(session, actor.person_id, revoked=True), ZoneInfo(actor.timezone))
    return render(
        "portal/identity/passkeys/index.html",
        live=[line for line in lines if line.revoked_at is None],
        revoked=[line for line in lines if line.revoked_at],
        possible=RelyingParty.of(settings()).possible,
    )


@blueprint.get("/new")
@signed_in
def new() -> BaseResponse:
    """The page that makes a passkey, after a fresh and strong sign-in; `next` leads back to what needed one."""
    return _new_page(name="", destination=_destination(request.args.get("next")))


@blueprint.post("/new")
@signed_in
def add() -> BaseResponse:
    """Keep the passkey that the browser made."""
    if not _FIELDS.issuperset(request.form):
        raise PortalError(
            _("This form holds something that the page does not ask for. Reload the page and try again.")
        )
    destination = _destination(request.form.get("next"))
    name = request.form.get("name", "")
    if not request.form.get("answer"):
        return _new_page(
            name=name,
            destination=destination,
            problem=_(
                "Your browser made no passkey. That needs JavaScript, and a browser that knows passkeys."
            ),
        )
    try:
        with transaction() as session:
            passkey = enrol(
                session,
                current_actor(),
                name=name,
                nonce=request.form.get("nonce", ""),
                answer=request.form["answer"],
                settings=settings(),
            )
    except StepUpNeeded as needed:
        return _sign_in_again(needed, url_for("passkeys.new", next=destination))
    except FieldError as error:
        return _new_page(name=name, destination=destination, name_error=error.message)
    except (NotEnrolled, Conflict) as error:
        return _new_page(name=name, destination=destination, problem=error.sentence, status=error.status)
    flash(
        _("The passkey “%(name)s” is enrolled. It can sign decisions from now on.", name=passkey.name),
        "success",
    )
    return redirect(destination or url_for("passkeys.index"), 303)


@blueprint.get("/<int:passkey_id>/revoke")
@signed_in
def confirm(passkey_id: int) -> BaseResponse:
    """Ask once more before a passkey is revoked."""
    actor = current_actor()
    with reading() as session:
        passkey = find_own(session, actor, passkey_id)
        if passkey is None:
            raise NotFound(_("You have no such passkey."))
        try:
            require_fresh(actor, settings(), at=now(session))
        except StepUpNeeded as needed:
            return _sign_in_again(needed, url_for("passkeys.confirm", passkey_id=passkey_id))
        (line,) = lines_of([passkey], ZoneInfo(actor.timezone))
    if line.revoked_at:
        return redirect(url_for("passkeys.index"), 303)
    return render("portal/identity/passkeys/confirm.html", line=line)


@blueprint.post("/<int:passkey_id>/revoke", endpoint="revoke")
@signed_in
def revoke_one(passkey_id: int) -> BaseResponse:
    """Revoke a passkey."""
    try:
        with transaction() as session:
            passkey = revoke(session, current_actor(), passkey_id, settings=settings())
    except StepUpNeeded as needed:
        return _sign_in_again(needed, url_for("passkeys.confirm", passkey_id=passkey_id))
    flash(_("The passkey “%(name)s” is revoked and signs nothing any more.", name=passkey.name), "success")
    return redirect(url_for("passkeys.index"), 303)


def _new_page(
    *, name: str, destination: str, problem: str = "", name_error: str = "", status: int = 422
) -> BaseResponse:
    actor = current_actor()
    with reading() as session:
        at = now(session)
        try:
            require_fresh(actor, settings(), at=at)
        except StepUpNeeded as needed:
            return _sign_in_again(needed, url_for("passkeys.new", next=destination or None))
        known = passkeys_of(session, actor.person_id)
        person = session.get_one(Person, actor.person_id)
    return render(
        "portal/identity/passkeys/new.html",
        status if problem or name_error else 200,
        offer=offer_enrolment(actor, known, settings(), user_name=person.user_name, at=at),
        name=name,
        destination=destination,
        problem=problem,
        name_error=name_error,
        possible=RelyingParty.of(settings()).possible,
    )


def _sign_in_again(needed: StepUpNeeded, here: str) -> BaseResponse:
    return redirect(url_for("sign_in.step_up", max_age=needed.max_age, acr=needed.acr, next=here), 303)


def _destination(text: str | None) -> str:
    """Where to go afterwards: a path of this portal, or nowhere in particular."""
    return safe_destination(text) if text else ""
