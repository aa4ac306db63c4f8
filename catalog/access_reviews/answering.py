"""Answering an item: it is kept, taken away at once, or ends on a day with what must be different then.

One answer counts. It may be changed until the campaign closes, but for a removal that has begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from catalog.access_reviews import tags
from catalog.access_reviews.effects import end_now, move_end
from catalog.access_reviews.model import AccessReview, ItemReviewer, ItemState, ReviewItem, ReviewState
from catalog.access_reviews.reviewers import BY_COMPLIANCE, COMPLIANCE
from catalog.entitlements.ending import get_locked_entitlement
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.entitlements.rights import owners_by_rule
from catalog.requests.context import close_of_day
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, NotFound
from portal.core.language import N_, _
from portal.core.settings import Settings
from portal.core.text import clean_text
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.identity.step_up import StepUp

LONGEST = 1000
NOT_YOURS = N_("There is no such item, or it is not yours to review.")


class Say(StrEnum):
    """What a reviewer says."""

    KEEP = "keep"
    REVOKE = "revoke"
    CHANGE = "change"


STATES = {Say.KEEP: ItemState.KEPT, Say.REVOKE: ItemState.REVOKED, Say.CHANGE: ItemState.CHANGED}


@dataclass(frozen=True, slots=True)
class Given:
    """One answer. `until` is the last day of what is to be different, in the holder's zone."""

    say: Say
    said: str
    until: date | None = None


def check(given: Given) -> Given:
    """The answer with clean words. Raises FieldError."""
    try:
        text = clean_text(given.said)
    except ValueError as error:
        raise FieldError("said", f"{error}.") from error
    if not text:
        raise FieldError("said", _("Say why; it stands in the result of the review."))
    if len(text) > LONGEST:
        raise FieldError("said", _("Shorten this to %(most)s characters.", most=LONGEST))
    if given.say is Say.CHANGE and given.until is None:
        raise FieldError("until", _("Give the last day on which it may stay as it is."))
    return Given(given.say, text, given.until if given.say is Say.CHANGE else None)


def answer(
    session: Session, actor: Actor, item_id: int, given: Given, *, turn: int, settings: Settings
) -> ReviewItem:
    """Write the answer down and act on it. The same answer posted twice is one.

    `turn` is how often it had been answered when the reviewer looked. Raises NotFound for whoever is not asked,
    StepUpNeeded, FieldError, Conflict when somebody was faster, when its removal has begun or its time is over.
    """
    item, entitlement, review = get_locked_item(session, item_id)
    _insist_on_reviewer(session, actor, item, entitlement)
    StepUp.of(settings).check(actor, risk="medium", acr="", at=now(session))
    given = check(given)
    holder = session.get_one(Person, entitlement.person_id)
    until = close_of_day(given.until, holder.timezone)
    if item.turn == turn + 1 and _is_the_same(item, actor, given, until):
        return item
    _insist_on_open(session, review, item, entitlement, turn)
    before = item.state
    item.answered_by_id, item.answered_at, item.said = actor.person_id, now(session), given.said
    item.turn += 1
    if given.say is Say.CHANGE and until is not None:
        _change(session, actor, item, entitlement, until)
    elif before is ItemState.CHANGED:
        _take_back_end(session, item, entitlement)
    item.state = STATES[given.say]
    session.flush()
    record(
        session,
        tags.ANSWERED,
        subject=f"access-review:{review.id}",
        actor=actor,
        facts={
            "item": item.id,
            "entitlement": entitlement.id,
            "answer": given.say.value,
            "before": before.value,
            "turn": item.turn,
            "ends_at": item.ends_at.isoformat() if item.ends_at else None,
        },
        personal={"why": given.said},
    )
    if given.say is Say.REVOKE:
        end_now(session, actor, item, entitlement)
    return item


def get_locked_item(session: Session, item_id: int) -> tuple[ReviewItem, Entitlement, AccessReview]:
    """The item as it is now, locked through its entitlement, while its campaign cannot close. Raises NotFound."""
    item = session.get(ReviewItem, item_id)
    if item is None:
        raise NotFound(_(NOT_YOURS))
    entitlement = get_locked_entitlement(session, item.entitlement_id)
    review = session.get_one(AccessReview, item.review_id)
    session.refresh(review, with_for_update={"read": True})
    session.refresh(item)
    return item, entitlement, review


def _insist_on_reviewer(session: Session, actor: Actor, item: ReviewItem, entitlement: Entitlement) -> None:
    """The actor was asked, and is still what they were asked as; nobody answers for their own."""
    asked = session.get(ItemReviewer, (item.id, actor.person_id)) if actor.person_id else None
    if asked is None or entitlement.person_id == actor.person_id:
        raise NotFound(_(NOT_YOURS))
    if asked.rule == BY_COMPLIANCE:
        still = COMPLIANCE in actor.roles
    elif asked.rule.startswith(("group:", "asset-owner:")):
        owners = owners_by_rule(session, [asked.rule])
        still = any(owner.person.id == actor.person_id for owner in owners)
    else:
        still = True
    if not still:
        raise Conflict(_("You do not answer for this any more, so somebody else must review it."))


def _insist_on_open(
    session: Session, review: AccessReview, item: ReviewItem, entitlement: Entitlement, turn: int
) -> None:
    if review.state is not ReviewState.OPEN:
        raise Conflict(_("This access review is over. What was answered stands in its result."))
    if item.state is ItemState.VOID:
        raise Conflict(_("This has ended meanwhile, so there is nothing left to review."))
    if item.turn != turn:
        who = session.get(Person, item.answered_by_id) if item.answered_by_id else None
        raise Conflict(
            _("%(name)s answered this meanwhile. Look at the answer before you change it.", name=who.name)
            if who
            else _("This was settled meanwhile.")
        )
    if item.state is ItemState.REVOKED or entitlement.state is not EntitlementState.LIVE:
        raise Conflict(_("This is being taken away already, and that cannot be stopped."))
    if item.state is ItemState.OPEN and item.due_at <= now(session):
        raise Conflict(_("The time to answer this is over."))


def _is_the_same(item: ReviewItem, actor: Actor, given: Given, until: datetime | None) -> bool:
    return (item.answered_by_id, item.state, item.said) == (
        actor.person_id,
        STATES[given.say],
        given.said,
    ) and (until is None or item.ends_at == until)


def _change(
    session: Session, actor: Actor, item: ReviewItem, entitlement: Entitlement, until: datetime
) -> None:
    """The end moves to that day, counted from the end that it had before this review."""
    moved = item.state is ItemState.CHANGED and entitlement.ends_at == item.ends_at
    own = item.ended_before if moved else entitlement.ends_at
    if until <= now(session):
        raise FieldError("until", _("Give a day that is not over yet."))
    if own is not None and until > own:
        raise FieldError("until", _("It ends before that day by itself. Give an earlier one, or keep it."))
    item.ended_before, item.ends_at = own, until
    move_end(session, item, entitlement, until, actor=actor, tell=True)


def _take_back_end(session: Session, item: ReviewItem, entitlement: Entitlement) -> None:
    """What was to be different is not any more: the end is its own again, unless it was moved by a request since."""
    if entitlement.ends_at == item.ends_at:
        move_end(session, item, entitlement, item.ended_before, actor=None, tell=False)
    item.ended_before = item.ends_at = None
