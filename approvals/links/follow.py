"""Following a link: where it leads this person. It never decides anything and uses nothing up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from approvals import tags
from approvals.decisions.right import may_decide
from approvals.links.create import hash_token
from approvals.links.model import ApprovalLink
from approvals.routing.eligible import eligible_now
from approvals.routing.model import Stage, StageState
from approvals.routing.progress import was_asked
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from portal.audit import record
from portal.audit.model import Entry
from portal.audit.record import name_of
from portal.core.clock import now
from portal.core.errors import Forbidden, NotFound
from portal.core.language import N_, _
from portal.identity.actor import Actor

#: One entry an hour says that somebody keeps trying; more would let them fill the ledger.
QUIET = timedelta(hours=1)

_BY_TOKEN = (
    select(ApprovalLink.expires_at, Stage, Request)
    .join(Stage, Stage.id == ApprovalLink.stage_id)
    .join(Request, Request.id == Stage.request_id)
    .where(ApprovalLink.token_hash == bindparam("token_hash"))
    .options(joinedload(Request.version))
)


class NotYourLink(Forbidden):
    """The link was sent to somebody else. `request_id` and `stage` are for the ledger, not for the page."""

    title = N_("This link is not for you")

    def __init__(self, request_id: int, stage: str) -> None:
        super().__init__(
            _(
                "This link was sent to somebody else, and you are not one of those who decide. Nothing was changed. "
                "If you were asked to decide something, you find it under Approvals."
            )
        )
        self.request_id = request_id
        self.stage = stage


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a link leads. `ended` links show the outcome and nothing else; `still_open` says that it is undecided."""

    reference: str
    title: str
    offering: str
    state: str
    outcome: str
    ended: bool
    still_open: bool


def follow_link(session: Session, actor: Actor, token: str) -> Destination:
    """Where the link leads the actor. Reads only.

    Raises NotFound for an identifier that was never given out, NotYourLink for whoever does not decide.
    """
    found = session.execute(_BY_TOKEN, {"token_hash": hash_token(token)}).one_or_none()
    if found is None:
        raise NotFound(_("This link leads nowhere. What waits for your decision is listed under Approvals."))
    expires_at, stage, request = found
    still_open = stage.state is StageState.OPEN and stage.revision == request.revision
    ended = not still_open or expires_at <= now(session)
    if ended:
        allowed = was_asked(session, request.id, actor.person_id or 0)
    else:
        allowed = may_decide(actor.person_id, request, eligible_now(session, request, [stage]))
    if not allowed:
        raise NotYourLink(request.id, stage.slug)
    return Destination(
        reference=request.reference,
        title=request.title,
        offering=document_of(request.version).spoken().name,
        state=request.state.value,
        outcome=request.outcome,
        ended=ended,
        still_open=still_open,
    )


def record_refusal(session: Session, actor: Actor, refused: NotYourLink) -> None:
    """Note in the ledger that somebody followed a link that was not theirs, at most once an hour for each of both."""
    request = session.get_one(Request, refused.request_id)
    subject = subject_of(request)
    latest = session.scalar(
        select(Entry.at)
        .where(Entry.actor == name_of(actor), Entry.tag == tags.LINK_REFUSED, Entry.subject == subject)
        .order_by(Entry.number.desc())
        .limit(1)
    )
    if latest is None or latest <= now(session) - QUIET:
        record(session, tags.LINK_REFUSED, subject=subject, actor=actor, facts={"stage": refused.stage})
