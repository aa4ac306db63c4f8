"""What an access review does to what is live: it is taken away now, or ends on another day."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from catalog.access_reviews import tags
from catalog.access_reviews.model import AccessReview, ReviewItem
from catalog.entitlements import moving
from catalog.entitlements.ending import end_entitlement, tell_holder
from catalog.entitlements.model import Entitlement
from catalog.fulfilment.targets import called
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from catalog.requests.telling import about
from portal.audit import record
from portal.core.language import N_, say
from portal.identity.actor import PORTAL, Actor
from portal.identity.model import Person
from portal.notifications import notify

#: In the ledger's facts, so they name nobody; the mail to the holder does.
NOT_NEEDED = N_("An access review found that it is not needed any more.")
SILENCE = N_("Nobody said in an access review in time that it is still needed.")


def end_now(session: Session, actor: Actor, item: ReviewItem, entitlement: Entitlement) -> None:
    """Take it away, and tell its holder who wants that and why."""
    _record_end(session, actor, item, entitlement, by="answer")
    end_entitlement(session, entitlement, why=say(NOT_NEEDED))
    tell_holder(session, "entitlement_end_ordered", entitlement, who=actor.name, reason=item.said)


def end_by_silence(session: Session, item: ReviewItem, entitlement: Entitlement) -> None:
    """Take away what nobody answered for; its holder is told when it is gone."""
    _record_end(session, PORTAL, item, entitlement, by="silence")
    end_entitlement(session, entitlement, why=say(SILENCE))


def move_end(
    session: Session,
    item: ReviewItem,
    entitlement: Entitlement,
    ends_at: datetime | None,
    *,
    actor: Actor | None,
    tell: bool,
) -> None:
    """Have it end then (UTC; None for never), with its tasks, and tell its holder what must be different where asked."""
    request = moving.move_end(
        session,
        entitlement,
        ends_at,
        tag=tags.MOVED,
        actor=actor or PORTAL,
        because=f"access-review:{item.id}:{item.turn}",
        facts={"review": item.review_id, "item": item.id},
    )
    if not tell or actor is None:
        return
    holder = session.get_one(Person, entitlement.person_id)
    notify(
        session,
        "access_review_changed",
        holder,
        {
            **about(request),
            "review": session.get_one(AccessReview, item.review_id).name,
            "label": entitlement.label,
            "target": called(entitlement.target),
            "who": actor.name,
            "reason": item.said,
            "ends_at": ends_at,
            "path": f"/catalogue/{request.version.offering.slug}",
        },
    )


def _record_end(
    session: Session, actor: Actor, item: ReviewItem, entitlement: Entitlement, *, by: str
) -> None:
    record(
        session,
        tags.ENDED_BY_REVIEW,
        subject=subject_of(session.get_one(Request, entitlement.request_id)),
        actor=actor,
        facts={"entitlement": entitlement.id, "review": item.review_id, "item": item.id, "by": by},
        personal={"why": item.said} if item.said else None,
    )
