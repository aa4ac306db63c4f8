"""Telling a person that a token was made in their name, by themselves, an administrator or somebody who poses as them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.core.clock import now
from portal.identity.events import ApiTokenCreated
from portal.identity.model import Person
from portal.notifications.write import notify

#: Where they see all of them.
PATH = "/me/tokens"


def on_token_created(session: Session, event: ApiTokenCreated) -> None:
    """Whoever has the token's text reads in this person's place, so they hear of it at once."""
    person = session.get_one(Person, event.person_id)
    context = {
        "name": event.name,
        "maker": event.actor.name,
        "at": now(session),
        "until": event.expires_at,
        "path": PATH,
    }
    notify(session, "token_made", person, context, urgent=True)
