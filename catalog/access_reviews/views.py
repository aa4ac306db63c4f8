"""Pages of access reviews: what reviewers answer, and how far compliance's campaigns are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.access_reviews.answering import Given, Say, answer, check
from catalog.access_reviews.blueprint import blueprint
from catalog.access_reviews.closing import cancel as cancel_it
from catalog.access_reviews.closing import close_now, get_review, standing
from catalog.access_reviews.model import AccessReview, ItemState, ReviewState
from catalog.access_reviews.opening_forms import views as opening_views
from catalog.access_reviews.queries import (
    PAGE,
    every_item,
    every_review,
    items_of,
    named_review,
    own_items,
    progress_of,
    require_seen,
    reviews_for,
)
from catalog.access_reviews.table import table_of
from portal.core.errors import FieldError, NotFound, PortalError
from portal.core.http import file_response, reading, render, settings, takes, transaction
from portal.core.language import _, ngettext, spoken
from portal.identity.access import current_actor, requires, signed_in
from portal.identity.actor import Actor
from portal.identity.permissions import Permission
from portal.identity.step_up import StepUpNeeded

#: The other is imported so that its routes stand on the blueprint too.
__all__ = ["blueprint", "opening_views"]

#: What waits for a fresh sign-in, on the server, in the session.
PENDING = "pending_access_review"


@blueprint.get("")
@signed_in
def index() -> Response:
    """The campaigns that ask the reader, and for compliance and auditors all of them."""
    actor = current_actor()
    before = request.args.get("before", type=int)
    reads_all = actor.may(Permission.READ_EVIDENCE)
    with reading() as db:
        mine = reviews_for(db, actor)
        lines, following = every_review(db, actor, before=before) if reads_all else ((), None)
    return render(
        "catalog/access_reviews/index.html",
        mine=mine,
        lines=lines,
        reads_all=reads_all,
        may_run=actor.may(Permission.RUN_ACCESS_REVIEWS),
        older_url=url_for("access_reviews.index", before=following) if following else "",
        newest_url=url_for("access_reviews.index") if before is not None else "",
    )


@blueprint.get("/<int:review_id>")
@requires(Permission.READ_EVIDENCE)
def show(review_id: int) -> Response:
    """How far a campaign is, reviewer by reviewer."""
    with reading() as db:
        require_seen(db, current_actor(), review_id)
    return _shown(review_id)


@blueprint.get("/<int:review_id>/items")
@requires(Permission.READ_EVIDENCE)
def items(review_id: int) -> Response:
    """Every item of a campaign with what was said of it."""
    chosen = request.args.get("state", "")
    states = {each.value: each for each in ItemState}
    after = request.args.get("after", type=int)
    with reading() as db:
        require_seen(db, current_actor(), review_id)
        review = get_review(db, review_id)
        lines, following = items_of(db, current_actor(), review_id, state=states.get(chosen), after=after)
        kept: dict[str, Any] = {"review_id": review_id, "state": chosen or None}
        return render(
            "catalog/access_reviews/items.html",
            review=review,
            lines=lines,
            chosen=chosen,
            states=tuple(states),
            next_url=url_for("access_reviews.items", after=following, **kept) if following else "",
            first_url=url_for("access_reviews.items", **kept) if after is not None else "",
        )


@blueprint.get("/<int:review_id>/items.csv")
@requires(Permission.READ_EVIDENCE)
def table(review_id: int) -> Response:
    """Every item as CSV in UTF-8, with the mark that office programs know it by."""
    with reading() as db:
        require_seen(db, current_actor(), review_id)
        get_review(db, review_id)
        content = table_of(every_item(db, current_actor(), review_id))
    return file_response(content, name=f"access-review-{review_id}.csv", media_type="text/csv; charset=utf-8")


@blueprint.post("/<int:review_id>/close")
@requires(Permission.RUN_ACCESS_REVIEWS)
@takes()
def close(review_id: int) -> BaseResponse:
    """Close it before its time, because everything is settled."""
    with transaction() as db:
        close_now(db, current_actor(), review_id)
    flash(_("This access review is closed. Its answers cannot be changed any more."), "success")
    return redirect(url_for("access_reviews.show", review_id=review_id), 303)


@blueprint.post("/<int:review_id>/cancel")
@requires(Permission.RUN_ACCESS_REVIEWS)
@takes("reason")
def cancel(review_id: int) -> BaseResponse:
    """Stop it, by a second person."""
    try:
        with transaction() as db:
            cancel_it(db, current_actor(), review_id, request.form.get("reason", ""))
    except FieldError as error:
        return _shown(review_id, error)
    flash(_("This access review is cancelled. What was answered stays done."), "success")
    return redirect(url_for("access_reviews.show", review_id=review_id), 303)


@blueprint.get("/<int:review_id>/mine")
@signed_in
def mine(review_id: int) -> Response:
    """What the reader is asked to review. Reading it decides nothing, and nothing is chosen."""
    kept = session.get(PENDING)
    if kept and kept["review"] == review_id:
        return _mine(review_id, typed=kept, again=True)
    return _mine(review_id)


@blueprint.post("/<int:review_id>/mine")
@signed_in
@takes("item", "answer", "said", "until")
def decide(review_id: int) -> BaseResponse:
    """Answer what was chosen, each by itself: one that cannot be answered stops none of the others."""
    form = request.form
    typed: dict[str, Any] = {
        "review": review_id,
        "items": form.getlist("item")[:PAGE],
        "answer": form.get("answer", ""),
        "said": form.get("said", ""),
        "until": form.get("until", ""),
    }
    actor = current_actor()
    try:
        given = _given(typed)
        chosen = _chosen(typed["items"])
    except FieldError as error:
        return _mine(review_id, typed=typed, error=error)
    done = 0
    problems: list[PortalError] = []
    for number, turn in chosen:
        try:
            with transaction() as db:
                item = answer(db, actor, number, given, turn=turn, settings=settings())
                if item.review_id != review_id:
                    raise NotFound(_("There is no such item, or it is not yours to review."))
            done += 1
        except StepUpNeeded as needed:
            session[PENDING] = typed
            here = url_for("access_reviews.mine", **_where(review_id))
            return redirect(
                url_for("sign_in.step_up", max_age=needed.max_age, acr=needed.acr, next=here), 303
            )
        except FieldError as error:
            return _mine(review_id, typed=typed, error=error)
        except PortalError as error:
            problems.append(error)
    session.pop(PENDING, None)
    if problems and not done:
        raise problems[0]
    flash(ngettext("You answered %(number)s item.", "You answered %(number)s items.", done), "success")
    for problem in problems:
        flash(problem.sentence, "error")
    return redirect(url_for("access_reviews.mine", **_where(review_id)), 303)


def _given(typed: dict[str, Any]) -> Given:
    if typed["answer"] not in {one.value for one in Say}:
        raise FieldError("answer", _("Choose what becomes of it."))
    try:
        until = date.fromisoformat(typed["until"]) if typed["until"] else None
    except ValueError:
        raise FieldError("until", _("Give a day, such as 31 12 2027.")) from None
    return check(Given(Say(typed["answer"]), typed["said"], until))


def _chosen(values: Iterable[str]) -> list[tuple[int, int]]:
    """Items with how often they had been answered when they were shown."""
    found = []
    for value in values:
        number, _colon, turn = value.partition(":")
        if number.isdecimal() and turn.isdecimal() and len(value) <= len("9" * 18 + ":" + "9" * 9):
            found.append((int(number), int(turn)))
    if not found:
        raise FieldError("item", _("Choose at least one item."))
    return found


def _where(review_id: int) -> dict[str, Any]:
    return {"review_id": review_id, "show": request.args.get("show") or None}


def _mine(
    review_id: int,
    *,
    typed: dict[str, Any] | None = None,
    error: FieldError | None = None,
    again: bool = False,
) -> Response:
    actor = current_actor()
    answered = request.args.get("show") == "answered"
    after = request.args.get("after", type=int)
    with reading() as db:
        lines, following = own_items(db, actor, review_id, answered=answered, after=after)
        review = get_review(db, review_id)
        return render(
            "catalog/access_reviews/mine.html",
            error.status if error else 200,
            review=review,
            due_at=review.due_at.astimezone(ZoneInfo(actor.timezone)),
            lines=lines,
            answered=answered,
            may_answer=review.state is ReviewState.OPEN,
            typed=typed or {"items": [], "answer": "", "said": "", "until": ""},
            error=error,
            message=spoken(error.message) if error else "",
            again=again,
            here=url_for("access_reviews.mine", **_where(review_id)),
            next_url=url_for("access_reviews.mine", after=following, **_where(review_id))
            if following
            else "",
            first_url=url_for("access_reviews.mine", **_where(review_id)) if after is not None else "",
        )


def _shown(review_id: int, error: FieldError | None = None) -> Response:
    actor = current_actor()
    with reading() as db:
        review, opened_by, closed_by = named_review(db, review_id)
        counts, going = standing(db, review_id)
        return render(
            "catalog/access_reviews/show.html",
            error.status if error else 200,
            review=review,
            opened_by=opened_by,
            closed_by=closed_by,
            times=_times(review, actor),
            figures=counts,
            going=going,
            answered=review.total - counts[ItemState.OPEN.value],
            people=progress_of(db, review_id),
            may_run=actor.may(Permission.RUN_ACCESS_REVIEWS) and review.state is ReviewState.OPEN,
            mine=actor.person_id == review.opened_by_id,
            error=spoken(error.message) if error else "",
            typed=request.form.get("reason", ""),
        )


def _times(review: AccessReview, actor: Actor) -> dict[str, Any]:
    zone = ZoneInfo(actor.timezone)
    return {
        "opened": review.opened_at.astimezone(zone),
        "due": review.due_at.astimezone(zone),
        "closed": review.closed_at.astimezone(zone) if review.closed_at else None,
    }
