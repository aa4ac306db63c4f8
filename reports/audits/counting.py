"""Counting: the head of the ledger after the period, the population under it, and the facts of every section."""

from __future__ import annotations

import base64
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from portal.audit import record
from portal.audit.checkpoint import NotSigned, Signer, SignerAway, checkpoint
from portal.audit.model import Checkpoint, Entry
from portal.core.canonical import canonical_json
from portal.core.errors import PortalError
from portal.core.language import SOURCE, say, speaking
from portal.identity.actor import PORTAL
from portal.jobs import Job, TaskError
from reports.audits import tags
from reports.audits.document import population_digest
from reports.audits.model import Audit, AuditFacts, AuditRow, AuditState
from reports.audits.ordering import get_locked_audit, query_of, rule_of
from reports.audits.population import Population, population_of
from reports.audits.problems import AuditNotMade
from reports.audits.sampling import sample_size
from reports.audits.scope import Query, Scope, chunks
from reports.audits.sections import gather
from reports.audits.wanted import choices_of

#: On a busy portal something may happen between signing the head and reading; then both are done again.
TRIES = 50


def count_audit(job: Job, *, signer: Signer) -> None:
    """The `count_audit` task. Safe to run again: it begins anew, and only what it wrote last counts."""
    with job.reading() as session:
        audit = session.get_one(Audit, job.payload["audit_id"])
        if audit.state is not AuditState.COUNTING:
            return
        query = query_of(audit)
    try:
        with speaking(SOURCE):
            _count(job, audit.id, query, signer)
    except PortalError as error:
        fail(job, audit.id, error.sentence)


def fail(job: Job, audit_id: int, why: str) -> None:
    """Say on the audit's page why it could not be counted."""
    with job.transaction() as session:
        audit = get_locked_audit(session, audit_id)
        audit.state, audit.why = AuditState.FAILED, why
        record(
            session, tags.FAILED, subject=tags.subject_of(audit.reference), actor=PORTAL, facts={"draw": None}
        )
        job.finish(session)


def _count(job: Job, audit_id: int, query: Query, signer: Signer) -> None:
    for _try in range(TRIES):
        head = signed_head(job, signer)
        with job.db.snapshot() as session:
            if session.scalar(select(func.max(Entry.number))) != head.size:
                continue
            before = size_before(session, query.begins)
            population = population_of(session, query, before=before, after=head.size, as_of=head.at)
            scope = Scope(query, before, head.size, head.at, population.members)
            facts = gather(session, scope)
            choices = choices_of(session)
            break
    else:
        message = "The ledger grew each time before its requests could be read."
        raise TaskError(message)
    _keep_rows(job, audit_id, population)
    with job.transaction() as session:
        audit = get_locked_audit(session, audit_id)
        audit.before_size, audit.after_size, audit.as_of = before, head.size, head.at
        audit.root = base64.b64encode(head.root).decode()
        audit.count = len(population.members)
        audit.population_digest = population_digest(tuple(member.row for member in population.members))
        audit.sample_size = sample_size(rule_of(audit), audit.count)
        audit.state = AuditState.COUNTED
        session.add(
            AuditFacts(
                audit_id=audit_id,
                completeness=population.completeness.model_dump(mode="json"),
                sections=facts,
                units=choices.units,
                offerings=choices.offerings,
            )
        )
        record(
            session,
            tags.COUNTED,
            subject=tags.subject_of(audit.reference),
            actor=PORTAL,
            facts={
                "count": audit.count,
                "population": audit.population_digest,
                "before": before,
                "after": head.size,
                "root": audit.root,
                "sample": audit.sample_size,
            },
        )
        job.finish(session)


def signed_head(job: Job, signer: Signer) -> Checkpoint:
    """The ledger's head, signed now.

    Raises AuditNotMade when the ledger does not contain what was signed before, TaskError while nobody can sign.
    """
    try:
        head = checkpoint(job.db, signer)
    except SignerAway as error:
        raise TaskError(error.sentence) from error
    except NotSigned as error:
        raise AuditNotMade(
            say("%(why)s No audit is made from such a ledger; tell the operators.", why=error.sentence)
        ) from error
    if head is None:
        raise AuditNotMade(say("The ledger is empty; there is nothing to audit."))
    return head


def size_before(session: Session, begins: datetime) -> int:
    """The size of the newest signed head that was signed before the period began; 0 when there is none."""
    statement = select(func.max(Checkpoint.size)).where(Checkpoint.at < begins)
    return session.scalar(statement) or 0


def _keep_rows(job: Job, audit_id: int, population: Population) -> None:
    """In parts, so that no writer waits long; what an earlier try left is taken away first."""
    with job.transaction() as session:
        session.execute(delete(AuditRow).where(AuditRow.audit_id == audit_id))
    numbered = list(enumerate(population.members))
    for part in chunks(numbered, 1_000):
        with job.transaction() as session:
            session.execute(
                insert(AuditRow),
                [
                    {
                        "audit_id": audit_id,
                        "position": position,
                        "request_id": member.request_id,
                        "body": canonical_json(member.row.model_dump(mode="json")).decode(),
                    }
                    for position, member in part
                ],
            )
