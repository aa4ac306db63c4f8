"""Making: the evidence of each request of a sample, the facts, the report and the bundle.

Each part is one task, so that none runs longer than a task may: it works for a while, and the next one goes on. What was
made lies ready by its digest or in the draw's own folder, so that a worker that is killed costs one file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from portal.audit import record
from portal.audit.checkpoint import Signer
from portal.audit.holders.hand_over import mail_out_now
from portal.audit.model import Checkpoint
from portal.core.clock import now
from portal.core.errors import PortalError
from portal.core.language import SOURCE, speaking
from portal.identity.actor import PORTAL
from portal.jobs import Job, TaskError
from reports.audits import place, tags
from reports.audits.assembling import assemble
from reports.audits.bundle import readme, write_bundle
from reports.audits.counting import signed_head
from reports.audits.document import FILE_NAME, Audit, read_audit
from reports.audits.ledger_part import digest_of, write_leaves
from reports.audits.members import LEDGER, listed, write_heads, write_tables
from reports.audits.model import AuditDraw, AuditFile, DrawState
from reports.audits.ordering import enqueue_part, rows_of
from reports.audits.report import look, report_pdf
from reports.audits.sampled import make_all_evidence, sizes_proven
from reports.audits.share import Making
from reports.evidence.make import Workbench, introduced_key
from reports.verifier import FILES, source

#: Seconds after which a task leaves the rest to the next one; a task may take 300.
BUDGET_SECONDS = 120.0
#: What comes after the evidence: facts, report, bundle. The report counts as so many steps of the progress bar.
_FACTS_STEPS, _REPORT_STEPS, _BUNDLE_STEPS = 1, 8, 1
_AFTER_EVIDENCE = _FACTS_STEPS + _REPORT_STEPS + _BUNDLE_STEPS


def make_audit(job: Job, *, signer: Signer, budget: float = BUDGET_SECONDS) -> None:
    """The `make_audit` task. Safe to run again after any of its steps."""
    draw = _begun(job)
    if draw is None:
        return
    bench = Workbench(job.db, job.settings, signer)
    try:
        making = Making(
            job,
            bench,
            draw,
            introduced_key(bench),
            place.workplace(job.settings, draw.audit.reference, draw.number),
            time.monotonic() + budget,
        )
        for step in (make_all_evidence, _write_facts, _write_report):
            if not step(making):
                _leave_the_rest(making)
                return
        _finish(making)
    except PortalError as error:
        _fail(job, draw, error.sentence)


def _begun(job: Job) -> AuditDraw | None:
    """The draw with its audit; None when there is nothing to make any more."""
    with job.transaction() as session:
        statement = (
            select(AuditDraw)
            .where(AuditDraw.id == job.payload["draw_id"])
            .options(joinedload(AuditDraw.audit))
        )
        draw = session.scalars(statement).one()
        if draw.state is DrawState.MAKING:
            draw.total = len(draw.drawn) + _AFTER_EVIDENCE
            return draw
    if draw.state is DrawState.MADE:
        place.clear(job.settings, draw.audit.reference, draw.number)
    return None


def _leave_the_rest(making: Making) -> None:
    with making.job.transaction() as session:
        draw = session.get_one(AuditDraw, making.draw.id)
        enqueue_part(session, draw, making.job.payload["part"] + 1)
        making.job.finish(session)


def _write_facts(making: Making) -> bool:
    """ledger.jsonl, the heads, the tables and audit.json, all under one head that is signed once."""
    if making.lies_ready(FILE_NAME):
        return True
    proven = sizes_proven(making)
    head = _head_of(making, max(proven, default=0))
    audit = making.draw.audit
    with making.job.db.reading() as session:
        references = {row["reference"] for row in rows_of(session, audit.id)}
    withheld = write_leaves(
        making.folder / LEDGER,
        making.job.db,
        audit.before_size or 0,
        audit.after_size or 0,
        whole=audit.disclosure == "whole",
        references=references,
    )
    with speaking(SOURCE), making.job.db.snapshot() as session:
        draw = session.scalars(
            select(AuditDraw).where(AuditDraw.id == making.draw.id).options(joinedload(AuditDraw.audit))
        ).one()
        evidence = [file for file in listed(making.folder) if file.name.startswith("evidence/")]
        told = assemble(
            session,
            making.bench,
            draw,
            head,
            key=making.key,
            files=evidence,
            evidence=proven,
            withheld=withheld,
            look=look(),
        )
    write_tables(making.folder, told)
    write_heads(making.folder, told)
    told = told.model_copy(update={"files": tuple(listed(making.folder))})
    with place.written(making.folder / FILE_NAME) as path:
        path.write_bytes(told.to_json())
    making.remember(FILE_NAME)
    making.tell(len(making.draw.drawn) + _FACTS_STEPS)
    return not making.spent


def _head_of(making: Making, least: int) -> Checkpoint:
    """The head under which everything is proven: signed once for a draw, whoever asks again, of at least this size."""
    with making.job.db.reading() as session:
        size = session.get_one(AuditDraw, making.draw.id).made_size
        if size is not None and size >= least:
            return session.get_one(Checkpoint, size)
    head = signed_head(making.job, making.bench.signer)
    with making.job.transaction() as session:
        draw = session.get_one(AuditDraw, making.draw.id)
        draw.made_size, draw.made_at = head.size, head.at
    return head


def _write_report(making: Making) -> bool:
    """report.pdf, signed."""
    if making.lies_ready(place.REPORT):
        return True
    told = read_audit((making.folder / FILE_NAME).read_bytes())
    begun = len(making.draw.drawn) + _FACTS_STEPS
    with place.written(making.folder / place.REPORT) as path:
        timestamps = making.bench.timestamps()
        report_pdf(told, making.key, path, timestamps=timestamps, progress=_share(making, begun))
    making.remember(place.REPORT)
    making.tell(begun + _REPORT_STEPS)
    return not making.spent


def _share(making: Making, begun: int) -> Callable[[int, int], None]:
    """Tells of a share of the report's steps, and no more often than the bar moves."""
    last = begun

    def tell(done: int, total: int) -> None:
        nonlocal last
        making.job.goes_on()
        reached = begun + _REPORT_STEPS * done // max(total, 1)
        if reached > last:
            last = reached
            making.tell(reached)

    return tell


def _finish(making: Making) -> None:
    """The bundle; then the files that can be downloaded take their place, and the folder is let go."""
    told = read_audit((making.folder / FILE_NAME).read_bytes())
    _insist_on_whole(making, told)
    # Named one by one: what a killed worker left lying beside them is no member.
    names = [FILE_NAME, place.REPORT, *(file.name for file in told.files)]
    members: dict[str, Path | bytes] = {name: making.folder / name for name in names}
    members["README.txt"] = readme(told)
    members.update((name, source(name)) for name in FILES)
    with place.written(making.folder / place.BUNDLE) as path:
        write_bundle(path, members, at=datetime.fromisoformat(told.made_at))
    kept = {name: digest_of(making.folder / name) for name in place.KEPT}
    for name, (digest, _size) in kept.items():
        # Linked within the draw's folder first: what a killed worker leaves there is let go with it.
        linked = making.folder / f".{name}.kept"
        linked.unlink(missing_ok=True)
        os.link(making.folder / name, linked)
        linked.replace(place.path_of(making.job.settings, name, digest))
    with making.job.transaction() as session:
        draw = session.get_one(AuditDraw, making.draw.id)
        session.execute(delete(AuditFile).where(AuditFile.draw_id == draw.id))
        session.add_all(
            AuditFile(draw_id=draw.id, name=name, digest=digest, bytes=size)
            for name, (digest, size) in kept.items()
        )
        draw.state, draw.done, draw.total = DrawState.MADE, making.draw.total, making.draw.total
        draw.finished_at = now(session)
        record(
            session,
            tags.MADE,
            subject=tags.subject_of(told.reference),
            actor=PORTAL,
            facts={
                "draw": draw.number,
                "report": kept[place.REPORT][0],
                "bundle": kept[place.BUNDLE][0],
            },
        )
        mail_out_now(session)
    # The task is done only after this, so that a worker that is killed here leaves it to the next one.
    place.clear(making.job.settings, told.reference, making.draw.number)


def _insist_on_whole(making: Making, told: Audit) -> None:
    """Raises TaskError when a member is not as the facts say, and lets the next try write the facts again."""
    broken = [
        file.name
        for file in told.files
        if not (making.folder / file.name).is_file()
        or digest_of(making.folder / file.name) != (file.digest, file.bytes)
    ]
    if not broken:
        return
    with making.job.transaction() as session:
        session.execute(
            delete(AuditFile).where(
                AuditFile.draw_id == making.draw.id, AuditFile.name.in_((FILE_NAME, place.REPORT))
            )
        )
    message = f"{', '.join(broken)} of the bundle changed while it was made; it is made again."
    raise TaskError(message)


def _fail(job: Job, draw: AuditDraw, why: str) -> None:
    with job.transaction() as session:
        row = session.get_one(AuditDraw, draw.id)
        row.state, row.why = DrawState.FAILED, why
        record(
            session,
            tags.FAILED,
            subject=tags.subject_of(draw.audit.reference),
            actor=PORTAL,
            facts={"draw": draw.number},
        )
        job.finish(session)
