"""The published policy as approver: what is approved in advance is approved by a text that somebody published."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.requests.model import Request
from portal.core import times
from portal.core.language import _
from portal.identity.model import Person


def policy_that_approved(session: Session, request: Request, *, timezone: str) -> str:
    """Which policy approved the request; empty where people decide or nothing has. One statement where one did."""
    if request.route or not request.seal or request.decided_at is None:
        return ""
    return _(
        "Approved in advance by the published policy %(policy)s.",
        policy=policy_of(session, request.version, timezone=timezone),
    )


def policy_of(session: Session, version: OfferingVersion, *, timezone: str) -> str:
    """The offering's version with who published it and when, to go into a sentence. One statement."""
    publisher = session.get(Person, version.publisher_id) if version.publisher_id else None
    published = times.day(version.published_at.astimezone(ZoneInfo(timezone)).date())
    name = document_of(version).spoken().name
    if publisher is None:
        return _("“%(name)s”, version %(number)s of %(day)s", name=name, number=version.number, day=published)
    return _(
        "“%(name)s”, version %(number)s, which %(publisher)s published on %(day)s",
        name=name,
        number=version.number,
        publisher=publisher.name,
        day=published,
    )
