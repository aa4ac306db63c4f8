"""Keeping the ledger signed: a checkpoint whenever one is due, and an alarm, told once, while none can be made."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from portal.audit.checkpoint import InconsistentLedger, NotSigned, Signer, checkpoint_if_due
from portal.audit.record import record
from portal.audit.rotation import note_rotations
from portal.audit.signer.model import Cause, SigningTrouble
from portal.core.clock import now
from portal.core.database import Database
from portal.core.events import publish
from portal.identity.actor import PORTAL

log = logging.getLogger(__name__)

SIGNING_STOPPED = "ledger:signing-stopped"
SIGNING_RESUMED = "ledger:signing-resumed"
SUBJECT = "ledger"
#: A signer that is started anew is no alarm; a ledger that is refused is one at once.
PATIENCE = timedelta(minutes=5)
_ONLY = 1


@dataclass(frozen=True, slots=True)
class SigningStopped:
    """Nothing is signed any more, and somebody must look. Told once, until it is signed again."""

    cause: Cause
    why: str
    since: datetime


def keep_signed(db: Database, signer: Signer) -> None:
    """Sign a checkpoint if one is due. What is in the way is kept and told and raised no further: all else goes on."""
    try:
        note_rotations(db, signer, signer.state())
        row = checkpoint_if_due(db, signer)
    except InconsistentLedger as error:
        _stopped(db, Cause.REFUSED, error)
    except NotSigned as error:
        _stopped(db, Cause.AWAY, error)
    else:
        if row is not None:
            _resumed(db)


def find_trouble(session: Session) -> SigningTrouble | None:
    """What is in the way of signing now, if anything."""
    return session.get(SigningTrouble, _ONLY)


def _stopped(db: Database, cause: Cause, error: NotSigned) -> None:
    log.error("The ledger is not signed: %s", error.sentence)
    with db.transaction() as session:
        at = now(session)
        row = session.get(SigningTrouble, _ONLY, with_for_update=True)
        if row is None:
            row = SigningTrouble(id=_ONLY, cause=cause, why=error.sentence, since=at, told_at=None)
            session.add(row)
        elif row.cause is not cause:
            row.cause, row.since, row.told_at = cause, at, None
        row.why = error.sentence
        if row.told_at is not None or (cause is Cause.AWAY and at - row.since < PATIENCE):
            return
        row.told_at = at
        record(session, SIGNING_STOPPED, subject=SUBJECT, actor=PORTAL, facts={"cause": cause.value})
        publish(session, SigningStopped(cause, error.sentence, row.since))


def _resumed(db: Database) -> None:
    with db.reading() as session:
        if find_trouble(session) is None:
            return
    with db.transaction() as session:
        row = session.get(SigningTrouble, _ONLY, with_for_update=True)
        if row is None:
            return
        if row.told_at is not None:
            record(session, SIGNING_RESUMED, subject=SUBJECT, actor=PORTAL, facts={"cause": row.cause.value})
        session.delete(row)
