"""Reading one target against the record.

Nothing stands still meanwhile: requests are carried out and ended. So a thing is found only if it was seen so twice,
if no request is changing it at that moment, and if the record, read after that, still does not explain it. Live things
are taken in batches, and only a short digest of each key is held for as long as the reading lasts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.fulfilment.connectors.contract import Connector, ConnectorError, Live
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.model import Step
from catalog.reconciliation import tags
from catalog.reconciliation.keeping import close_unseen, keep, lock_findings
from catalog.reconciliation.model import FindingKind, Reading
from catalog.reconciliation.motion import keys_in_motion
from catalog.reconciliation.owners import Owners
from catalog.reconciliation.record import BATCH, in_batches, recorded, recorded_as_live
from catalog.reconciliation.verdicts import Verdict, judge
from portal.audit import record
from portal.core.clock import now
from portal.core.database import Database
from portal.identity.actor import PORTAL

_DIGEST_BYTES = 12


@dataclass(slots=True)
class _Look:
    """What one pass over a target has seen: digests of keys, and those among them that nothing explained."""

    seen: set[bytes] = field(default_factory=set)
    suspects: set[bytes] = field(default_factory=set)


def read_target(db: Database, connectors: Connectors, kind: str) -> Reading:
    """Compare everything on the target of this connector with the record, and keep what is found.

    A target that does not answer, at the beginning or half-way, is `not read`: nothing is missing because of it.
    """
    with db.reading() as session:
        started = now(session)
    try:
        return _compare(db, connectors, kind, started)
    except ConnectorError as error:
        return _written(db, Reading(connector=kind, started_at=started, was_read=False, why=error.message))


def _compare(db: Database, connectors: Connectors, kind: str, started: datetime) -> Reading:
    connector = connectors.get(kind)
    look = _first_look(db, connectors, connector, started)
    gone = _not_seen(db, kind, look, started)
    opened = accepted = unexplained = closed = 0
    if look.suspects or gone:
        look, opened, accepted, unexplained = _second_look(db, connectors, connector, look, started)
        opened += _keep_missing(db, connectors, kind, [each for each in gone if each[1] not in look.seen])
    while True:
        with db.transaction() as session:
            lock_findings(session)
            moving = keys_in_motion(session, connectors, kind)
            count = close_unseen(session, kind, since=started, moving=moving)
        closed += count
        if count < BATCH:
            break
    return _written(
        db,
        Reading(
            connector=kind,
            started_at=started,
            was_read=True,
            live=len(look.seen),
            explained=len(look.seen) - unexplained + accepted,
            opened=opened,
            closed=closed,
        ),
    )


def _first_look(db: Database, connectors: Connectors, connector: Connector, started: datetime) -> _Look:
    look = _Look()
    for batch in in_batches(iter(connector.live())):
        new = _unseen(batch, look.seen)
        with db.reading() as session:
            record_ = recorded(session, connector.kind, [live.key for live in new], since=started)
        look.suspects.update(_digest(verdict.key) for verdict in judge(connectors, new, record_))
    return look


def _not_seen(db: Database, kind: str, look: _Look, started: datetime) -> list[tuple[int, bytes]]:
    with db.reading() as session:
        return [
            (number, _digest(key))
            for batch in recorded_as_live(session, kind, at=started)
            for number, key in batch
            if _digest(key) not in look.seen
        ]


def _second_look(
    db: Database, connectors: Connectors, connector: Connector, first: _Look, started: datetime
) -> tuple[_Look, int, int, int]:
    """Look again, and keep what was unexplained both times; the look, new ones, accepted ones, all of them."""
    look = _Look()
    opened = accepted = found = 0
    with db.reading() as session:
        owners = Owners.read(session)
    for batch in in_batches(iter(connector.live())):
        suspects = [live for live in _unseen(batch, look.seen) if _digest(live.key) in first.suspects]
        if not suspects:
            continue
        with db.transaction() as session:
            lock_findings(session)
            moving = keys_in_motion(session, connectors, connector.kind)
            record_ = recorded(session, connector.kind, [live.key for live in suspects], since=started)
            verdicts = judge(connectors, suspects, record_, moving)
            new, fine = keep(session, connector.kind, verdicts, owners)
        opened, accepted, found = opened + new, accepted + fine, found + len(verdicts)
    return look, opened, accepted, found


def _keep_missing(db: Database, connectors: Connectors, kind: str, gone: Sequence[tuple[int, bytes]]) -> int:
    opened = 0
    if not gone:
        return 0
    with db.reading() as session:
        owners = Owners.read(session)
    for batch in in_batches(iter(gone)):
        with db.transaction() as session:
            lock_findings(session)
            moving = keys_in_motion(session, connectors, kind)
            verdicts = _missing(session, [number for number, _ in batch], moving)
            opened += keep(session, kind, verdicts, owners)[0]
    return opened


def _missing(session: Session, numbers: Sequence[int], moving: Iterable[str]) -> list[Verdict]:
    """Those that are still recorded as live, now that the target was read twice without them."""
    rows = session.execute(
        select(Entitlement, Step.read_back)
        .join(Step, Step.id == Entitlement.step_id)
        .where(Entitlement.id.in_(numbers), Entitlement.state == EntitlementState.LIVE)
        .order_by(Entitlement.id)
    ).all()
    resting = {
        entitlement.key: (entitlement, read) for entitlement, read in rows if entitlement.key not in moving
    }
    return [
        Verdict(
            key,
            FindingKind.MISSING,
            entitlement.label,
            dict(read.get("facts") or entitlement.facts),
            entitlement_id=entitlement.id,
        )
        for key, (entitlement, read) in resting.items()
    ]


def _unseen(batch: Sequence[Live], seen: set[bytes]) -> list[Live]:
    """Those that were not listed before, which they now are."""
    new = []
    for live in batch:
        place = _digest(live.key)
        if place not in seen:
            seen.add(place)
            new.append(live)
    return new


def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=_DIGEST_BYTES).digest()


def _written(db: Database, reading: Reading) -> Reading:
    with db.transaction() as session:
        reading.finished_at = now(session)
        session.add(reading)
        record(
            session,
            tags.READ if reading.was_read else tags.NOT_READ,
            subject=f"connector:{reading.connector}",
            actor=PORTAL,
            facts={
                "live": reading.live or 0,
                "explained": reading.explained or 0,
                "opened": reading.opened or 0,
                "closed": reading.closed or 0,
            },
            personal=None if reading.was_read else {"why": str(reading.why)},
        )
    return reading
