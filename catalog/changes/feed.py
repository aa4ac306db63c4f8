"""Feeds: a person's own secret address of the calendar. Whoever has it sees what the person may see, and no more."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from catalog.changes import tags
from catalog.changes.concerns import Concerns
from catalog.changes.ical import Event, Status, calendar_text
from catalog.changes.model import CalendarFeed, PlannedChange, Restriction
from catalog.changes.queries import CALLED_OFF, ChangeRow, assets_of, changes_between, freezes_between
from catalog.changes.seeing import SeesRequests
from catalog.changes.words import scope_text, window_names
from catalog.offerings.called import names_of
from catalog.requests.promise import FULFILMENT
from catalog.requests.states import State
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Forbidden, NotFound
from portal.core.language import _, speaking
from portal.core.settings import Settings
from portal.identity.actor import Actor
from portal.identity.model import Person, WebSession
from portal.identity.people import language_of
from portal.identity.web_sessions import actor_of

#: 192 bits; security.md asks for 128 or more.
TOKEN_BYTES = 24
LONGEST_TOKEN = 100
PAST, AHEAD = timedelta(days=31), timedelta(days=184)


def make_feed(session: Session, actor: Actor) -> str:
    """A new address for the actor; an earlier one ends. Gives its token, which is nowhere else."""
    if actor.person_id is None:
        raise Forbidden(_("Only people have a calendar."))
    _end_all(session, actor)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(
        CalendarFeed(token_hash=hash_token(token), person_id=actor.person_id, created_at=now(session))
    )
    record(session, tags.FEED_MADE, subject=f"person:{actor.person_id}", actor=actor)
    return token


def revoke_feed(session: Session, actor: Actor) -> None:
    """End the actor's address; programs that know it get nothing from now on. Raises NotFound where there is none."""
    if not _end_all(session, actor):
        raise NotFound(_("You have no calendar address."))
    record(session, tags.FEED_REVOKED, subject=f"person:{actor.person_id}", actor=actor)


def feed_since(session: Session, actor: Actor) -> datetime | None:
    """Since when (UTC) the actor has an address; None for no address."""
    return session.scalar(
        select(CalendarFeed.created_at)
        .where(CalendarFeed.person_id == actor.person_id, CalendarFeed.revoked_at.is_(None))
        .order_by(CalendarFeed.id.desc())
        .limit(1)
    )


def feed_text(session: Session, token: str, *, sees: SeesRequests, settings: Settings) -> str:
    """The calendar of whoever has this token, in their language. Raises NotFound for a token that is none."""
    person = session.scalars(
        select(Person)
        .join(CalendarFeed, CalendarFeed.person_id == Person.id)
        .where(
            CalendarFeed.token_hash == hash_token(token),
            CalendarFeed.revoked_at.is_(None),
            Person.active,
        )
    ).one_or_none()
    # Nobody is signed in: the roles are those of now, and no sign-in stands behind them.
    actor = actor_of(session, person, WebSession(acr="", amr=[])) if person is not None else None
    # An auditor's account sees nothing before and after its days.
    if person is None or actor is None or (actor.audit is not None and not actor.audit.running):
        raise NotFound(_("There is no such calendar. Its address may have been revoked."))
    at = now(session)
    with speaking(language_of(person)):
        rows = changes_between(session, actor, at - PAST, at + AHEAD, sees=sees, called_off=True)
        assets = assets_of(session, [row.change.id for row in rows])
        names = names_of(session, ((row.digest, row.offering) for row in rows))
        host = urlsplit(settings.public_url).hostname or "countersign"
        events = [
            _event(row, names[row.digest], assets.get(row.change.id, ()), host, settings.public_url)
            for row in rows
        ]
        events += [_freeze(one, host) for one in freezes_between(session, actor, at - PAST, at + AHEAD)]
        return calendar_text(_("Changes"), events)


def hash_token(token: str) -> str:
    """What is kept of a token; of one too long to be ours, something that matches nothing."""
    return hashlib.sha256(token.encode()).hexdigest() if len(token) <= LONGEST_TOKEN else ""


def expected_end(change: PlannedChange, begins: datetime) -> datetime:
    """Until when it takes: as it was, else what the worker needs, and by hand as long as its window is open."""
    if change.finished_at is not None:
        return max(change.finished_at, begins)
    until = change.planned_until
    if Concerns.from_json(change.concerns).by_hand and until is not None and until > begins:
        return until
    return begins + FULFILMENT


def _event(row: ChangeRow, offering: str, assets: Sequence[str], host: str, url: str) -> Event:
    """Its title names the service and what it touches, never a person."""
    change = row.change
    begins = change.shown_at or change.updated_at
    what = ", ".join([offering, *assets])
    summary = f"{row.reference} {what}" if row.readable else _("Another change: %(what)s", what=what)
    return Event(
        uid=f"{change.uid}@{host}",
        summary=summary,
        begins=begins,
        ends=expected_end(change, begins),
        changed_at=change.updated_at,
        sequence=change.sequence,
        status=_status(row.state),
        description=_("Change window: %(window)s", window=window_names(change)) if change.windows else "",
        location=", ".join(assets),
        url=f"{url.rstrip('/')}/requests/{row.reference}" if row.readable else "",
    )


def _freeze(restriction: Restriction, host: str) -> Event:
    begins = restriction.begins_at or restriction.set_at
    return Event(
        uid=f"freeze-{restriction.id}@{host}",
        summary=_("Freeze: %(reason)s", reason=restriction.name),
        begins=begins,
        ends=restriction.ends_at or begins,
        changed_at=restriction.set_at,
        sequence=0,
        status="CONFIRMED",
        description=scope_text(restriction, {}),
    )


def _status(state: State) -> Status:
    if state in CALLED_OFF:
        return "CANCELLED"
    return "TENTATIVE" if state is State.PENDING else "CONFIRMED"


def _end_all(session: Session, actor: Actor) -> bool:
    # Locked, so that two forms sent at once leave one address.
    session.execute(select(Person.id).where(Person.id == actor.person_id).with_for_update())
    ended = session.scalars(
        update(CalendarFeed)
        .where(CalendarFeed.person_id == actor.person_id, CalendarFeed.revoked_at.is_(None))
        .values(revoked_at=now(session))
        .returning(CalendarFeed.id)
    ).all()
    return bool(ended)
