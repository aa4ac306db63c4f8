"""A real bundle, made once: an audit over a month in which requests went every way that they can go, and every key changed."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.audit.checkpoint import checkpoint
from portal.audit.rotation import rotate
from portal.audit.signer.notary import Notary
from portal.jobs import Job
from reports.audits import place
from reports.audits.bundle import write_bundle
from reports.audits.document import Audit, FixedRule, read_audit
from reports.audits.making import BUDGET_SECONDS, make_audit
from reports.audits.model import Audit as AuditRecord
from reports.audits.model import AuditFile, DrawState
from reports.audits.ordering import MAKE
from reports.audits.sampling import draw, seed_of
from reports.evidence.key_rotation import rotate_key
from reports.pdf.keys import PdfKey
from tests.reports.audits.conftest import AuditWorld
from tests.reports.conftest import EvidenceWorld, world_in


@dataclass
class GenuineBundle:
    """The bundle's file, the ledger's key of now as it was given to the auditor, and the key that signs PDF files."""

    path: Path
    verifier: str
    key: PdfKey
    members: dict[str, bytes]
    #: The ledger's key of before the period, as it was given to an earlier auditor, and the one after it.
    first: str
    second: str
    #: The fingerprints of the certificate before the last one, and of the last one.
    certificates: tuple[str, str]
    #: A request of the sample whose evidence was made before the population was counted, with the second keys.
    early: str

    @property
    def audit(self) -> Audit:
        return read_audit(self.members["audit.json"])


def zipped(members: dict[str, bytes]) -> bytes:
    """A bundle of these members, as the portal writes it."""
    made = io.BytesIO()
    write_bundle(made, members, at=datetime(2026, 12, 1, tzinfo=UTC))
    return made.getvalue()


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> GenuineBundle:
    """Five requests, two of them drawn by the auditor's second word.

    The ledger's first key signed the head before the period, its second one the head after it, and its third the one
    under which all is proven: it came while the bundle was made, after the evidence of one request.
    """
    world = world_in(tmp_path_factory.mktemp("bundle"), days_before=30)
    # As on every portal that runs, a row and the entry that tells of it never have the very same time.
    world.clock.tick = timedelta(milliseconds=1)
    audits = AuditWorld(world, world.actor_of(world.cast.compliance, "compliance"))
    first = world.bench.signer.verifier
    assert checkpoint(world.db, world.bench.signer) is not None
    world.clock.pass_time(days=30)
    early = world.fulfilled()
    world.rejected()
    changed_keys(world)
    second = world.bench.signer.verifier
    for play in (world.withdrawn, world.replanned, world.failed):
        play()
    world.file(early)
    certificate = world.key.fingerprint
    world.clock.pass_time(days=20)
    audit = audits.counted(rule=FixedRule(kind="fixed", size=2))

    def interrupted(job: Job) -> None:
        """One file of evidence in the first task, the rest in the second: and in between the keys are changed."""
        begins = job.payload["part"] == 0
        if not begins:
            changed_keys(world)
        make_audit(job, signer=world.bench.signer, budget=0.0 if begins else BUDGET_SECONDS)

    once, again = words_that_draw((early, "SR-000002"), audit, audits.rows(audit.id))
    for nonce, handlers in ((once, {}), (again, {MAKE: interrupted})):
        number = audits.drawn(audit.id, nonce)
        audits.work(**handlers)
        assert audits.draw(number).state is DrawState.MADE, audits.draw(number).why
    with world.db.reading() as session:
        made = session.scalars(
            select(AuditFile).where(AuditFile.draw_id == number, AuditFile.name == place.BUNDLE)
        ).one()
    path = place.path_of(world.shelves.settings, place.BUNDLE, made.digest)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    certificates = (certificate, world.key.fingerprint)
    return GenuineBundle(
        path, world.bench.signer.verifier, world.key, members, first, second, certificates, early
    )


def changed_keys(world: EvidenceWorld) -> None:
    """Another key for the ledger and one for files; the overlap of the ledger's is over, and the one before is deleted."""
    signer = world.bench.signer
    assert isinstance(signer.desk, Notary)
    world.clock.pass_time(minutes=2)
    state = rotate(world.db, signer, overlap=timedelta(days=30))
    rotate_key(world.bench)
    over = state.overlap_until or world.clock()
    signer.desk._clock = lambda: over + timedelta(days=1)
    signer.desk.retire()


def words_that_draw(wanted: Sequence[str], audit: AuditRecord, references: Iterable[str]) -> tuple[str, str]:
    """Two words that draw these two requests. No auditor could find one: they do not know the root before they say it."""
    known, root = tuple(references), base64.b64decode(audit.root)
    suiting = (
        word
        for word in (f"heron {number}" for number in count())
        if draw(seed_of(root, word), known, 2) == tuple(wanted)
    )
    return next(suiting), next(suiting)
