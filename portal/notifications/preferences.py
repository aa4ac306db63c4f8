"""How a person wants their mail."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Forbidden
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.model import Person
from portal.identity.people import choose_language, language_of
from portal.notifications.model import Message

MAIL_CHOSEN = "person:mail-chosen"


def prefer(session: Session, actor: Actor, *, language: str, daily: bool) -> None:
    """Keep the language, and whether one mail a day is preferred. What waited for that mail follows at once if not.

    Raises ValueError for a language that is not ours.
    """
    if actor.person_id is None:
        raise Forbidden(_("Only people get mail."))
    person = session.scalars(select(Person).where(Person.id == actor.person_id).with_for_update()).one()
    before = language_of(person), person.daily_mail
    choose_language(session, actor, language)
    person.daily_mail = daily
    if not daily:
        session.execute(
            update(Message)
            .where(Message.person_id == person.id, Message.held_until.is_not(None))
            .values(held_until=now(session))
        )
    if before != (language, daily):
        record(
            session,
            MAIL_CHOSEN,
            subject=f"person:{person.id}",
            actor=actor,
            facts={"language": language, "daily": daily},
        )
