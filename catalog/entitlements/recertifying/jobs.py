"""The round that asks, reminds and closes: whatever is due happens once, each in a transaction of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select

from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.entitlements.recertifying.answering import close_by_silence
from catalog.entitlements.recertifying.asking import ask, remind
from catalog.entitlements.recertifying.model import Recertification, RecertificationState
from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.registry import Connectors
from portal.core.clock import now
from portal.jobs import Job

RECERTIFY = "recertify"
#: How many one round asks about; what is left comes with the next one.
AT_ONCE = 200


def recertify(job: Job, *, connectors: Connectors) -> None:
    """The task of one round. Safe to run again at any point: everything is looked at again under its lock."""
    due = _due(job)
    used = last_used([(connector, key) for _number, connector, key in due], connectors)
    for number, connector, key in due:
        with job.transaction() as session:
            ask(session, number, last_used_at=used.get((connector, key)))
    with job.reading() as session:
        still_open = Recertification.state == RecertificationState.OPEN
        numbers = select(Recertification.id).order_by(Recertification.id).limit(AT_ONCE)
        late = session.scalars(numbers.where(still_open, Recertification.due_at <= now(session))).all()
        silent = session.scalars(numbers.where(still_open, Recertification.remind_at <= now(session))).all()
    for number in late:
        with job.transaction() as session:
            close_by_silence(session, number)
    for number in silent:
        with job.transaction() as session:
            remind(session, number)


def last_used(
    things: Iterable[tuple[str, str]], connectors: Connectors
) -> Mapping[tuple[str, str], datetime]:
    """When things were last used (UTC), by connector and key, as far as their targets know.

    A connector tells it by `last_used(keys)` beside its contract, for those of the keys that it knows of. A target that
    does not answer knows nothing: the question is put all the same.
    """
    by_connector: dict[str, list[str]] = defaultdict(list)
    for connector, key in things:
        by_connector[connector].append(key)
    found: dict[tuple[str, str], datetime] = {}
    for kind, keys in by_connector.items():
        try:
            tell = getattr(connectors.get(kind), "last_used", None)
            told: Mapping[str, datetime] = tell(keys) if tell is not None else {}
        except ConnectorError:
            continue
        found |= {(kind, key): moment for key, moment in told.items()}
    return found


def _due(job: Job) -> Sequence[tuple[int, str, str]]:
    with job.reading() as session:
        rows = session.execute(
            select(Entitlement.id, Entitlement.connector, Entitlement.key)
            .where(Entitlement.state == EntitlementState.LIVE, Entitlement.review_at <= now(session))
            .order_by(Entitlement.review_at, Entitlement.id)
            .limit(AT_ONCE)
        ).all()
    return [(number, connector, key) for number, connector, key in rows]
