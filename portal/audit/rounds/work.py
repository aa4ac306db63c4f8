"""The nightly round: what is new of the ledger and all that stands beside it; once a week every entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from portal.audit.checkpoint import Signer
from portal.audit.record import record
from portal.audit.rounds import tags
from portal.audit.rounds.events import LedgerFoundOdd
from portal.audit.rounds.model import VerificationRound
from portal.audit.verify import verify_ledger
from portal.core.clock import now
from portal.core.database import Database
from portal.core.events import publish
from portal.identity.actor import PORTAL

VERIFY = "verify_ledger"
EVERY = timedelta(days=1)
WHOLE_EVERY = timedelta(days=7)
#: Sentences that are kept and mailed.
MOST = 20


class Odd(Protocol):
    """What does not fit."""

    @property
    def sentence(self) -> str:
        """It, in words."""


def known_in(home: Path) -> Path:
    """Where it is kept how far the ledger was verified."""
    return home / "state" / "ledger-verified.json"


def verify_round(
    db: Database,
    transaction: Callable[[], AbstractContextManager[Session]],
    *,
    signer: Signer,
    known: Path,
    records: Callable[[], Sequence[Odd]],
) -> None:
    """Verify, write the round down, and have operators and compliance told of what did not fit before."""
    with db.reading() as session:
        whole = _whole_is_due(session)
    result = verify_ledger(
        db,
        name=signer.name,
        keys=signer.public_keys,
        folder=signer.folder,
        known=known,
        whole=whole,
    )
    odd: list[Odd] = list(result.findings)
    if result.holds:
        odd += records()
    sentences = [one.sentence for one in odd[:MOST]]
    facts = {"entries": result.entries, "root": result.root, "whole": whole, "findings": len(odd)}
    with transaction() as session:
        before = last_round(session)
        session.add(
            VerificationRound(at=now(session), whole=whole, entries=result.entries, findings=sentences)
        )
        record(
            session,
            tags.FOUND_ODD if odd else tags.VERIFIED,
            subject="ledger",
            actor=PORTAL,
            facts=facts | ({} if odd else result.vouches),
        )
        if sentences and (before is None or before.findings != sentences):
            publish(session, LedgerFoundOdd(sentences[0], len(odd)))


def last_round(session: Session) -> VerificationRound | None:
    """The last one; None when there was none yet."""
    return session.scalars(
        select(VerificationRound).order_by(VerificationRound.id.desc()).limit(1)
    ).one_or_none()


def found_odd() -> ScalarSelect[bool]:
    """Whether the last round found something; a part of somebody else's statement."""
    last = select(func.max(VerificationRound.id)).scalar_subquery()
    odd = func.json_array_length(VerificationRound.findings) > 0
    return select(odd).where(VerificationRound.id == last).scalar_subquery()


def _whole_is_due(session: Session) -> bool:
    last = session.scalar(
        select(VerificationRound.at)
        .where(VerificationRound.whole)
        .order_by(VerificationRound.id.desc())
        .limit(1)
    )
    return last is None or now(session) - last >= WHOLE_EVERY
