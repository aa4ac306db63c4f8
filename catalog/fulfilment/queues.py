"""Queues: the tasks of a connector run where its worker is, and nowhere else are its secrets."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from catalog.fulfilment.model import Step
from portal.core.database import Database
from portal.jobs import DEFAULT_QUEUE

_PART = "queues"


def assign(database: Database, queues: Mapping[str, str]) -> None:
    """Tell the database's sessions which connector is on which queue; one that is not named is on the default one."""
    database.info[_PART] = dict(queues)


def queue_of(session: Session, connector: str) -> str:
    """The queue whose worker speaks to this connector's target."""
    queues: Mapping[str, str] = session.info.get(_PART, {})
    return queues.get(connector, DEFAULT_QUEUE)


def queue_of_step(session: Session, step: Step) -> str:
    """The queue on which the step is carried out: its connector's, or that of the one which acts inside its plan."""
    return queue_of(session, str(step.plan["document"].get("carried_out_by") or step.connector))
