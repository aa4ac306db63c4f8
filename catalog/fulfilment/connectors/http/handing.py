"""Callbacks where another worker alone holds the targets' keys: handed on unread, and checked there."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.http.callbacks import NotSigned, receive
from catalog.fulfilment.connectors.http.connector import HttpConnector
from catalog.fulfilment.connectors.http.model import CallState, HttpCall
from catalog.fulfilment.connectors.http.plans import KIND
from catalog.fulfilment.connectors.http.signature import ID, SIGNATURE, TIMESTAMP
from catalog.fulfilment.connectors.registry import Connectors
from catalog.fulfilment.queues import queue_of
from portal.core.errors import PortalError, Unavailable
from portal.core.language import _
from portal.jobs import Job, Task, TaskState, enqueue

_log = logging.getLogger(__name__)
TAKE_CALLBACK = "take_http_callback"
#: Whoever knows an address of ours and cannot sign does not fill the queue.
MOST_WAITING = 20
_LONGEST_HEADER = 2000


def hand_on(session: Session, token: str, headers: Mapping[str, str], body: bytes) -> None:
    """Have the worker that holds the keys check a message. `headers` have names in lower case.

    Raises NotSigned for a token of no call under way, and Unavailable while many of its messages wait.
    """
    call = session.scalars(select(HttpCall).where(HttpCall.token == token)).one_or_none()
    if call is None or call.state is not CallState.RUNNING:
        raise NotSigned(_("There is no such call, or this message is not signed by its target."))
    kept = {name: headers.get(name, "")[:_LONGEST_HEADER] for name in (ID, TIMESTAMP, SIGNATURE)}
    subject = f"http-call:{call.id}"
    waiting = session.scalar(
        select(func.count())
        .select_from(Task)
        .where(Task.kind == TAKE_CALLBACK, Task.subject == subject, Task.state == TaskState.WAITING)
    )
    if (waiting or 0) >= MOST_WAITING:
        raise Unavailable(_("Many messages about this call wait to be read. Try again in a minute."))
    content = base64.b64encode(body).decode("ascii")
    known = hashlib.sha256("\0".join((token, *kept.values(), content)).encode()).hexdigest()
    enqueue(
        session,
        TAKE_CALLBACK,
        {"token": token, "headers": kept, "body": content},
        queue=queue_of(session, KIND),
        subject=subject,
        dedupe_key=f"{TAKE_CALLBACK}:{known}",
    )


def take_http_callback(job: Job, *, connectors: Connectors) -> None:
    """Check a message that was handed on, and take it; one that is not signed is let go. Safe to run again."""
    connector = connectors.get(KIND)
    with job.transaction() as session:
        if isinstance(connector, HttpConnector):
            try:
                with session.begin_nested():
                    body = base64.b64decode(job.payload["body"])
                    receive(session, connector, job.payload["token"], job.payload["headers"], body)
            except PortalError as error:
                _log.warning("A callback was not taken: %s", error.sentence)
        job.finish(session)
