"""Rows of other rooms as the evidence document keeps them, in an order that never changes."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any, overload

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from approvals.decisions.model import Decision
from approvals.routing.model import Sealing, Stage, StageApprover
from approvals.signatures.model import DecisionSignature
from catalog.entitlements.model import Entitlement
from catalog.fulfilment.model import Artefact, Step
from catalog.reconciliation.model import Reading
from portal.core.language import kept

Json = dict[str, Any]


def moment(value: datetime) -> str:
    """A time as the document has it."""
    return value.astimezone(UTC).isoformat()


def _moment(value: datetime | None) -> str | None:
    return moment(value) if value else None


@overload
def ref(person_id: int) -> str: ...
@overload
def ref(person_id: None) -> None: ...
def ref(person_id: int | None) -> str | None:
    """A person as the ledger names them."""
    return None if person_id is None else f"person:{person_id}"


def sealings_json(session: Session, request_id: int) -> list[Json]:
    """What each seal covered, by revision."""
    rows = session.scalars(select(Sealing).where(Sealing.request_id == request_id).order_by(Sealing.revision))
    return [
        {
            "revision": row.revision,
            "seal": row.seal,
            "sealed_at": moment(row.sealed_at),
            "document": row.document,
            "warnings": list(row.warnings),
        }
        for row in rows
    ]


def stages_json(session: Session, request_id: int) -> list[Json]:
    """Every stage of every revision with its people."""
    stages = session.scalars(
        select(Stage)
        .where(Stage.request_id == request_id)
        .order_by(Stage.revision, Stage.position, Stage.part)
    ).all()
    people: dict[int, list[Json]] = {stage.id: [] for stage in stages}
    approvers = select(StageApprover).where(StageApprover.stage_id.in_(people))
    for approver in session.scalars(approvers.order_by(StageApprover.stage_id, StageApprover.person_id)):
        people[approver.stage_id].append(
            {
                "person": ref(approver.person_id),
                "relation": kept(approver.relation),
                "rule": approver.rule,
            }
        )
    return [
        {
            "revision": stage.revision,
            "position": stage.position,
            "part": stage.part,
            "slug": stage.slug,
            "name": kept(stage.name),
            "part_of": kept(stage.part_of),
            "quorum": stage.quorum,
            "acr": stage.acr,
            "state": stage.state.value,
            "because": kept(stage.because),
            "target_minutes": stage.target_minutes,
            "opened_at": _moment(stage.opened_at),
            "due_at": _moment(stage.due_at),
            "closed_at": _moment(stage.closed_at),
            "approvers": people[stage.id],
        }
        for stage in stages
    ]


def decisions_json(session: Session, request_id: int) -> list[Json]:
    """Every decision, also those that became void, in the order in which they were made."""
    rows = session.execute(
        select(Decision, Stage.slug, DecisionSignature)
        .join(Stage, Stage.id == Decision.stage_id)
        .outerjoin(DecisionSignature, DecisionSignature.decision_id == Decision.id)
        .where(Decision.request_id == request_id)
        .order_by(Decision.decided_at, Decision.id)
    )
    return [
        {
            "revision": decision.revision,
            "stage": slug,
            "person": ref(decision.person_id),
            "on_behalf_of": ref(decision.on_behalf_of_id),
            "verdict": decision.verdict.value,
            "comment": decision.comment,
            "decided_at": moment(decision.decided_at),
            "seal": decision.seal,
            "auth_time": moment(decision.auth_time),
            "acr": decision.acr,
            "amr": list(decision.amr),
            "signature": _signature_json(signature),
            "voided_at": _moment(decision.voided_at),
            "voided_because": kept(decision.voided_because),
        }
        for decision, slug, signature in rows
    ]


def _signature_json(row: DecisionSignature | None) -> Json | None:
    if row is None:
        return None
    return {
        "credential_id": base64.b64encode(row.credential_id).decode(),
        "client_data": base64.b64encode(row.client_data).decode(),
        "authenticator_data": base64.b64encode(row.authenticator_data).decode(),
        "signature": base64.b64encode(row.signature).decode(),
        "nonce": row.nonce,
    }


def steps_json(session: Session, request_id: int) -> list[Json]:
    """Every step of every attempt, with the digests of the files that it brought."""
    steps = session.scalars(
        select(Step).where(Step.request_id == request_id).order_by(Step.revision, Step.attempt, Step.position)
    ).all()
    files: dict[int, list[Json]] = {step.id: [] for step in steps}
    artefacts = select(Artefact.step_id, Artefact.name, Artefact.digest, func.length(Artefact.content))
    for step_id, name, digest, size in session.execute(
        artefacts.where(Artefact.step_id.in_(files)).order_by(Artefact.step_id, Artefact.name)
    ):
        files[step_id].append({"name": name, "digest": digest, "bytes": size})
    return [
        {
            "revision": step.revision,
            "attempt": step.attempt,
            "position": step.position,
            "name": kept(step.name),
            "connector": step.connector,
            "state": step.state.value,
            "key": step.key,
            "plan": step.plan,
            "outcome": step.outcome,
            "read_back": step.read_back,
            "error": kept(step.error),
            "drifted": step.drifted,
            "started_at": _moment(step.started_at),
            "finished_at": _moment(step.finished_at),
            "artefacts": files[step.id],
        }
        for step in steps
    ]


def target_readings_json(session: Session, request_id: int) -> list[Json]:
    """How the targets of what the request brought were last compared with the record."""
    touched = select(Entitlement.connector).where(Entitlement.request_id == request_id)
    last = select(func.max(Reading.id)).where(Reading.connector.in_(touched)).group_by(Reading.connector)
    readings = session.scalars(select(Reading).where(Reading.id.in_(last)).order_by(Reading.connector))
    return [
        {
            "connector": reading.connector,
            "read_at": moment(reading.finished_at),
            "was_read": reading.was_read,
            "live": reading.live,
            "explained": reading.explained,
        }
        for reading in readings
    ]


def entitlements_json(session: Session, request_id: int) -> list[Json]:
    """What became live, and whether and why it ended."""
    rows = session.execute(
        select(Entitlement, Step.key)
        .join(Step, Step.id == Entitlement.step_id)
        .where(Entitlement.request_id == request_id)
        .order_by(Entitlement.id)
    )
    return [
        {
            "id": entitlement.id,
            "step_key": step_key,
            "holder": ref(entitlement.person_id),
            "connector": entitlement.connector,
            "target": entitlement.target,
            "key": entitlement.key,
            "label": kept(entitlement.label),
            "state": entitlement.state.value,
            "granted_at": moment(entitlement.granted_at),
            "ends_at": _moment(entitlement.ends_at),
            "ended_at": _moment(entitlement.ended_at),
            "end_reason": kept(entitlement.end_reason),
        }
        for entitlement, step_key in rows
    ]
