"""Sweeping: uploads that no request and no draft names are let go after some days, and then their contents."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from catalog.attachments.model import Attachment
from catalog.attachments.store import Store
from catalog.requests.model import Draft
from portal.core.clock import now
from portal.jobs import Job

SWEEP = "sweep_attachments"
_BATCH = 500


def sweep_attachments(job: Job, *, store: Store) -> None:
    """Let go of what has been unnamed for as long as the settings say. Safe to run again at any point."""
    with job.reading() as session:
        before = now(session) - timedelta(days=job.settings.attachment_days)
    with job.transaction() as session:
        statement = select(Attachment).where(Attachment.request_id.is_(None), Attachment.created_at < before)
        old = session.scalars(statement.order_by(Attachment.id).limit(_BATCH)).all()
        drafted = _drafted(session, {row.uploader_id for row in old})
        gone = [row.id for row in old if row.digest not in drafted]
        session.execute(delete(Attachment).where(Attachment.id.in_(gone)))
    for digest in store.older_than(before):
        with job.reading() as session:
            named = session.scalars(select(Attachment.id).where(Attachment.digest == digest).limit(1)).first()
        if named is None:
            store.delete(digest)


def _drafted(session: Session, people: set[int]) -> str:
    """All that these people's open drafts hold, as one text to look for digests in."""
    statement = select(Draft.answers).where(Draft.request_id.is_(None), Draft.person_id.in_(people))
    return "\n".join(str(answers) for answers in session.scalars(statement)) if people else ""
