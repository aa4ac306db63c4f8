"""Cards that were opened: what a decision on many requests at once may rest on."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from approvals.decisions.model import CardOpening
from portal.core.clock import now
from portal.core.database import is_sqlite
from portal.identity.actor import Actor


def remember_opening(session: Session, actor: Actor, request_id: int, seal: str) -> None:
    """Note that the actor was shown the request's card under this seal; two windows at once are no error."""
    dialect: Any = sqlite if is_sqlite(session) else postgresql
    values = {"seal": seal, "opened_at": now(session)}
    statement = dialect.insert(CardOpening).values(person_id=actor.person_id, request_id=request_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["person_id", "request_id"], set_=values))


def has_opened(session: Session, actor: Actor, request_id: int, seal: str) -> bool:
    """Whether the last card of this request that the actor was shown had this seal."""
    opened = session.get(CardOpening, (actor.person_id or 0, request_id))
    return opened is not None and bool(seal) and opened.seal == seal
