"""A reviewer's word: it was right, or it was not and is undone now."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from approvals import tags
from approvals.emergency.closing import close, find_review, get_locked_review
from approvals.emergency.model import Finding, Review, Reviewer, ReviewState, ReviewWord
from approvals.routing.relations import excluded_from, parties_of, people_by_rule
from catalog.requests.model import Request
from catalog.requests.moves import get_locked, subject_of
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, Forbidden, NotFound
from portal.core.language import _, say
from portal.core.settings import Settings
from portal.core.text import clean_text
from portal.identity.actor import Actor
from portal.identity.step_up import StepUp

LEAST_REASON, LONGEST_REASON = 5, 2000


def speak(
    session: Session,
    actor: Actor,
    request_id: int,
    finding: Finding,
    reason: str,
    *,
    settings: Settings,
) -> Review:
    """Record what the actor finds, and what follows: the last word needed closes the review, a single no undoes.

    Raises NotFound where there is no review, Forbidden for anybody who was not passed over or no longer may, Conflict
    when it is closed or they have spoken, FieldError without a reason, StepUpNeeded for an old or weak sign-in.
    """
    request = get_locked(session, request_id)
    found = find_review(session, request)
    if found is None:
        raise NotFound(_("There is nothing to review here."))
    review = get_locked_review(session, found.id)
    if actor.person_id is None or not may_speak(session, request, review, actor.person_id):
        raise Forbidden(_("You are not, or no longer, one of the people who review this."))
    if review.state is not ReviewState.OPEN or now(session) >= review.due_at:
        raise Conflict(_("This review is over. Nothing was recorded."))
    reason = _checked(reason)
    at = now(session)
    auth_time = StepUp.of(settings).check(actor, risk=str(request.risk.get("level", "")), acr="", at=at)
    word = ReviewWord(
        review_id=review.id,
        person_id=actor.person_id,
        finding=finding,
        reason=reason,
        said_at=at,
        auth_time=auth_time,
        acr=actor.acr,
        amr=list(actor.amr),
    )
    try:
        with session.begin_nested():
            session.add(word)
    except IntegrityError as error:
        raise Conflict(_("You have already said what you find. One person counts once.")) from error
    record(
        session,
        tags.REVIEW_FOUND_RIGHT if finding is Finding.RIGHT else tags.REVIEW_FOUND_WRONG,
        subject=subject_of(request),
        actor=actor,
        facts={
            "revision": review.revision,
            "seal": request.seal,
            "auth_time": auth_time.isoformat(),
            "acr": actor.acr,
            "amr": list(actor.amr),
        },
        personal={"reason": reason},
    )
    if finding is Finding.WRONG:
        why = say(
            "%(person)s found that it was not right, so it is undone: %(reason)s",
            person=actor.name,
            reason=reason,
        )
        close(session, request, review, ReviewState.WRONG, why)
    elif _complete(session, review):
        close(session, request, review, ReviewState.RIGHT, say("Those who were passed over found it right."))
    return review


def may_speak(session: Session, request: Request, review: Review, person_id: int) -> bool:
    """Whether the person was passed over and would still decide there: an account or membership that is gone is not."""
    excluded = excluded_from(request, request.version)
    if person_id in excluded:
        return False
    rules = set(
        session.scalars(
            select(Reviewer.rule).where(Reviewer.review_id == review.id, Reviewer.person_id == person_id)
        )
    )
    # Of a rota, whoever was on duty since the review opened; whoever a party has delegated to since is kept out with it.
    found = people_by_rule(session, rules, parties_of(request), excluded=excluded, since=review.opened_at)
    return any(person.person_id == person_id for there in found.values() for person in there)


def _complete(session: Session, review: Review) -> bool:
    """Whether enough people of every stage that was passed over have found it right."""
    right = set(
        session.scalars(
            select(ReviewWord.person_id).where(
                ReviewWord.review_id == review.id, ReviewWord.finding == Finding.RIGHT
            )
        )
    )
    by_stage: dict[str, set[int]] = {}
    for stage, person in session.execute(
        select(Reviewer.stage, Reviewer.person_id).where(Reviewer.review_id == review.id)
    ):
        by_stage.setdefault(stage, set()).add(person)
    # A look back, not an approval: whoever sits in two stages speaks for both.
    return bool(review.seats) and all(
        len(by_stage.get(seat["slug"], set()) & right) >= seat["quorum"] for seat in review.seats
    )


def _checked(reason: str) -> str:
    try:
        reason = clean_text(reason)
    except ValueError as error:
        raise FieldError("reason", f"{error}.") from error
    if len(reason) < LEAST_REASON:
        raise FieldError(
            "reason", _("Write why; everybody concerned reads it, and it goes into the evidence.")
        )
    if len(reason) > LONGEST_REASON:
        raise FieldError("reason", _("Shorten your reason to %(number)s characters.", number=LONGEST_REASON))
    return reason
