"""Writing a message: in the transaction of what it tells of, so that the two stand or fall together."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.language import speaking
from portal.identity.model import Person
from portal.identity.people import language_of
from portal.jobs import enqueue
from portal.notifications.model import Message
from portal.notifications.mornings import next_digest
from portal.notifications.rendering import PORTAL, Link, render

#: The part of a Message-ID after the @: nobody's domain, since the same mail may be sent by any server.
ID_DOMAIN = "countersign.invalid"
SEND_MAIL = "send_mail"
#: These never wait for a mail of the day.
AT_ONCE = frozenset({"daily_digest", "operator_attention", "delegation_given", "delegation_ended"})


def notify(
    session: Session, event: str, recipient: Person, context: Mapping[str, Any], *, urgent: bool = False
) -> Message | None:
    """Write the event's mail to a person now; a task sends it once this transaction is durable.

    templates/notifications/README.md says what each event's context must hold. `path` in it is the address of
    a page of the portal and becomes `link`. Everything is said in the recipient's language: texts that are kept in
    every language may stand anywhere in the context. Times are shown in the recipient's zone. Whoever prefers one
    mail a day gets it then, unless it is urgent or due before that. Nobody who has left gets mail: then None is
    returned. Raises jinja2.UndefinedError when the context lacks a variable.
    """
    if not recipient.active:
        return None
    variables = {**context, "recipient": recipient.name, "urgent": urgent}
    if "path" in context:
        variables["link"] = link_to(context["path"])
    with speaking(language_of(recipient)):
        rendered = render(event, variables, recipient.timezone)
    message = Message(
        message_id=f"<{uuid.uuid4().hex}@{ID_DOMAIN}>",
        event=event,
        person_id=recipient.id,
        address=recipient.email,
        subject_line=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        created_at=now(session),
        sent_at=None,
        reference=str(context.get("reference", "")),
        path=str(context.get("path", "")),
        held_until=None if urgent or event in AT_ONCE else _held_until(session, recipient, context),
    )
    session.add(message)
    session.flush()
    if message.held_until is None:
        enqueue(
            session,
            SEND_MAIL,
            {"message": message.id, "urgent": urgent},
            dedupe_key=f"{SEND_MAIL}:{message.id}",
        )
    return message


def link_to(path: str) -> Link:
    """The address of a page in a mail. Raises ValueError for one that leads out of the portal."""
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError(f"A link in a mail leads into the portal: {path!r} must begin with one slash")
    return Link(PORTAL + path)


def _held_until(session: Session, recipient: Person, context: Mapping[str, Any]) -> datetime | None:
    """When the mail of the day takes it along; None for what is to be sent at once."""
    if not recipient.daily_mail:
        return None
    due, at = context.get("due_at"), now(session)
    morning = next_digest(session, recipient, at)
    if morning is None or (isinstance(due, datetime) and due <= morning):
        return None
    return morning
