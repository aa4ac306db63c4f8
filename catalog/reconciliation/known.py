"""What a request about a finding speaks of: the thing, and who is to hold it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.reconciliation.model import Finding
from portal.core.language import say
from portal.identity.model import Person


def find_thing(session: Session, connector: str, key: str) -> Finding:
    """The last finding of this thing, open or not: a plan is made again after it was done.

    Raises a permanent ConnectorError where there never was one.
    """
    statement = select(Finding).where(Finding.connector == connector, Finding.key == key)
    thing = session.scalars(statement.order_by(Finding.id.desc()).limit(1)).one_or_none()
    if thing is None:
        message = say("Reconciliation has found nothing with the key “%(key)s”.", key=key[:100])
        raise ConnectorError(message, permanent=True)
    return thing


def find_holder(session: Session, user_name: str) -> Person:
    """Who is to hold it. Raises a permanent ConnectorError for nobody active."""
    person = session.scalars(select(Person).where(Person.user_name == user_name, Person.active)).one_or_none()
    if person is None:
        message = say("Nobody active is called “%(name)s” in this portal.", name=user_name[:100])
        raise ConnectorError(message, permanent=True)
    return person
