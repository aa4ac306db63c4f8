"""The page that asks for a later end."""

from __future__ import annotations

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.entitlements.blueprint import blueprint
from catalog.entitlements.extending.ask import check_extension, extending
from catalog.entitlements.extending.ask import extend as ask_for_it
from catalog.entitlements.extending.forms import FIELDS, ExtensionForm
from catalog.fulfilment.connectors.registry import Connectors
from portal.core.errors import FieldErrors
from portal.core.http import reading, render, services, takes, transaction
from portal.core.language import _
from portal.identity.access import current_actor, signed_in


@blueprint.get("/<int:entitlement_id>/extend")
@signed_in
def extend(entitlement_id: int) -> Response:
    """The small form; or, where the target keeps the end itself, where to ask anew."""
    return _page(entitlement_id, None)


@blueprint.post("/<int:entitlement_id>/extend")
@signed_in
@takes(*FIELDS)
def ask(entitlement_id: int) -> BaseResponse:
    """Make the request; it goes the same way as the one that granted it."""
    form = ExtensionForm(request.form)
    if not form.validate():
        return _page(entitlement_id, form, status=422)
    actor, connectors = current_actor(), services().get(Connectors)
    end, reason = form.end.data or "", form.reason.data or ""
    try:
        with reading() as session:
            checked = check_extension(session, actor, entitlement_id, connectors, end=end, reason=reason)
        with transaction() as session:
            made = ask_for_it(session, actor, checked)
            reference = made.reference
    except FieldErrors as problems:
        others = form.tell(problems)
        return _page(entitlement_id, form, others=others, status=422)
    flash(
        _(
            "%(reference)s asks for the later end. What you have stays until it is decided, or until its end.",
            reference=reference,
        ),
        "success",
    )
    return redirect(url_for("requests.show", reference=reference), 303)


def _page(
    entitlement_id: int,
    form: ExtensionForm | None,
    *,
    others: tuple[tuple[str, str], ...] = (),
    status: int = 200,
) -> Response:
    with reading() as session:
        asked = extending(session, current_actor(), entitlement_id, services().get(Connectors))
    if form is None:
        form = ExtensionForm(data={"end": "" if asked.way == "date" else asked.end, "reason": asked.reason})
    return render(
        "catalog/entitlements/extend.html",
        status,
        asked=asked,
        form=form.speak(asked),
        others=others,
    )
