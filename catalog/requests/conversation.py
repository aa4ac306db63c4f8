"""What is said about a request, as its page shows it. The approvals package stands above and fills this in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from sqlalchemy.orm import Session

from catalog.requests.model import Request
from portal.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class RemarkCard:
    """One thing that was said. Times are in the reader's zone; texts are people's own words."""

    id: int
    #: comment, question or proposal
    kind: str
    #: standing, open, answered, accepted, declined or moot
    state: str
    author: str
    text: str
    said_at: datetime
    reply: str
    replied_at: datetime | None
    #: What a proposal would change: question, answer before, answer after.
    changes: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """All that was said, the first first; the requester alone may answer what is open."""

    remarks: tuple[RemarkCard, ...] = ()
    may_answer: bool = False

    @property
    def open(self) -> tuple[RemarkCard, ...]:
        """What waits for the requester."""
        return tuple(remark for remark in self.remarks if remark.state == "open")

    @property
    def said(self) -> tuple[RemarkCard, ...]:
        """Everything that waits for nobody."""
        return tuple(remark for remark in self.remarks if remark.state != "open")


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed into one of the conversation's forms and could not be taken, and why."""

    form: str = ""
    remark: int = 0
    text: str = ""
    error: str = ""


@runtime_checkable
class Conversations(Protocol):
    """Reads what is said about requests."""

    def of(self, session: Session, actor: Actor, request: Request) -> Conversation:
        """What was said about the request, for this reader who may see it. One statement."""
        ...
