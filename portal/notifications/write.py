"""Writing a message: in the transaction of what it tells of, so that the two stand or fall together."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.core.language import speaking
from portal.identity.model import Person
from portal.identity.people import language_of
from portal.jobs import enqueue
from portal.notifications.model import Message
from portal.notifications.rendering import PORTAL, Link, render

#: The part of a Message-ID after the @: nobody's domain, since the same mail may be sent by any server.
ID_DOMAIN = "countersign.invalid"
SEND_MAIL = "send_mail"


def notify(
    session: Session, event: str, recipient: Person, context: Mapping[str, Any], *, urgent: bool = False
) -> Message | None:
    """Write the event's mail to a person now; a task sends it once this transaction is durable.

    templates/notifications/README.md says what each event's context must hold. `path` in it is the address of
    a page of the portal and becomes `link`. Times are shown in the recipient's zone. Nobody who has left gets
    mail: then None is returned. Raises jinja2.UndefinedError when the context lacks a variable.
    """
    if not recipient.active:
        return None
    variables = {**context, "recipient": recipient.name, "urgent": urgent}
    if "path" in context:
        variables["link"] = _link(context["path"])
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
    )
    session.add(message)
    session.flush()
    enqueue(
        session, SEND_MAIL, {"message": message.id, "urgent": urgent}, dedupe_key=f"{SEND_MAIL}:{message.id}"
    )
    return message


def _link(path: str) -> Link:
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError(f"A link in a mail leads into the portal: {path!r} must begin with one slash")
    return Link(PORTAL + path)
