"""The record of calls: opened before anything is sent, settled by what the target says."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.contract import ConnectorError, Plan
from catalog.fulfilment.connectors.http import tags
from catalog.fulfilment.connectors.http.client import Said
from catalog.fulfilment.connectors.http.model import CallState, HttpCall
from catalog.fulfilment.connectors.http.plans import KIND
from catalog.fulfilment.connectors.http.targets import DONE, FAILED, UNDONE, Target
from catalog.fulfilment.model import Step
from catalog.fulfilment.queues import queue_of
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from portal.audit import record
from portal.core.clock import now
from portal.core.language import say
from portal.identity.actor import PORTAL
from portal.jobs import enqueue

DO, UNDO = "do", "undo"
FOLLOW_CALL = "follow_http_call"


def latest(session: Session, key: str, action: str) -> HttpCall | None:
    """The last round of this step's call."""
    statement = select(HttpCall).where(HttpCall.key == key, HttpCall.action == action)
    return session.scalars(statement.order_by(HttpCall.round.desc()).limit(1)).one_or_none()


def find_live(session: Session, entitlement_key: str) -> HttpCall | None:
    """The call that brought this to life, as far as the portal knows."""
    statement = select(HttpCall).where(
        HttpCall.entitlement_key == entitlement_key,
        HttpCall.action == DO,
        HttpCall.state == CallState.DONE,
        HttpCall.undone_at.is_(None),
    )
    return session.scalars(statement.order_by(HttpCall.id).limit(1)).one_or_none()


def every_live(session: Session, target: str) -> list[HttpCall]:
    """Every call to the target that was done and not undone."""
    statement = select(HttpCall).where(
        HttpCall.target == target,
        HttpCall.action == DO,
        HttpCall.state == CallState.DONE,
        HttpCall.undone_at.is_(None),
    )
    return list(session.scalars(statement.order_by(HttpCall.id)))


def open_call(
    session: Session, plan: Plan, key: str, entitlement_key: str, *, action: str, patience: timedelta
) -> HttpCall:
    """The call of this key that is under way or done; a new one where there is none, or where the last one is over.

    A failure is told once: asked again after that, another round begins.
    """
    before = latest(session, key, action)
    if before is not None and not _is_over(before):
        return before
    at = now(session)
    number = before.round + 1 if before else 1
    call = HttpCall(
        key=key,
        action=action,
        round=number,
        token=hashlib.sha256(f"{key}\0{action}\0{number}".encode()).hexdigest()[:32],
        target=plan.document["target"],
        entitlement_key=entitlement_key,
        reference=plan.document["reference"],
        document=dict(plan.document),
        state=CallState.RUNNING,
        opened_at=at,
        answer_by=at + patience,
    )
    session.add(call)
    session.flush()
    return call


def message_id(call: HttpCall) -> str:
    """The id under which the target knows it: the step's key, and what tells further calls of the step apart."""
    undoing = "/undo" if call.action == UNDO else ""
    return f"{call.key}{undoing}" + (f"/{call.round}" if call.round > 1 else "")


def locked(session: Session, call_id: int) -> HttpCall:
    """The call as it is now, locked until this transaction ends."""
    statement = select(HttpCall).where(HttpCall.id == call_id).with_for_update()
    return session.scalars(statement.execution_options(populate_existing=True)).one()


def settle(session: Session, call_id: int, said: Said, target: Target) -> HttpCall:
    """Write down what the target says of it; what is settled stays as it is. While it runs it is asked after again."""
    call = locked(session, call_id)
    if call.state is not CallState.RUNNING:
        return call
    at = now(session)
    if call.sent_at is None:
        call.sent_at = at
        record(session, tags.SENT, subject=subject_of_call(session, call), actor=PORTAL, facts=facts_of(call))
    call.status_url = said.status_url or call.status_url
    good = UNDONE if call.action == UNDO else DONE
    if said.status in {good, DONE}:
        call.state = CallState.DONE
    elif said.status in {FAILED, UNDONE}:
        call.state = CallState.FAILED
        call.message = say(
            "%(target)s says that it failed: %(words)s.",
            target=target.title,
            words=said.message.rstrip(".") or said.status,
        )
    elif at >= call.answer_by:
        call.state = CallState.TIMED_OUT
        call.message = say(
            "%(target)s did not finish in the time that it has (%(time)s).",
            target=target.title,
            time=target.answer_within,
        )
    else:
        follow_later(session, call, target)
        return call
    call.facts = dict(said.facts)
    call.settled_at = at
    if call.action == UNDO and call.state is CallState.DONE:
        # Others may have asked for the same thing, and it is gone for all of them.
        for done in _every_do(session, call):
            done.undone_at = done.undone_at or at
    record(
        session,
        tags.SETTLED,
        subject=subject_of_call(session, call),
        actor=PORTAL,
        facts={**facts_of(call), "state": str(call.state)},
        personal={"said": said.message},
    )
    return call


def _every_do(session: Session, call: HttpCall) -> Sequence[HttpCall]:
    statement = select(HttpCall).where(
        HttpCall.action == DO,
        or_(HttpCall.key == call.key, HttpCall.entitlement_key == call.entitlement_key),
    )
    return session.scalars(statement.order_by(HttpCall.id)).all()


def follow_later(session: Session, call: HttpCall, target: Target) -> None:
    """Ask again after a pause; where only a callback tells, at the end of its time."""
    at = now(session)
    asks = target.mode == "poll" or call.claim
    when = min(call.answer_by, at + target.pause) if asks else call.answer_by
    enqueue(
        session,
        FOLLOW_CALL,
        {"call_id": call.id, "asks": call.asks},
        run_at=when,
        queue=queue_of(session, KIND),
        dedupe_key=f"{FOLLOW_CALL}:{call.id}:{call.asks}",
    )


def told(session: Session, call: HttpCall) -> ConnectorError:
    """The failure, which is told from now on."""
    row = locked(session, call.id)
    row.told_at = row.told_at or now(session)
    return ConnectorError(row.message, permanent=True)


def _is_over(call: HttpCall) -> bool:
    if call.state in {CallState.FAILED, CallState.TIMED_OUT}:
        # What is done at most once for a key has failed for good; undoing is tried again.
        return call.action == UNDO and call.told_at is not None
    return call.undone_at is not None


def subject_of_call(session: Session, call: HttpCall) -> str:
    """How the ledger names what the call is of."""
    request = session.scalars(
        select(Request).join(Step, Step.request_id == Request.id).where(Step.key == call.key)
    ).one_or_none()
    return subject_of(request) if request is not None else f"http-call:{call.id}"


def facts_of(call: HttpCall) -> dict[str, object]:
    """What the ledger says of a call."""
    return {"call": call.id, "key": call.key, "action": call.action, "target": call.target}
