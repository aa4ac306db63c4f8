"""Making a request's evidence, on both databases."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pypdf
import pytest
from sqlalchemy import select, update

from portal.audit.model import Checkpoint, Entry
from portal.audit.signer.notary import Notary
from portal.core.errors import NotFound
from portal.identity.model import Person
from reports.evidence import make
from reports.evidence.document import SCHEMA_FILE, read_evidence, schema
from reports.evidence.facts import gather
from reports.evidence.make import EvidenceNotMade, make_evidence, record_download, signed_pdf
from reports.evidence.model import EvidenceFile
from reports.evidence.verify import verify_file
from reports.pdf.render import RenderError
from tests.fixtures_servers import required
from tests.reports.conftest import EvidenceWorld, evidence_in

HOSTILE = "{{7*7}} {0.__class__} <img src=x onerror=alert(1)> =cmd()|' /C calc'!A0 file:///etc/passwd"


def test_a_fulfilled_request_gives_a_signed_file_with_its_facts(world: EvidenceWorld) -> None:
    reference = world.fulfilled()
    file = world.file(reference)
    evidence = evidence_in(file)
    assert evidence.reference == reference
    assert [decision.verdict for decision in evidence.decisions] == ["approve", "approve"]
    assert [evidence.person(decision.person) for decision in evidence.decisions] == [
        "Milo Manager",
        "Olga Owner",
    ]
    assert [step.state for step in evidence.steps] == ["done"]
    assert [entitlement.state for entitlement in evidence.entitlements] == ["live"]
    assert evidence.deviations == ()
    assert evidence.controls == {"SOC 2 TSC 2017": ("CC6.1",)}
    tags = [entry.body["tag"] for entry in evidence.ledger.entries]
    assert tags[:2] == ["offering:published", "request:submitted"]
    assert tags[-1] == "evidence:key-introduced"
    said = subprocess.run(
        [required("pdfsig"), "-nocert", str(file)], capture_output=True, text=True, check=True
    )
    assert "Signature is Valid" in said.stdout and "Total document signed" in said.stdout


@pytest.mark.on_sqlite
@pytest.mark.usefixtures("rendered_anew")
def test_the_same_facts_and_checkpoint_give_the_same_bytes(world: EvidenceWorld) -> None:
    reference = world.fulfilled()
    file = world.file(reference)
    with world.db.reading() as session:
        row = session.scalars(select(EvidenceFile)).one()
        head = session.get_one(Checkpoint, row.checkpoint_size)
    world.clock.pass_time(days=3)
    evidence = make._gather_at(world.bench, row.request_id, head, world.key)
    assert signed_pdf(evidence, world.key) == file.read_bytes()


@pytest.mark.on_sqlite
def test_nothing_new_means_the_same_file_and_no_rendering(
    world: EvidenceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = world.fulfilled()
    first = make_evidence(world.bench, reference)
    with world.db.transaction() as session:
        record_download(session, world.actor_of(world.cast.compliance), first)
    world.clock.pass_time(hours=2)
    monkeypatch.setattr(make, "to_pdf", lambda _: pytest.fail("it was rendered again"))
    assert make_evidence(world.bench, reference) == first


@pytest.mark.on_sqlite
def test_something_new_means_a_new_file(world: EvidenceWorld) -> None:
    request_id = world.asked()
    before = make_evidence(world.bench, world.reference(request_id))
    world.decide(request_id, world.cast.manager)
    after = make_evidence(world.bench, world.reference(request_id))
    assert before.digest != after.digest
    assert before.path.exists()
    assert evidence_in(before.path).decisions == ()
    assert len(evidence_in(after.path).decisions) == 1


@pytest.mark.on_sqlite
@pytest.mark.usefixtures("rendered_anew")
@pytest.mark.parametrize("damage", ["removed", "changed"])
def test_a_file_that_is_gone_or_damaged_is_made_again_byte_for_byte(
    world: EvidenceWorld, damage: str
) -> None:
    reference = world.withdrawn()
    first = make_evidence(world.bench, reference)
    content = first.path.read_bytes()
    if damage == "removed":
        first.path.unlink()
    else:
        first.path.write_bytes(content + b"x")
    with world.db.transaction() as session:
        record_download(session, world.actor_of(world.cast.compliance), first)
    world.clock.pass_time(hours=2)
    assert make_evidence(world.bench, reference) == first
    assert first.path.read_bytes() == content


@pytest.mark.on_sqlite
def test_the_certificate_is_named_in_the_ledger_once(world: EvidenceWorld) -> None:
    world.file(world.withdrawn())
    world.file(world.withdrawn())
    assert world.tags(f"signing-key:{world.key.fingerprint}") == ["evidence:key-introduced"]


def test_a_download_is_an_entry_that_names_who_and_which_file(world: EvidenceWorld) -> None:
    made = make_evidence(world.bench, world.withdrawn())
    with world.db.transaction() as session:
        record_download(session, world.actor_of(world.cast.compliance), made)
    with world.db.reading() as session:
        entry = session.scalars(select(Entry).where(Entry.tag == "evidence:downloaded")).one()
    assert entry.actor == f"person:{world.cast.compliance}"
    assert entry.subject == f"evidence:{made.reference}"
    assert made.digest in entry.body


def test_an_unknown_request_has_no_evidence(world: EvidenceWorld) -> None:
    with pytest.raises(NotFound):
        make_evidence(world.bench, "SR-999999")


def test_no_evidence_comes_from_a_ledger_that_lost_what_was_signed(world: EvidenceWorld) -> None:
    reference = world.withdrawn()
    world.file(reference)
    notary = world.bench.signer.desk
    assert isinstance(notary, Notary)
    signed = notary.state()
    notary.adopt(10_000, b"\1" * 32)
    with pytest.raises(EvidenceNotMade, match=r"10000 were signed before\. .* tell the operators"):
        make_evidence(world.bench, reference)
    notary.adopt(signed.size or 0, signed.root)
    assert make_evidence(world.bench, reference).path.exists()


@pytest.mark.on_sqlite
def test_a_rendering_that_fails_changes_nothing_and_the_next_one_works(
    world: EvidenceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = world.asked()
    reference = world.reference(request_id)

    def fail(*_: object) -> bytes:
        raise RenderError("The document takes too long.")

    monkeypatch.setattr(make, "to_pdf", fail)
    with pytest.raises(RenderError):
        make_evidence(world.bench, reference)
    world.decide(request_id, world.cast.manager)
    monkeypatch.undo()
    assert verify_file(make_evidence(world.bench, reference).path).holds


@pytest.mark.on_sqlite
def test_names_of_other_scripts_and_hostile_words_stand_there_as_they_were_written(
    world: EvidenceWorld,
) -> None:
    with world.db.transaction() as session:
        session.execute(
            update(Person).where(Person.id == world.cast.manager).values(name="Zoë Çelik-Łukaszewicz Ωμέγα")
        )
        session.execute(update(Person).where(Person.id == world.cast.owner).values(name="Дарья Åström"))
    file = world.file(world.fulfilled(reason=f"{HOSTILE} {'long' * 60}"))
    text = "".join(page.extract_text() for page in pypdf.PdfReader(file).pages).replace("\n", "")
    assert "Zoë Çelik-Łukaszewicz Ωμέγα" in text
    assert "{{7*7}} {0.__class__} <img src=x onerror=alert(1)>" in text
    assert "long" * 60 in text
    result = verify_file(file)
    assert [check.line for check in result.checks if check.holds is False] == []


def test_the_published_schema_is_the_one_of_the_document() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema()


def test_gathering_reads_the_same_document_twice(world: EvidenceWorld) -> None:
    file = world.file(world.failed())
    evidence = evidence_in(file)
    assert read_evidence(evidence.to_json()) == evidence
    with world.db.reading() as session:
        row = session.scalars(select(EvidenceFile)).one()
        head = session.get_one(Checkpoint, row.checkpoint_size)
        ledger = make._ledger(world.bench, world.key)
        assert gather(session, row.request_id, head, ledger, address=world.bench.address) == evidence


@pytest.mark.on_sqlite
def test_the_files_are_the_portals_own(world: EvidenceWorld) -> None:
    file: Path = world.file(world.withdrawn())
    assert file.parent == world.bench.folder
    assert file.parent.stat().st_mode & 0o077 == 0
