"""One mail a day, for whoever prefers it: what was written since the last one, at eight on their working days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.identity.model import Person
from portal.jobs import Job, enqueue
from portal.notifications.model import Message
from portal.notifications.rendering import Link
from portal.notifications.write import SEND_MAIL, link_to, notify

SEND_DIGESTS = "send_digests"
PREFERENCES = "/me/mail"
#: How many people one round writes to; who is left comes with the next one.
AT_ONCE = 200
#: These ask the reader to decide; a later one of the same request says that nothing is left to.
_ASKING = ("approval_requested", "approval_reminder", "approval_nudged")
_ENDED = "approval_ended"


def send_digests(job: Job) -> None:
    """The task that writes the mail of the day to everybody for whom it is due. Each message goes into one of them."""
    with job.reading() as session:
        people = session.scalars(
            select(Message.person_id)
            .where(Message.held_until <= now(session), Message.person_id.is_not(None))
            .distinct()
            .limit(AT_ONCE)
        ).all()
    for person_id in people:
        if person_id is not None:
            with job.transaction() as session:
                write_digest(session, person_id)


def write_digest(session: Session, person_id: int) -> None:
    """Put everything that waits for this person into one mail; a single message is sent as it is."""
    person = session.scalars(select(Person).where(Person.id == person_id).with_for_update()).one()
    held = session.scalars(
        select(Message)
        .where(Message.person_id == person_id, Message.held_until.is_not(None))
        .order_by(Message.id)
        .execution_options(populate_existing=True)
    ).all()
    at = now(session)
    if not any(message.held_until is not None and message.held_until <= at for message in held):
        return
    for message in held:
        message.held_until = None
    if not person.active:
        return
    if len(held) == 1:
        send_now(session, held[0])
        return
    items = [_without_what_ended(group) for group in _by_request(held)]
    notify(
        session,
        "daily_digest",
        person,
        {
            "asking": [_line(group) for group in items if _asks(group)],
            "others": [_line(group) for group in items if not _asks(group)],
            "count": len(items),
            "path": PREFERENCES,
        },
    )
    for message in held:
        # Not by itself, but as a line of the mail that was just written.
        message.sent_at = at


def send_now(session: Session, message: Message) -> None:
    """Have a message sent that had waited."""
    message.held_until = None
    enqueue(
        session, SEND_MAIL, {"message": message.id, "urgent": False}, dedupe_key=f"{SEND_MAIL}:{message.id}"
    )


def _by_request(messages: Sequence[Message]) -> Iterable[Sequence[Message]]:
    """Messages of one request together, in the order of each one's first; such as are of none each alone."""
    by_request: dict[str, list[Message]] = {}
    for message in messages:
        by_request.setdefault(message.reference or message.message_id, []).append(message)
    return by_request.values()


def _without_what_ended(group: Sequence[Message]) -> Sequence[Message]:
    """Without what asked for a decision before nothing was left to decide."""
    ended = max((message.id for message in group if message.event == _ENDED), default=0)
    return [message for message in group if message.event not in _ASKING or message.id > ended]


def _asks(group: Sequence[Message]) -> bool:
    return any(message.event in _ASKING for message in group)


def _line(group: Sequence[Message]) -> tuple[Link, str]:
    """Where the last of them leads, and what all of them said in their subjects."""
    subjects = dict.fromkeys(message.subject_line for message in group)
    return link_to(group[-1].path or PREFERENCES), "\n".join(subjects)
