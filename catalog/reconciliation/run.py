"""Reconciliation: every target in turn, each night and on demand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.queues import queue_of
from catalog.reconciliation import tags
from catalog.reconciliation.model import Reading
from catalog.reconciliation.reading import read_target
from catalog.reconciliation.sealed import governs
from portal.audit import record
from portal.core.clock import now
from portal.core.database import Database
from portal.core.errors import NotFound
from portal.core.language import _
from portal.identity.actor import Actor
from portal.jobs import Job, enqueue

RECONCILE = "reconcile"
READ_TARGET = "read_target"
TELL_OF_FINDINGS = "tell_of_findings"
#: Targets are read one after the other; what they found together is told in one mail.
TOLD_AFTER = timedelta(minutes=10)
#: A directory of ten thousand takes some of it.
LEASE_SECONDS = 600.0


def targets_of(connectors: Connectors) -> tuple[str, ...]:
    """The connectors that have something live to compare, in order of their names."""
    return tuple(sorted(connector.kind for connector in connectors if governs(connector)))


def reconcile_now(db: Database, connectors: Connectors, kinds: Iterable[str]) -> tuple[Reading, ...]:
    """Read these targets, one after the other, in this process. Raises NotFound for one that there is not."""
    wanted = tuple(kinds)
    _insist(connectors, wanted)
    return tuple(_read(db, connectors, kind) for kind in wanted)


def ask_for_reading(session: Session, actor: Actor, connectors: Connectors, kinds: Iterable[str]) -> None:
    """Have the worker read these targets now. Raises NotFound for one that there is not."""
    wanted = tuple(kinds)
    _insist(connectors, wanted)
    record(
        session,
        tags.ASKED,
        subject="reconciliation",
        actor=actor,
        facts={"connectors": sorted(wanted)},
    )
    for kind in wanted:
        _enqueue(session, kind)


def reconcile(job: Job, *, connectors: Connectors) -> None:
    """The nightly round: one task for each target, so that one which is away holds up no other."""
    with job.transaction() as session:
        for kind in targets_of(connectors):
            _enqueue(session, kind)
        job.finish(session)


def read_one(job: Job, *, connectors: Connectors) -> None:
    """Read one target. Safe to run again: what was found is found once."""
    kind = str(job.payload["connector"])
    if kind in connectors:
        job.extend_lease(LEASE_SECONDS)
        _read(job.db, connectors, kind)


def _read(db: Database, connectors: Connectors, kind: str) -> Reading:
    reading = read_target(db, connectors, kind)
    if reading.opened:
        with db.transaction() as session:
            at = now(session)
            enqueue(
                session,
                TELL_OF_FINDINGS,
                {},
                run_at=at + TOLD_AFTER,
                subject=TELL_OF_FINDINGS,
                dedupe_key=f"{TELL_OF_FINDINGS}:{reading.id}",
            )
    return reading


def _enqueue(session: Session, kind: str) -> None:
    enqueue(
        session,
        READ_TARGET,
        {"connector": kind},
        queue=queue_of(session, kind),
        subject=f"{READ_TARGET}:{kind}",
    )


def _insist(connectors: Connectors, kinds: Iterable[str]) -> None:
    known = targets_of(connectors)
    for kind in kinds:
        if kind not in known:
            raise NotFound(
                _(
                    "There is no target “%(kind)s” to read. There are: %(known)s.",
                    kind=kind,
                    known=", ".join(known),
                )
            )
