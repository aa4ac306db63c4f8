"""Opening a campaign: looked over first, and then exactly what was looked over, as it is at that moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.access_reviews import tags
from catalog.access_reviews.model import (
    AccessReview,
    ItemReviewer,
    ItemState,
    ReviewItem,
    ReviewState,
)
from catalog.access_reviews.proposing import Proposal, check, due_of
from catalog.access_reviews.reviewers import reviewers_of_each
from catalog.access_reviews.scope import live_in
from catalog.access_reviews.telling import tell_reviewers
from catalog.entitlements.model import Entitlement
from catalog.entitlements.rights import Owner
from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from portal.audit import record
from portal.core.canonical import digest
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError
from portal.core.language import _, spoken
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.jobs import enqueue

#: One item: what it is about, who is asked, and what the population's digest says of it.
Known = tuple[Entitlement, Sequence[Owner], Mapping[str, Any]]
READ_USES = "read_uses_for_access_review"
_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Preview:
    """What a campaign would ask, and whom. `digest` is of all of it: what is opened must still have it."""

    total: int
    digest: str
    by_reviewer: Sequence[tuple[str, int]]
    #: What nobody could be asked about, each in a sentence; then it cannot be opened.
    without: Sequence[str]


def preview(session: Session, actor: Actor, proposal: Proposal) -> Preview:
    """What would be opened now. Raises FieldErrors, Forbidden."""
    checked = check(session, actor, proposal)
    items = _items(session, actor, checked)
    counts = Counter(owner.person.id for _entitlement, owners, _known in items for owner in owners)
    names = {owner.person.id: owner.person.name for _e, owners, _known in items for owner in owners}
    return Preview(
        total=len(items),
        digest=digest([known for _entitlement, _owners, known in items]),
        by_reviewer=sorted(
            ((names[number], count) for number, count in counts.items()), key=lambda one: (-one[1], one[0])
        ),
        without=_without(session, items),
    )


def open_review(session: Session, actor: Actor, proposal: Proposal, *, seen: str) -> AccessReview:
    """Open it, tell everybody who is asked, and give the campaign.

    `seen` is the digest of the preview. Raises Conflict where something has changed since, FieldErrors, Forbidden.
    """
    checked = check(session, actor, proposal)
    items = _items(session, actor, checked)
    opened = digest([known for _entitlement, _owners, known in items])
    if not items:
        raise FieldError("scope", _("Nothing that is live is in this scope. Choose a wider one."))
    if without := _without(session, items):
        raise FieldError("scope", without[0])
    if seen != opened:
        raise Conflict(
            _("What is live, or who answers for it, has changed since you looked it over. Look again.")
        )
    at = now(session)
    due_at = due_of(actor, checked)
    review = AccessReview(
        name=checked.name,
        reason=checked.reason,
        scope=checked.scope.to_json(),
        at_end=checked.at_end,
        more_days=checked.more_days,
        state=ReviewState.OPEN,
        opened_by_id=actor.person_id or 0,
        opened_at=at,
        due_at=due_at,
        total=len(items),
        digest=opened,
    )
    session.add(review)
    session.flush()
    rows = [
        ReviewItem(
            review_id=review.id,
            entitlement_id=entitlement.id,
            state=ItemState.OPEN,
            as_opened=dict(known),
            due_at=due_at,
        )
        for entitlement, _owners, known in items
    ]
    session.add_all(rows)
    session.flush()
    session.add_all(
        ItemReviewer(item_id=row.id, person_id=owner.person.id, rule=owner.rule)
        for row, (_entitlement, owners, _known) in zip(rows, items, strict=True)
        for owner in owners
    )
    record(
        session,
        tags.OPENED,
        subject=f"access-review:{review.id}",
        actor=actor,
        facts={
            "scope": review.scope,
            "items": review.total,
            "population": review.digest,
            "due_at": due_at.isoformat(),
            "at_end": review.at_end.value,
            "more_days": review.more_days,
        },
        personal={"name": review.name, "reason": review.reason},
    )
    counts = Counter(owner.person.id for _entitlement, owners, _known in items for owner in owners)
    people = {owner.person.id: owner.person for _entitlement, owners, _known in items for owner in owners}
    tell_reviewers(session, review, [(people[number], counts[number]) for number in sorted(counts)])
    enqueue(session, READ_USES, {"review_id": review.id}, dedupe_key=f"{READ_USES}:{review.id}")
    return review


def _items(session: Session, actor: Actor, proposal: Proposal) -> Sequence[Known]:
    """Everything in scope, who is asked about it, and what the population's digest says of it."""
    live = live_in(session, proposal.scope, actor.timezone)
    owners = reviewers_of_each(session, live, now(session), due_of(actor, proposal))
    allowed: dict[int, tuple[str, str, str]] = {}
    numbers = sorted({entitlement.request_id for entitlement in live})
    for first in range(0, len(numbers), _AT_A_TIME):
        rows = session.execute(
            select(Request.id, Request.reference, OfferingVersion.digest, Request.risk)
            .join(OfferingVersion, OfferingVersion.id == Request.offering_version_id)
            .where(Request.id.in_(numbers[first : first + _AT_A_TIME]))
        )
        for number, reference, version, risk in rows:
            allowed[number] = (reference, version, str(risk.get("level", "")))
    return [
        (
            entitlement,
            owners[entitlement.id],
            _known(entitlement, owners[entitlement.id], allowed[entitlement.request_id]),
        )
        for entitlement in live
    ]


def _known(
    entitlement: Entitlement, owners: Sequence[Owner], allowed: tuple[str, str, str]
) -> dict[str, Any]:
    reference, version, risk = allowed
    return {
        "entitlement": entitlement.id,
        "request": reference,
        "offering": version,
        "risk": risk,
        "holder": f"person:{entitlement.person_id}",
        "connector": entitlement.connector,
        "target": entitlement.target,
        "key": entitlement.key,
        "granted_at": entitlement.granted_at.isoformat(),
        "ends_at": entitlement.ends_at.isoformat() if entitlement.ends_at else None,
        "reviewers": [{"person": f"person:{owner.person.id}", "rule": owner.rule} for owner in owners],
    }


def _without(session: Session, items: Sequence[Known]) -> Sequence[str]:
    return [
        _(
            "Nobody can review “%(label)s”, which %(holder)s has: nobody answers for it, and nobody is above them.",
            label=spoken(entitlement.label),
            holder=session.get_one(Person, entitlement.person_id).name,
        )
        for entitlement, owners, _known_ in items
        if not owners
    ]
