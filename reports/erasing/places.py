"""Where personal data lies: one list of every place, what of it goes when a person is erased, and what stays and why.

A place is a table and a condition on a person's number. Its rows are removed, or the columns named are overwritten. A test
holds the list against all tables that point at people, so that no new one is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from approvals.conversation.model import Remark
from approvals.decisions.model import CardOpening, Decision, Reassignment
from approvals.emergency.model import Glass, ReviewWord
from approvals.links.model import ApprovalLink
from catalog.access_reviews.model import ReviewItem
from catalog.attachments.model import Attachment
from catalog.changes.model import CalendarFeed, ToldPerson
from catalog.entitlements.recertifying.model import Voice
from catalog.fulfilment.connectors.manual.model import ManualState, ManualTask
from catalog.fulfilment.model import ByHand, ByHandState
from catalog.ordering.model import BulkOrder, Favourite
from catalog.requests.model import Draft, Request
from portal.core.database import Base
from portal.identity.model import Absence, Membership, WebSession
from portal.identity.passkeys.model import Passkey
from portal.identity.tokens.model import ApiToken
from portal.notifications.model import Message

Condition = Callable[[int], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Place:
    """Rows of one table that go with a person: removed, or with these columns overwritten."""

    model: type[Base]
    what: str
    rows: Condition
    #: Empty: the rows are removed.
    columns: Mapping[str, Any] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The table's name."""
        return str(self.model.__tablename__)


def _texts(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, "")


#: In the order in which they go.
PLACES: tuple[Place, ...] = (
    Place(WebSession, "sessions of browsers", lambda n: WebSession.person_id == n),
    Place(Absence, "absences", lambda n: Absence.person_id == n),
    Place(Membership, "memberships in groups", lambda n: Membership.person_id == n),
    Place(Message, "mails to them", lambda n: Message.person_id == n),
    Place(Draft, "drafts", lambda n: Draft.person_id == n),
    Place(BulkOrder, "files of orders that they uploaded", lambda n: BulkOrder.person_id == n),
    Place(Favourite, "favourites", lambda n: Favourite.person_id == n),
    Place(CalendarFeed, "calendar feeds", lambda n: CalendarFeed.person_id == n),
    Place(ToldPerson, "notes that they were told of a change", lambda n: ToldPerson.person_id == n),
    Place(ApprovalLink, "links to approvals", lambda n: ApprovalLink.person_id == n),
    Place(CardOpening, "openings of approvals", lambda n: CardOpening.person_id == n),
    Place(
        Attachment,
        "files uploaded and never sent",
        lambda n: and_(Attachment.uploader_id == n, Attachment.request_id.is_(None)),
    ),
    Place(
        Passkey,
        "names of passkeys",
        lambda n: Passkey.person_id == n,
        # The public key stays: what it signed stays provable, and it names nobody.
        {"name": "", "transports": []},
    ),
    Place(ApiToken, "names of tokens", lambda n: ApiToken.person_id == n, _texts("name", "hint")),
    Place(
        Request,
        "reasons of requests that they made",
        lambda n: and_(Request.requester_id == n, Request.reason != ""),
        _texts("reason"),
    ),
    Place(
        Decision,
        "comments on decisions",
        lambda n: and_(Decision.person_id == n, Decision.comment != ""),
        _texts("comment"),
    ),
    Place(Remark, "questions and comments", lambda n: Remark.author_id == n, _texts("text")),
    Place(
        Remark,
        "answers to questions",
        lambda n: and_(
            Remark.request_id.in_(select(Request.id).where(Request.requester_id == n)), Remark.reply != ""
        ),
        _texts("reply"),
    ),
    Place(
        Reassignment,
        "reasons of handing stages on",
        lambda n: Reassignment.from_id == n,
        _texts("reason"),
    ),
    Place(Glass, "reasons of breaking the glass", lambda n: Glass.person_id == n, _texts("reason")),
    Place(ReviewWord, "reasons in reviews", lambda n: ReviewWord.person_id == n, _texts("reason")),
    Place(
        ByHand,
        "descriptions of work by hand",
        lambda n: and_(ByHand.claimed_by_id == n, ByHand.state != ByHandState.CLAIMED),
        _texts("proof"),
    ),
    Place(
        ByHand,
        "reasons of declining work by hand",
        lambda n: and_(ByHand.closed_by_id == n, ByHand.words != ""),
        _texts("words"),
    ),
    Place(
        ManualTask,
        "notes on manual work",
        lambda n: and_(ManualTask.closed_by_id == n, ManualTask.state != ManualState.OPEN),
        _texts("note", "reason"),
    ),
    Place(
        ReviewItem,
        "reasons in access reviews",
        lambda n: and_(ReviewItem.answered_by_id == n, ReviewItem.said != ""),
        _texts("said"),
    ),
    Place(
        Voice,
        "reasons in recertifications",
        lambda n: and_(Voice.person_id == n, Voice.said != ""),
        _texts("said"),
    ),
)


#: Tables that point at people, or hold what people typed, and that erasing a person leaves as they are, with the reason.
_NUMBER = "names people by number alone, and the number's name is gone"
_RECORD = "part of the record of requests; goes when their retention is over"
_ORGANISATION = "what the organisation decided, under its own name"
STAYS: Mapping[str, str] = {
    "unit": _ORGANISATION,
    "group": _ORGANISATION,
    "asset": _NUMBER,
    "rota_shift": _NUMBER,
    "order_group": _NUMBER,
    "offering_version": "a published text; its digest is what was published",
    "offering_draft": _ORGANISATION,
    "offering_replay": _NUMBER,
    "change_restriction": _ORGANISATION,
    "delegation": _NUMBER,
    "stage_approver": _NUMBER,
    "reviewer": _NUMBER,
    "entitlement": _RECORD,
    "manual_item": _RECORD,
    "sealing": "what approvers agreed to, under its digest; goes when the request's retention is over",
    "step": _RECORD,
    "artefact": _RECORD,
    "http_call": _RECORD,
    "finding": "what reconciliation found on the targets",
    "finding_acceptance": "under the digest that a second person confirmed",
    "standing_approval": "under the digest that its signers signed",
    "standing_signature": _NUMBER,
    "access_review": _ORGANISATION,
    "access_review_item_reviewer": _NUMBER,
    "access_review_reviewer": _NUMBER,
    "auditor_mandate": "by whose word an auditor could look, and until when",
    "audit": _NUMBER,
    "audit_draw": _NUMBER,
    "legal_hold": "why something is kept, for as long as it is",
}
