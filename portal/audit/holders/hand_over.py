"""Handing over: to each holder by itself, outside any transaction, and what came of it written down after.

Nothing waits for a holder. One that does not answer is tried again, later and later up to a quarter of an hour, for as
long as it takes; then it gets the newest checkpoint, whose proof covers all that it missed.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.audit import record
from portal.audit.holders import tags
from portal.audit.holders.configured import Holders
from portal.audit.holders.contract import Handover, Held, Holder, HolderContradicts, HolderFailed
from portal.audit.holders.events import HolderContradicted
from portal.audit.holders.mail import KIND as MAIL
from portal.audit.holders.model import Cosignature, HolderState
from portal.audit.model import Checkpoint
from portal.audit.notes import read_head
from portal.core.clock import now
from portal.core.database import Database
from portal.core.events import publish
from portal.core.language import say
from portal.identity.actor import PORTAL

log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=15)


def due_holders(session: Session, holders: Holders) -> list[str]:
    """Keys of those that lack the last checkpoint and may be tried now; two statements."""
    last = session.scalar(select(func.max(Checkpoint.size))) or 0
    at = now(session)
    states = {state.key: state for state in session.scalars(select(HolderState))}
    due = []
    for holder in holders:
        state = states.get(holder.key)
        if last and (
            state is None or (state.given < last and (state.next_at is None or state.next_at <= at))
        ):
            due.append(holder.key)
    return due


def hand_to(db: Database, holder: Holder) -> bool:
    """Give the holder the last checkpoint and write down how it went; says whether it went well.

    For one holder this must not run twice at once; a task's subject sees to it.
    """
    with db.reading() as session:
        last = session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
        state = session.get(HolderState, holder.key)
    if last is None:
        return True
    handover = Handover(
        db=db,
        head=read_head(last.note),
        note=last.note,
        known=state.size if state else 0,
        position=state.position if state else "",
    )
    try:
        held = holder.hand(handover)
    except HolderFailed as failed:
        _write_failure(db, holder, handover, failed)
        return False
    except Exception as error:
        log.exception("Handing a checkpoint to %s failed", holder.key)
        unknown = HolderFailed(say("Something unforeseen happened: %(why)s", why=type(error).__name__))
        _write_failure(db, holder, handover, unknown)
        return False
    _write_held(db, holder, held)
    return True


def confirm(session: Session, key: str, size: int) -> None:
    """The holder has what was on its way."""
    state = _locked(session, key)
    if size > state.size:
        state.size, state.held_at = size, now(session)


def hand_out_now(session: Session) -> None:
    """Let every holder be due at once, whatever pause it has."""
    session.execute(update(HolderState).values(next_at=None))


def mail_out_now(session: Session) -> None:
    """Let the next checkpoint be mailed without waiting for the day to pass: after an audit report, say."""
    session.execute(update(HolderState).where(HolderState.key.startswith(f"{MAIL}-")).values(next_at=None))


def _write_held(db: Database, holder: Holder, held: Held) -> None:
    with db.transaction() as session:
        state, at = _locked(session, holder.key), now(session)
        state.given = max(state.given, held.size)
        state.position = held.position or state.position
        state.tries, state.error, state.tried_at = 0, None, at
        state.next_at = at + holder.every if holder.every else None
        if not held.on_its_way:
            state.size, state.held_at = max(state.size, held.size), at
        if state.contradicts_since is not None:
            state.contradicts_since = None
            record(session, tags.ACCEPTED, subject=_subject(holder), actor=PORTAL, facts={"size": held.size})
        for found in held.cosignatures:
            name, key_id = found.witness.name, found.witness.key_id.hex()
            if session.get(Cosignature, (held.size, name, key_id)) is None:
                session.add(
                    Cosignature(
                        size=held.size,
                        witness=name,
                        key_id=key_id,
                        line=found.line,
                        seen_at=found.at,
                        received_at=at,
                    )
                )
        if held.event is not None:
            publish(session, held.event)


def _write_failure(db: Database, holder: Holder, handover: Handover, failed: HolderFailed) -> None:
    log.warning("%s did not take the checkpoint of %s: %s", holder.key, handover.head.size, failed)
    with db.transaction() as session:
        state, at = _locked(session, holder.key), now(session)
        state.tries += 1
        state.error, state.tried_at = failed.message, at
        state.next_at = at + min(FIRST_PAUSE * 2 ** min(state.tries - 1, 10), LONGEST_PAUSE)
        if isinstance(failed, HolderContradicts) and state.contradicts_since is None:
            # Told once, however often it says so.
            state.contradicts_since = at
            record(
                session,
                tags.CONTRADICTED,
                subject=_subject(holder),
                actor=PORTAL,
                facts={"size": handover.head.size, "root": handover.head.root.hex(), "why": str(failed)},
            )
            publish(session, HolderContradicted(holder.key, holder.name, failed.message))


def _locked(session: Session, key: str) -> HolderState:
    statement = select(HolderState).where(HolderState.key == key).with_for_update()
    state = session.scalars(statement).one_or_none()
    if state is None:
        state = HolderState(key=key, size=0, given=0, position="", tries=0)
        session.add(state)
        session.flush()
    return state


def _subject(holder: Holder) -> str:
    return f"checkpoint-holder:{holder.key}"
