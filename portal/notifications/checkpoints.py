"""Checkpoints by mail to auditors, and the alarm when a holder says that the ledger is another one."""

from __future__ import annotations

import uuid

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.audit.holders.events import CheckpointMailDue, HolderContradicted
from portal.audit.holders.hand_over import confirm
from portal.audit.rounds.events import LedgerFoundOdd
from portal.core.clock import now
from portal.core.language import SOURCE, speaking
from portal.identity.model import Person
from portal.identity.people import language_of, people_in_roles
from portal.jobs import enqueue
from portal.notifications.model import Message
from portal.notifications.rendering import render
from portal.notifications.write import ID_DOMAIN, SEND_MAIL, link_to, notify

MAILED = "checkpoint_mailed"
CONTRADICTED = "checkpoint_contradicted"
ODD = "ledger_odd"
#: Where operators and compliance see who holds what.
PATH = "/ledger/holders"
LEDGER = "/ledger"
#: An address need not be anybody's who signs in here.
_ZONE = "UTC"
_WHO_HEARS = ("operator", "compliance")


def on_checkpoint_mail_due(session: Session, event: CheckpointMailDue) -> None:
    """Write the mail with the checkpoint as a file, in the language of the person whose address it is, if there is one."""
    person = session.scalars(
        select(Person)
        .where(func.lower(Person.email) == event.address.lower(), Person.active)
        .order_by(Person.id)
        .limit(1)
    ).first()
    context = {
        "recipient": person.name if person else event.address,
        "urgent": False,
        "origin": event.note.partition("\n")[0],
        "size": event.size,
        "root": event.root,
        "link": link_to(LEDGER),
        "file": f"checkpoint-{event.size:012d}.note",
    }
    with speaking(language_of(person) if person else SOURCE):
        rendered = render(MAILED, context, person.timezone if person else _ZONE)
    message = Message(
        message_id=f"<{uuid.uuid4().hex}@{ID_DOMAIN}>",
        event=MAILED,
        person_id=None,
        address=event.address,
        subject_line=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        created_at=now(session),
        sent_at=None,
        reference=str(event.size),
        path="",
        held_until=None,
        file_name=str(context["file"]),
        file_text=event.note,
        holder=event.holder,
    )
    session.add(message)
    session.flush()
    enqueue(
        session, SEND_MAIL, {"message": message.id, "urgent": False}, dedupe_key=f"{SEND_MAIL}:{message.id}"
    )


def on_sent(session: Session, message: Message) -> None:
    """The mail server took the mail: its reader holds the checkpoint that was in it."""
    if message.holder:
        confirm(session, message.holder, int(message.reference))


def on_contradicted(session: Session, event: HolderContradicted) -> None:
    """Mail every operator and everybody in compliance at once: somebody wrote one of the two anew."""
    for person in people_in_roles(session, *_WHO_HEARS):
        notify(
            session,
            CONTRADICTED,
            person,
            {"holder": event.name, "why": event.why, "path": PATH},
            urgent=True,
        )


def on_found_odd(session: Session, event: LedgerFoundOdd) -> None:
    """Mail every operator and everybody in compliance at once: what is kept is not what was written."""
    for person in people_in_roles(session, *_WHO_HEARS):
        notify(
            session,
            ODD,
            person,
            {"why": event.why, "findings": event.findings, "path": LEDGER},
            urgent=True,
        )
