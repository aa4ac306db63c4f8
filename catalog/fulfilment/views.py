"""Pages of the operators: what the worker does, what it cannot do, and the button to try again."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.fulfilment.failures.acting import insist_on_fresh
from catalog.fulfilment.operations import operations_page
from catalog.fulfilment.orders import retry
from catalog.fulfilment.set_aside import try_task_again
from portal.core.http import reading, render, settings, transaction
from portal.core.language import _
from portal.identity.access import current_actor, requires
from portal.identity.permissions import Permission
from portal.identity.step_up import StepUpNeeded

blueprint = Blueprint("operations", __name__, url_prefix="/operations")


@blueprint.get("")
@requires(Permission.OPERATE)
def index() -> Response:
    """Tasks that wait, run or were set aside, and requests that failed."""
    with reading() as session:
        page = operations_page(session, current_actor())
    return render("catalog/fulfilment/operations.html", operations=page)


@blueprint.post("/tasks/<int:task_id>/retry")
@requires(Permission.OPERATE)
def retry_task(task_id: int) -> BaseResponse:
    """Have a task that was set aside tried again."""
    try:
        with transaction() as session:
            insist_on_fresh(session, current_actor(), settings())
            try_task_again(session, current_actor(), task_id)
    except StepUpNeeded as needed:
        return _sign_in_again(needed)
    flash(_("The task is tried again now."), "success")
    return redirect(url_for("operations.index"), 303)


@blueprint.post("/requests/<reference>/retry")
@requires(Permission.OPERATE)
def retry_request(reference: str) -> BaseResponse:
    """Have a failed request carried out again, by the approvals that it has."""
    try:
        with transaction() as session:
            insist_on_fresh(session, current_actor(), settings())
            retry(session, current_actor(), reference)
    except StepUpNeeded as needed:
        return _sign_in_again(needed)
    message = _(
        "%(reference)s is carried out again now; its seal and approvals are checked first.",
        reference=reference,
    )
    flash(message, "success")
    return redirect(url_for("operations.index"), 303)


def _sign_in_again(needed: StepUpNeeded) -> BaseResponse:
    here = url_for("operations.index")
    return redirect(url_for("sign_in.step_up", max_age=needed.max_age, acr=needed.acr, next=here), 303)
