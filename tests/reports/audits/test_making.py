"""Making an audit's bundle."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile

from sqlalchemy import select

from portal.audit.merkle import Frontier, leaf_hash
from portal.audit.notes import read_head
from reports.audits import place
from reports.audits.document import population_digest, read_audit
from reports.audits.model import AuditFile, DrawState
from tests.reports.audits.conftest import AuditWorld


def test_the_bundle_holds_everything_that_proves_it(audits: AuditWorld) -> None:
    world = audits.world
    done, refused = world.fulfilled(), world.rejected()
    world.clock.pass_time(days=20)
    audit = audits.counted()
    number = audits.drawn(audit.id)
    audits.work()
    draw = audits.draw(number)
    assert draw.state is DrawState.MADE, draw.why
    with world.db.reading() as session:
        files = {
            file.name: file
            for file in session.scalars(
                select(AuditFile).where(AuditFile.draw_id == number).order_by(AuditFile.name)
            )
        }
    assert set(files) == set(place.KEPT)
    bundle = place.path_of(world.shelves.settings, place.BUNDLE, files[place.BUNDLE].digest)
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    told = read_audit(members["audit.json"])
    assert {row.reference for row in told.population.rows} == {done, refused}
    assert set(told.sample.references) == {done, refused}
    assert population_digest(told.population.rows) == told.population.digest == audit.population_digest
    listed = {file.name: file for file in told.files}
    assert set(listed) == set(members) - {"report.pdf", "audit.json", "README.txt", "verify.py"}
    for name, file in listed.items():
        assert "sha256:" + hashlib.sha256(members[name]).hexdigest() == file.digest
    tree = Frontier()
    for line in members["ledger.jsonl"].splitlines():
        assert json.loads(line)["number"] == tree.size + 1
        tree.append(leaf_hash(line))
    assert tree.root() == read_head(told.ledger.after.checkpoint).root == base64.b64decode(told.sample.root)
    assert [
        entry.body["tag"] for entry in told.ledger.entries if entry.body["subject"].startswith("audit:")
    ] == [
        "audit:ordered",
        "audit:counted",
        "audit:nonce-given",
    ]
