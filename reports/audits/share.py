"""One task's share of the making of a draw: how long it may work, and what lies ready already."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from portal.jobs import Job
from reports.audits.ledger_part import digest_of
from reports.audits.model import AuditDraw, AuditFile
from reports.evidence.make import Workbench
from reports.pdf.keys import PdfKey


@dataclass(frozen=True, slots=True)
class Making:
    """The task, what it needs, and the draw's own folder. `until` is by the monotonic clock."""

    job: Job
    bench: Workbench
    draw: AuditDraw
    key: PdfKey
    folder: Path
    until: float

    @property
    def spent(self) -> bool:
        """Whether the rest is the next task's."""
        return time.monotonic() >= self.until

    def tell(self, done: int) -> None:
        """Move the progress bar; never back, for a task that begins anew."""
        with self.job.transaction() as session:
            row = session.get_one(AuditDraw, self.draw.id)
            row.done = max(row.done, done)

    def lies_ready(self, name: str) -> bool:
        """Whether a task made the file and it is whole."""
        with self.job.reading() as session:
            known = session.get(AuditFile, (self.draw.id, name))
        path = self.folder / name
        return known is not None and path.is_file() and digest_of(path) == (known.digest, known.bytes)

    def remember(self, name: str) -> None:
        """The file is made; no task makes it again while it is whole."""
        digest, size = digest_of(self.folder / name)
        with self.job.transaction() as session:
            session.merge(AuditFile(draw_id=self.draw.id, name=name, digest=digest, bytes=size))
