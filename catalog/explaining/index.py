"""Keeping the index: filled when something comes to life or is found, and dated when it ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from catalog.entitlements.model import Entitlement
from catalog.explaining.model import Trace
from catalog.explaining.names import account_names, names_in
from catalog.explaining.questions import Question, fingerprint_of, serial_of
from catalog.fulfilment.model import Artefact, Step, StepState
from catalog.reconciliation.events import FindingClosed, FindingOpened
from catalog.reconciliation.model import Finding, FindingKind
from catalog.requests.events import EntitlementEnded, EntitlementGranted, RequestFulfilled
from catalog.requests.model import Request
from portal.core.clock import now
from portal.identity.model import Person

_CERTIFICATE = "certificate.pem"


def on_granted(session: Session, event: EntitlementGranted) -> None:
    """Enter everything that a new entitlement may be looked up by."""
    index_entitlement(session, session.get_one(Entitlement, event.entitlement_id))


def on_ended(session: Session, event: EntitlementEnded) -> None:
    """It is still found, as something that was."""
    session.execute(
        update(Trace)
        .where(Trace.entitlement_id == event.entitlement_id, Trace.until.is_(None))
        .values(until=now(session))
    )


def on_fulfilled(session: Session, event: RequestFulfilled) -> None:
    """Enter the steps that brought nothing to life: a removal has a commit too."""
    request = session.get_one(Request, event.request_id)
    steps = session.scalars(
        select(Step)
        .outerjoin(Entitlement, Entitlement.step_id == Step.id)
        .where(
            Step.request_id == request.id,
            Step.revision == request.revision,
            Step.state == StepState.DONE,
            Entitlement.id.is_(None),
        )
        .order_by(Step.id)
    ).all()
    at = now(session)
    for step in steps:
        names = names_in(step.plan["document"], _facts(step))
        _enter(session, names, since=at, until=at, step_id=step.id)


def on_found(session: Session, event: FindingOpened) -> None:
    """Enter what is live and nobody allowed, under all that its target says of it."""
    finding = session.get_one(Finding, event.finding_id)
    session.execute(delete(Trace).where(Trace.finding_id == finding.id))
    if finding.kind is FindingKind.UNEXPLAINED:
        names = names_in(finding.facts) | {Question("name", finding.key.casefold())}
        _enter(session, names, since=finding.first_seen_at, until=None, finding_id=finding.id)


def on_closed(session: Session, event: FindingClosed) -> None:
    """It was found then, and is no more."""
    session.execute(
        update(Trace)
        .where(Trace.finding_id == event.finding_id, Trace.until.is_(None))
        .values(until=now(session))
    )


def index_entitlement(session: Session, entitlement: Entitlement) -> None:
    """Enter the entitlement under every name in its sealed plan, what was read back of it, and its holder's."""
    step = session.get_one(Step, entitlement.step_id)
    holder = session.get_one(Person, entitlement.person_id)
    names = names_in(entitlement.facts, _facts(step))
    names |= account_names(holder.user_name, holder.email, holder.name)
    names |= _of_certificate(session, step)
    names |= {Question("name", entitlement.key.casefold())}
    _enter(
        session,
        names,
        since=entitlement.granted_at,
        until=entitlement.ended_at,
        entitlement_id=entitlement.id,
    )


def _facts(step: Step) -> list[Any]:
    return [step.read_back.get("facts", {}), step.outcome.get("facts", {})]


def _of_certificate(session: Session, step: Step) -> set[Question]:
    """Serial number and fingerprints of the certificate that the step brought, as every tool shows them."""
    content = session.scalars(
        select(Artefact.content).where(Artefact.step_id == step.id, Artefact.name == _CERTIFICATE)
    ).one_or_none()
    if content is None:
        return set()
    try:
        certificate = x509.load_pem_x509_certificate(content)
    except ValueError:
        return set()
    names = {Question("serial", serial_of(f"{certificate.serial_number:x}"))}
    for algorithm in (hashes.SHA256(), hashes.SHA1()):  # noqa: S303  (people still look up by the old one)
        names.add(Question("fingerprint", fingerprint_of(certificate.fingerprint(algorithm).hex())))
    return names


def _enter(
    session: Session, names: Iterable[Question], *, since: datetime, until: datetime | None, **of: int
) -> None:
    session.add_all(
        Trace(
            kind=name.kind,
            value=name.value,
            first=name.first or None,
            last=name.last or None,
            since=since,
            until=until,
            **of,
        )
        for name in sorted(names, key=lambda name: (name.kind, name.value))
    )
