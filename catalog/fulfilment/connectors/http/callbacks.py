"""Callbacks: a tool says that it is done. It is a pointer: it has the portal ask, where the tool can be asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.fulfilment.connectors.http import tags
from catalog.fulfilment.connectors.http.calls import (
    FOLLOW_CALL,
    facts_of,
    locked,
    message_id,
    subject_of_call,
)
from catalog.fulfilment.connectors.http.client import read_said
from catalog.fulfilment.connectors.http.connector import HttpConnector
from catalog.fulfilment.connectors.http.model import CallState, HttpCall, HttpCallback
from catalog.fulfilment.connectors.http.plans import KIND
from catalog.fulfilment.connectors.http.signature import BadSignature, check_signature
from catalog.fulfilment.queues import queue_of
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import PortalError
from portal.core.language import N_, _
from portal.identity.actor import PORTAL
from portal.jobs import enqueue

#: Bytes of one callback.
LARGEST = 64 * 1024


class NotSigned(PortalError):
    """A callback that its target did not sign, or that belongs to no call."""

    status = 401
    title = N_("Not signed")


def receive(
    session: Session, connector: HttpConnector, token: str, headers: Mapping[str, str], body: bytes
) -> None:
    """Take what the tool says of the call with this token: written down, and followed up by a task.

    The same message again, or one for a call that is over, changes nothing. `headers` have names in lower case.
    Raises NotSigned, and PortalError for a body that is not as agreed.
    """
    found = session.scalars(select(HttpCall).where(HttpCall.token == token)).one_or_none()
    target = connector.targets.get(found.target) if found is not None else None
    if found is None or target is None:
        raise NotSigned(_("There is no such call, or this message is not signed by its target."))
    try:
        message = check_signature(target.callback_keys, headers, body, at=now(session))
    except BadSignature as error:
        raise NotSigned(_("There is no such call, or this message is not signed by its target.")) from error
    said = _read(body)
    call = locked(session, found.id)
    # Signed once for another call, it says nothing of this one.
    if said.get("key") != message_id(call):
        raise PortalError(_("This message is about another call."))
    if call.state is not CallState.RUNNING or _seen(session, call, message):
        return
    try:
        claim = read_said(target, said)
    except ConnectorError as error:
        raise PortalError(error.message) from error
    callback = HttpCallback(call_id=call.id, message=message, received_at=now(session))
    session.add(callback)
    session.flush()
    call.claim = claim.to_json()
    record(
        session,
        tags.CALLED_BACK,
        subject=subject_of_call(session, call),
        actor=PORTAL,
        facts={**facts_of(call), "status": claim.status},
        personal={"said": claim.message},
    )
    enqueue(
        session,
        FOLLOW_CALL,
        {"call_id": call.id, "asks": None},
        queue=queue_of(session, KIND),
        dedupe_key=f"{FOLLOW_CALL}:{call.id}:callback:{callback.id}",
    )


def _seen(session: Session, call: HttpCall, message: str) -> bool:
    statement = select(HttpCallback.id).where(
        HttpCallback.call_id == call.id, HttpCallback.message == message
    )
    return session.scalars(statement).one_or_none() is not None


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    said = content.get("data") if isinstance(content, dict) else None
    if not isinstance(said, dict):
        raise PortalError(_("A callback is a JSON object with “data”, which says key and status."))
    return said
