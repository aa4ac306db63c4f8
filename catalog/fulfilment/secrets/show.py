"""Showing a one-time secret: to the beneficiary, once, and never to whoever asked for them or approved."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from catalog.fulfilment.model import Step, StepState
from catalog.fulfilment.secrets.one_time import one_time_secret
from catalog.requests import tags
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, NotFound
from portal.core.language import _
from portal.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class SecretPage:
    """What the page of a secret says before it is shown."""

    reference: str
    account: str
    shown: bool


def secret_page(session: Session, actor: Actor, reference: str) -> SecretPage:
    """The page of the request's secret. Raises NotFound for everybody but the beneficiary."""
    step = _step(session, actor, reference)
    return SecretPage(reference, step.plan["document"]["account"]["name"], step.secret_shown_at is not None)


def show_secret(session: Session, actor: Actor, reference: str, *, secret_key: str) -> str:
    """The secret, this once. Raises NotFound for everybody but the beneficiary, Conflict the second time."""
    step = _step(session, actor, reference)
    claimed = session.execute(
        update(Step)
        .where(Step.id == step.id, Step.secret_shown_at.is_(None))
        .values(secret_shown_at=now(session))
        .returning(Step.id)
    ).first()
    if claimed is None:
        raise Conflict(_("This password was shown already. If you have not kept it, ask for a new one."))
    request = session.get_one(Request, step.request_id)
    record(
        session,
        tags.SECRET_SHOWN,
        subject=subject_of(request),
        actor=actor,
        facts={"step": step.position, "revision": step.revision},
    )
    return one_time_secret(secret_key, step.key)


def _step(session: Session, actor: Actor, reference: str) -> Step:
    """The last step of the request that set a secret for this very person."""
    steps = session.scalars(
        select(Step)
        .join(Request, Request.id == Step.request_id)
        .where(
            Request.reference == reference,
            Request.beneficiary_id == actor.person_id,
            Step.revision == Request.revision,
            Step.state.in_((StepState.APPLIED, StepState.DONE)),
        )
        .order_by(Step.attempt.desc(), Step.position.desc())
    )
    for step in steps:
        if step.plan["document"].get("shown_to") == "beneficiary":
            return step
    raise NotFound(_("There is nothing to show here."))
