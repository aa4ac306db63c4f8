"""Moving a request along: the row locked, the state by the table, the baton handed on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.requests.model import Request
from catalog.requests.states import CLOSED, Move, after
from portal.core.clock import now
from portal.core.errors import NotFound
from portal.core.language import N_, _, say

#: Who holds the baton when nobody in particular does.
THE_PORTAL = "Countersign"
OPERATORS = N_("The operators")


def get_locked(session: Session, request_id: int) -> Request:
    """The request as it is now, locked until this transaction ends. Raises NotFound."""
    statement = select(Request).where(Request.id == request_id).with_for_update()
    request = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if request is None:
        raise NotFound(_("There is no such request."))
    return request


def move(session: Session, request: Request, how: Move) -> None:
    """Bring the request to its next state. Raises Conflict where the table has no such move.

    A request that is closed by it has nobody left who must act.
    """
    request.state = after(request.state, how)
    if request.state in CLOSED:
        request.closed_at = now(session)
        drop_baton(request)


def hand_baton(session: Session, request: Request, holder: str, *, due: datetime | None = None) -> None:
    """Say who must act from now on, and by when (UTC)."""
    request.baton = say(OPERATORS) if holder == OPERATORS else holder
    request.baton_since = now(session)
    request.baton_due = due


def drop_baton(request: Request) -> None:
    """Nobody must act any more."""
    request.baton = ""
    request.baton_since = None
    request.baton_due = None


def subject_of(request: Request) -> str:
    """How the ledger names the request."""
    return f"request:{request.reference}"


def task_subject(request: Request) -> str:
    """How tasks name the request: two tasks of one request never run at the same time."""
    return f"request:{request.id}"
