"""A campaign over words on shelves: two of them belong to a group, Olga's and Otto's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from catalog.access_reviews.answering import Given, Say, answer
from catalog.access_reviews.ending import on_ended
from catalog.access_reviews.jobs import RUN, handlers
from catalog.access_reviews.model import AccessReview, AtEnd, ReviewItem
from catalog.access_reviews.opening import Preview, open_review, preview
from catalog.access_reviews.proposing import Proposal
from catalog.access_reviews.scope import Scope
from catalog.requests.events import EntitlementEnded
from portal.audit.model import Entry
from portal.jobs import enqueue
from tests.fixtures_requests import OFFERING, Shelves, add_offering

_OWNED_WORDS = ("hello", "again")
#: These words belong to the owners of the customer system; those of the other offering belong to nobody.
OWNED = {
    **OFFERING,
    "resources": {"word": [{"name": "Words", "values": list(_OWNED_WORDS), "owner": "crm-owners"}]},
}


@dataclass
class Campaigns:
    """Campaigns in the small world of requests, and what their people do."""

    shelves: Shelves
    cast: Any
    actor_of: Callable[..., Any]
    clock: Any
    owned: int
    loose: int

    def granted(self, word: str = "hello", *, to: int | None = None, **answers: Any) -> int:
        """A word that stands because somebody asked; gives its entitlement's number."""
        self.shelves.version_id = self.owned if word in _OWNED_WORDS else self.loose
        request_id = self.shelves.fulfilled(self.actor_of(to or self.cast.requester), word=word, **answers)
        return self.shelves.entitlements(request_id)[0].id

    def proposal(self, **other: Any) -> Proposal:
        """A campaign of two weeks over everything, unless said otherwise."""
        values: dict[str, Any] = {
            "name": "Words, autumn",
            "reason": "Who may write what is looked at once a year.",
            "scope": Scope(),
            "last_day": (self.clock() + timedelta(days=14)).date(),
            "at_end": AtEnd.REVOKE,
            "more_days": 3,
            **other,
        }
        return Proposal(**values)

    def preview(self, proposal: Proposal | None = None) -> Preview:
        """What compliance sees before opening it."""
        with self.shelves.db.reading() as session:
            return preview(session, self.actor_of(self.cast.compliance), proposal or self.proposal())

    def opened(self, **other: Any) -> int:
        """A campaign that compliance has looked over and opened; gives its number."""
        proposal = self.proposal(**other)
        seen = self.preview(proposal).digest
        with self.shelves.db.transaction() as session:
            actor = self.actor_of(self.cast.compliance)
            return open_review(session, actor, proposal, seen=seen).id

    def says(
        self, who: int, item: ReviewItem, say: Say, said: str = "They read it daily.", **other: Any
    ) -> None:
        """An answer by somebody who looked at the item as it is given here."""
        turn = other.pop("turn", item.turn)
        actor = other.pop("actor", None) or self.actor_of(who)
        with self.shelves.db.transaction() as session:
            given = Given(say, said, **other)
            answer(session, actor, item.id, given, turn=turn, settings=self.shelves.settings)

    def items(self, review_id: int) -> list[ReviewItem]:
        """Its items as they are now."""
        with self.shelves.db.reading() as session:
            statement = select(ReviewItem).where(ReviewItem.review_id == review_id).order_by(ReviewItem.id)
            return list(session.scalars(statement))

    def review(self, review_id: int) -> AccessReview:
        """The campaign as it is now."""
        with self.shelves.db.reading() as session:
            return session.get_one(AccessReview, review_id)

    def tags(self, review_id: int) -> list[str]:
        """What the ledger says of it, in order."""
        with self.shelves.db.reading() as session:
            statement = select(Entry.tag).where(Entry.subject == f"access-review:{review_id}")
            return list(session.scalars(statement.order_by(Entry.number)))

    def look_round(self) -> None:
        """One round, and whatever it has workers do."""
        with self.shelves.db.transaction() as session:
            enqueue(session, RUN, {})
        self.shelves.work(**handlers(self.shelves.connectors))

    def mails(self, event: str) -> list[int | None]:
        """To whom mails of this event were written, in order."""
        return [person for name, person in self.shelves.mails() if name == event]


@pytest.fixture
def campaigns(shelves: Shelves, cast: Any, actor_of: Any, clock: Any) -> Campaigns:
    """What is live is asked about; what ends tells its campaigns."""
    with shelves.db.transaction() as session:
        owned, loose = (
            add_offering(session, OWNED),
            add_offering(session, {**OFFERING, "slug": "loose-words"}),
        )
    shelves.db.handlers = {**shelves.db.handlers, EntitlementEnded: [on_ended]}
    shelves.db.info["handlers"] = shelves.db.handlers
    return Campaigns(shelves, cast, actor_of, clock, owned, loose)
