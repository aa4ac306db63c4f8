"""A real bundle, made once: an audit over a month in which requests went every way that they can go."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from reports.audits import place
from reports.audits.document import Audit, FixedRule, read_audit
from reports.audits.model import AuditFile, DrawState
from reports.pdf.keys import PdfKey
from tests.reports.audits.conftest import AuditWorld
from tests.reports.conftest import world_in


@dataclass
class GenuineBundle:
    """The bundle's file, the ledger's key as it was given to the auditor, and the key that signs PDF files."""

    path: Path
    verifier: str
    key: PdfKey
    members: dict[str, bytes]

    @property
    def audit(self) -> Audit:
        return read_audit(self.members["audit.json"])


def zipped(members: dict[str, bytes]) -> bytes:
    """A bundle of these members."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            archive.writestr(name, members[name])
    return made.getvalue()


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> GenuineBundle:
    """Five requests, two of them drawn by the auditor's second word."""
    world = world_in(tmp_path_factory.mktemp("bundle"))
    audits = AuditWorld(world, world.actor_of(world.cast.compliance, "compliance"))
    for play in (world.fulfilled, world.rejected, world.withdrawn, world.replanned, world.failed):
        play()
    world.clock.pass_time(days=20)
    audit = audits.counted(rule=FixedRule(kind="fixed", size=2))
    for nonce in ("blue heron", "grey heron"):
        number = audits.drawn(audit.id, nonce)
        audits.work()
        assert audits.draw(number).state is DrawState.MADE, audits.draw(number).why
    with world.db.reading() as session:
        made = session.scalars(
            select(AuditFile).where(AuditFile.draw_id == number, AuditFile.name == place.BUNDLE)
        ).one()
    path = place.path_of(world.shelves.settings, place.BUNDLE, made.digest)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return GenuineBundle(path, world.bench.signer.verifier, world.key, members)
