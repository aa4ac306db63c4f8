"""Making an audit's bundle, part by part."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import openpyxl
from sqlalchemy import select

from portal.audit.merkle import Frontier, is_consistent, leaf_hash
from portal.audit.notes import read_head
from portal.jobs import Task
from reports.audits import place
from reports.audits.bundle import write_bundle
from reports.audits.document import population_digest
from reports.audits.model import AuditFile
from reports.audits.ordering import MAKE
from reports.audits.sampling import draw, seed_of
from tests.reports.audits.conftest import MadeAudit

UNLISTED = {"report.pdf", "audit.json", "README.txt", "verify.py", "recount.py"}


def test_the_bundle_names_every_member_that_it_has(made: MadeAudit) -> None:
    listed = {file.name: file for file in made.facts.files}
    assert set(listed) == set(made.members) - UNLISTED
    assert {f"evidence/{reference}.pdf" for reference in made.november} <= set(listed)
    for name, file in listed.items():
        assert "sha256:" + hashlib.sha256(made.members[name]).hexdigest() == file.digest
        assert len(made.members[name]) == file.bytes


def test_its_leaves_give_the_root_that_was_signed_and_nothing_was_withheld(made: MadeAudit) -> None:
    tree = Frontier()
    for line in made.members["ledger.jsonl"].splitlines():
        assert json.loads(line)["number"] == tree.size + 1
        tree.append(leaf_hash(line))
    ledger = made.facts.ledger
    assert ledger.before.size == 0 and made.facts.withheld == 0
    after, last = read_head(ledger.after.checkpoint), read_head(ledger.made.checkpoint)
    assert tree.root() == after.root == base64.b64decode(made.facts.sample.root)
    proof = [base64.b64decode(step) for step in ledger.consistency.after_made]
    assert after.size < last.size and is_consistent(after.size, after.root, last.size, last.root, proof)


def test_the_population_was_fixed_before_the_word_was_given(made: MadeAudit) -> None:
    told = [entry.body for entry in made.facts.ledger.entries if entry.body["subject"] == "audit:AR-000001"]
    assert [entry["tag"] for entry in told] == ["audit:ordered", "audit:counted", "audit:nonce-given"]
    assert told[1]["facts"]["population"] == population_digest(made.facts.population.rows)
    assert told[1]["facts"]["root"] == made.facts.sample.root
    assert told[2]["facts"] == {"draw": 1, "nonce": "blue heron"}


def test_anyone_can_draw_the_sample_again(made: MadeAudit) -> None:
    sample = made.facts.sample
    seed = seed_of(base64.b64decode(sample.root), sample.nonce)
    references = [row.reference for row in made.facts.population.rows]
    assert tuple(references) == made.november and made.december not in references
    assert seed.hex() == sample.seed
    assert draw(seed, references, sample.size) == sample.references


def test_each_task_did_one_share_and_left_the_rest_to_the_next(made: MadeAudit) -> None:
    with made.audits.db.reading() as session:
        everything = session.scalars(select(Task).where(Task.kind == MAKE).order_by(Task.id)).all()
    tasks = [task for task in everything if task.payload["draw_id"] == made.draw.id]
    assert [task.payload["part"] for task in tasks] == list(range(len(tasks))) and len(tasks) > 3
    assert {task.state.value for task in tasks} == {"done"}


def test_what_it_was_made_from_is_let_go_and_the_files_lie_by_their_digest(made: MadeAudit) -> None:
    with made.audits.db.reading() as session:
        files = session.scalars(select(AuditFile).where(AuditFile.draw_id == made.draw.id)).all()
    assert {file.name for file in files} == set(place.KEPT)
    for file in files:
        content = place.path_of(made.settings, file.name, file.digest).read_bytes()
        assert "sha256:" + hashlib.sha256(content).hexdigest() == file.digest
    assert not (place.folder(made.settings) / "making" / "AR-000001-1").exists()


def test_the_same_members_give_the_same_archive(made: MadeAudit, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    write_bundle(again, made.members, at=made.draw.made_at or made.draw.given_at)
    assert again.read_bytes() == made.bundle.read_bytes()


def test_the_tables_tell_the_same_with_names_and_hold_no_formula(made: MadeAudit) -> None:
    rows = list(csv.DictReader(io.StringIO(made.members["population.csv"].decode("utf-8-sig"))))
    assert [row["reference"] for row in rows] == list(made.november)
    assert {row["requester_name"] for row in rows} == {"Rosa Requester"}
    book = openpyxl.load_workbook(io.BytesIO(made.members["population.xlsx"]))
    assert [cell.value for cell in book["population"]["A"]] == ["reference", *made.november]
    assert {"sample", "controls.lines"} <= set(book.sheetnames)
    assert not [cell for page in book for row in page.iter_rows() for cell in row if cell.data_type == "f"]


def test_the_verifier_in_the_bundle_finds_that_it_holds(made: MadeAudit, tmp_path: Path) -> None:
    program = tmp_path / "verify.py"
    program.write_bytes(made.members["verify.py"])
    command = [sys.executable, "-I", str(program), str(made.bundle), "--key", made.verifier, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
