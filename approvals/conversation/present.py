"""What was said, as pages show it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from approvals.conversation.difference import difference_of
from approvals.conversation.model import Remark
from catalog.offerings.queries import document_of
from catalog.requests.conversation import Conversation, RemarkCard
from catalog.requests.model import Request
from portal.identity.actor import Actor
from portal.identity.model import Person

#: A request about which more was said is shown its latest; the ledger has them all.
MOST = 200


class Conversations:
    """Implements catalog.requests.conversation.Conversations over the table of remarks."""

    def of(self, session: Session, actor: Actor, request: Request) -> Conversation:
        """What was said about the request, the first first. One statement."""
        rows = session.execute(
            select(Remark, Person.name)
            .join(Person, Person.id == Remark.author_id)
            .where(Remark.request_id == request.id)
            .order_by(Remark.id.desc())
            .limit(MOST)
        ).all()
        zone = ZoneInfo(actor.timezone)
        document = document_of(request.version)
        return Conversation(
            tuple(
                RemarkCard(
                    id=remark.id,
                    kind=remark.kind.value,
                    state=remark.state.value,
                    author=name,
                    text=remark.text,
                    said_at=remark.said_at.astimezone(zone),
                    reply=remark.reply,
                    replied_at=remark.replied_at.astimezone(zone) if remark.replied_at else None,
                    changes=tuple(
                        (line.label, line.before, line.after)
                        for line in difference_of(document, remark.changes)
                    ),
                )
                for remark, name in reversed(rows)
            ),
            may_answer=actor.person_id == request.requester_id,
        )
