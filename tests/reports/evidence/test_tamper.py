"""Whatever is changed in an evidence file is found, and nothing that a file holds breaks the verifier."""

from __future__ import annotations

import base64
import io
import random
import re
import string
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from portal.audit.merkle import Frontier, inclusion_proof, leaf_hash, node_hash
from portal.audit.notes import Head, sign_head, verifier_key
from portal.core.canonical import canonical_json, digest
from reports.evidence.document import Evidence
from reports.evidence.html import attachments_of, to_html, to_pdf
from reports.evidence.make import signed_pdf
from reports.evidence.verify import Verification, verify_content
from reports.evidence.verify.proofs import check_ledger
from reports.evidence.verify.run import verify_file
from reports.evidence.verify.seals import check_seals
from reports.evidence.verify.story import check_story
from reports.pdf.job import Attachment
from reports.pdf.keys import PdfKey, load_or_create_pdf_key
from reports.pdf.render import render
from reports.pdf.signing import sign
from tests.fixtures_people import MORNING
from tests.reports.conftest import Genuine

FLIPS = 300
SEED = 20_261_118


def judged(evidence: Evidence) -> list[str]:
    """What the checks of facts, proofs, seals and story find wrong, signature and pages aside."""
    result = Verification("forged")
    check_ledger(evidence, result)
    check_seals(evidence, result)
    check_story(evidence, result)
    return [check.sentence for check in result.checks if check.holds is False]


def edited(evidence: Evidence, edit: Callable[[dict[str, Any]], object]) -> Evidence:
    facts = evidence.model_dump(mode="json")
    edit(facts)
    return Evidence.model_validate_json(canonical_json(facts))


def test_the_genuine_file_holds(genuine: Genuine) -> None:
    result = verify_content(genuine.content, trusted=genuine.trusted)
    assert [check.line for check in result.checks if not check.holds] == []
    assert result.proven
    assert judged(genuine.evidence) == []


def test_one_bit_changed_anywhere_is_found(genuine: Genuine) -> None:
    dice = random.Random(SEED)
    positions = dice.sample(range(len(genuine.content)), FLIPS)
    for position in positions:
        forged = bytearray(genuine.content)
        forged[position] ^= 1 << dice.randrange(8)
        result = verify_content(bytes(forged))
        assert not result.holds, f"a bit changed at {position} was not found"


def test_one_bit_changed_in_the_signature_itself_is_found(genuine: Genuine) -> None:
    start = genuine.content.index(b"/Contents <")
    container = range(start, start + 2 * 2_600)
    dice = random.Random(SEED)
    for position in dice.sample(container, FLIPS):
        forged = bytearray(genuine.content)
        forged[position] ^= 1 << dice.randrange(8)
        assert not verify_content(bytes(forged)).holds, f"a bit changed at {position} was not found"


def test_a_byte_in_the_room_beside_the_signature_is_found(genuine: Genuine) -> None:
    end = genuine.content.index(b">\n/ByteRange")
    for back in (1, 2, 1_000, 5_000):
        forged = bytearray(genuine.content)
        forged[end - back] = ord("1")
        assert not verify_content(bytes(forged)).holds


@pytest.mark.parametrize("length", [0, 1, 5, 100, 1_000, 20_000, -1, -2, -100, -600])
def test_a_file_that_was_cut_off_does_not_hold(genuine: Genuine, length: int) -> None:
    assert not verify_content(genuine.content[:length]).holds


@pytest.mark.parametrize("added", [b"\n", b" ", b"%%EOF", b"\x00" * 100])
def test_bytes_behind_the_file_are_found(genuine: Genuine, added: bytes) -> None:
    result = verify_content(genuine.content + added)
    assert [check.sentence for check in result.checks] == [
        f"{len(added)} bytes were added to the file after it was signed."
    ]


def test_a_change_added_as_a_later_revision_is_found(genuine: Genuine) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(genuine.content))
    writer.root[pdf_name("/Lang")] = pdf_string("xx")
    writer.update_root()
    changed = io.BytesIO()
    writer.write(changed)
    result = verify_content(changed.getvalue())
    assert "were added to the file after it was signed" in result.checks[0].sentence


def test_a_second_signature_is_found(genuine: Genuine, attacker: PdfKey) -> None:
    writer = pikepdf.open(io.BytesIO(genuine.content))
    plain = io.BytesIO()
    writer.save(plain)
    again = sign(to_pdf(genuine.evidence), attacker, at=MORNING, reason="x")
    assert not verify_content(genuine.content + again).holds
    assert not verify_content(plain.getvalue()).holds


def test_an_exchanged_attachment_is_found(genuine: Genuine) -> None:
    with pikepdf.open(io.BytesIO(genuine.content)) as pdf:
        pdf.attachments["evidence.json"] = pikepdf.AttachedFileSpec(
            pdf, b'{"format": "countersign-evidence/1"}'
        )
        changed = io.BytesIO()
        pdf.save(changed)
    assert not verify_content(changed.getvalue()).holds


def test_an_encrypted_copy_does_not_hold(genuine: Genuine) -> None:
    with pikepdf.open(io.BytesIO(genuine.content)) as pdf:
        changed = io.BytesIO()
        pdf.save(changed, encryption=pikepdf.Encryption(owner="o", user="u"))
    assert not verify_content(changed.getvalue()).holds


@pytest.fixture(scope="session")
def attacker(tmp_path_factory: pytest.TempPathFactory) -> PdfKey:
    """A key of somebody else's making."""
    return load_or_create_pdf_key(tmp_path_factory.mktemp("attacker"), name="localhost:8000", at=MORNING)


def test_other_facts_signed_with_another_key_are_found_without_any_key(
    genuine: Genuine, attacker: PdfKey
) -> None:
    forged = edited(genuine.evidence, lambda facts: facts["request"].update(reason="Nobody wrote this."))
    result = verify_content(signed_pdf(forged, attacker))
    found = {check.name for check in result.checks if check.holds is False}
    assert {"certificate", "story-request"} <= found
    assert "pdf-signature" not in found


def test_a_whole_world_of_ones_own_holds_but_stays_unproved_and_fails_with_the_key(
    genuine: Genuine, attacker: PdfKey
) -> None:
    """The strongest forger: own ledger, own keys, a story that fits. Only the key that was given tells."""
    result = verify_content(forged_world(genuine.evidence, attacker))
    assert [check.line for check in result.checks if check.holds is False] == []
    assert not result.proven
    assert "remains unproved" in result.verdict
    result = verify_content(forged_world(genuine.evidence, attacker), trusted=genuine.trusted)
    assert [check.name for check in result.checks if check.holds is False] == ["ledger-key"]
    assert not result.holds


def forged_world(evidence: Evidence, attacker: PdfKey) -> bytes:
    facts = evidence.model_dump(mode="json")
    key, name = Ed25519PrivateKey.generate(), evidence.ledger.origin
    for entry in facts["ledger"]["entries"]:
        if entry["body"]["tag"] == "evidence:key-introduced":
            entry["body"]["facts"]["certificate"] = attacker.fingerprint
    entries = facts["ledger"]["entries"]
    # What the file does not tell of is any leaf.
    leaves = [leaf_hash(b"another entry")] * max(entry["number"] for entry in entries)
    for entry in entries:
        leaves[entry["number"] - 1] = leaf_hash(canonical_json(entry["body"]))
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    for entry in entries:
        entry["inclusion"] = [_text(step) for step in _path(leaves, entry["number"] - 1)]
    facts["ledger"]["checkpoint"] = sign_head(Head(name, len(leaves), frontier.root()), name, key)
    facts["ledger"]["verifier"] = verifier_key(name, key.public_key())
    return signed_pdf(Evidence.model_validate_json(canonical_json(facts)), attacker)


def _path(leaves: list[bytes], index: int) -> list[bytes]:
    def node(level: int, position: int) -> bytes:
        if level == 0:
            return leaves[position]
        return node_hash(node(level - 1, 2 * position), node(level - 1, 2 * position + 1))

    return inclusion_proof(node, index, len(leaves))


def _text(step: bytes) -> str:
    return base64.b64encode(step).decode()


def _entry(facts: dict[str, Any], tag: str) -> dict[str, Any]:
    return next(entry for entry in facts["ledger"]["entries"] if entry["body"]["tag"] == tag)


def _exchange_decisions(facts: dict[str, Any]) -> None:
    one, other = facts["decisions"]
    one["person"], other["person"] = other["person"], one["person"]


def _exchange_entries(facts: dict[str, Any]) -> None:
    entries = facts["ledger"]["entries"]
    entries[3], entries[4] = entries[4], entries[3]


def _reseal(facts: dict[str, Any]) -> None:
    sealing = facts["sealings"][0]
    sealing["document"]["answers"]["word"] = "other"
    sealing["seal"] = facts["request"]["seal"] = digest(sealing["document"])


def _remove_decision_and_entry(facts: dict[str, Any]) -> None:
    gone = facts["decisions"].pop()
    facts["ledger"]["entries"] = [
        entry
        for entry in facts["ledger"]["entries"]
        if not (entry["body"]["tag"] == "approval:approved" and entry["body"]["actor"] == gone["person"])
    ]


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "the decisions' people exchanged": _exchange_decisions,
    "a verdict turned round": lambda facts: facts["decisions"][0].update(verdict="deny"),
    "a comment rewritten": lambda facts: facts["decisions"][0].update(comment="I was not asked."),
    "a decision moved in time": lambda facts: facts["decisions"][0].update(
        decided_at="2026-11-18T08:00:00+00:00"
    ),
    "another sign-in": lambda facts: facts["decisions"][0].update(acr="urn:other"),
    "a decision left out": lambda facts: facts["decisions"].pop(),
    "a decision left out with its entry": _remove_decision_and_entry,
    "a decision invented": lambda facts: facts["decisions"].append(
        {**facts["decisions"][0], "person": "person:1"}
    ),
    "a decision on another seal": lambda facts: facts["decisions"][0].update(seal="sha256:" + "0" * 64),
    "the seal edited": lambda facts: facts["request"].update(seal="sha256:" + "1" * 64),
    "the sealed plan edited": lambda facts: facts["sealings"][0]["document"]["plan"][0]["lines"][0].update(
        text="Nothing"
    ),
    "the answers edited and sealed again": _reseal,
    "an answer edited": lambda facts: facts["answers"][0].update(value="other"),
    "the reason edited": lambda facts: facts["request"].update(reason="Another reason."),
    "another requester": lambda facts: facts["request"].update(requester="person:4"),
    "another state": lambda facts: facts["request"].update(state="rejected"),
    "fulfilled at another time": lambda facts: facts["request"].update(
        fulfilled_at="2026-11-18T08:00:00+00:00"
    ),
    "the offering's text edited": lambda facts: facts["offering"]["document"].update(summary="Another."),
    "another offering version": lambda facts: facts["offering"].update(version=7),
    "another publisher": lambda facts: facts["offering"].update(publisher="person:4"),
    "controls added": lambda facts: facts["controls"].update({"PCI DSS 4.0": ["1.2.2"]}),
    "a stage left out": lambda facts: facts["stages"].pop(),
    "a smaller quorum": lambda facts: facts["stages"][0].update(quorum=0),
    "an approver added": lambda facts: facts["stages"][0]["approvers"].append(
        facts["stages"][1]["approvers"][0]
    ),
    "a stage's promise moved": lambda facts: facts["stages"][0].update(due_at="2027-11-18T08:00:00+00:00"),
    "the plan that was applied edited": lambda facts: facts["steps"][0]["plan"].update(
        target="another shelf"
    ),
    "the outcome edited": lambda facts: facts["steps"][0]["outcome"]["facts"].update(word="other"),
    "how it was found edited": lambda facts: facts["steps"][0]["outcome"].update(found="already-true"),
    "what was read back edited": lambda facts: facts["steps"][0]["read_back"]["facts"].update(there=False),
    "what was read back left out": lambda facts: facts["steps"][0].update(read_back={}),
    "a step left out": lambda facts: facts["steps"].pop(),
    "a step's key edited": lambda facts: facts["steps"][0].update(key="sha256:" + "2" * 64),
    "an entitlement left out": lambda facts: facts["entitlements"].pop(),
    "another holder": lambda facts: facts["entitlements"][0].update(holder="person:4"),
    "an entitlement said to have ended": lambda facts: facts["entitlements"][0].update(
        ended_at="2026-11-18T09:40:00+00:00"
    ),
    "an entry removed": lambda facts: facts["ledger"]["entries"].remove(_entry(facts, "approval:approved")),
    "the submission removed": lambda facts: facts["ledger"]["entries"].remove(
        _entry(facts, "request:submitted")
    ),
    "the seal's entry removed": lambda facts: facts["ledger"]["entries"].remove(
        _entry(facts, "request:sealed")
    ),
    "a read-back's entry removed": lambda facts: facts["ledger"]["entries"].remove(
        _entry(facts, "step:read-back")
    ),
    "an entry doubled": lambda facts: facts["ledger"]["entries"].append(_entry(facts, "approval:approved")),
    "two entries exchanged": _exchange_entries,
    "an entry edited": lambda facts: _entry(facts, "approval:approved")["body"]["facts"].update(
        acr="urn:other"
    ),
    "an entry's number edited": lambda facts: _entry(facts, "step:applied").update(number=1),
    "a personal value edited": lambda facts: _entry(facts, "request:submitted")["personal"]["reason"].update(
        value="x"
    ),
    "a salt edited": lambda facts: _entry(facts, "request:submitted")["personal"]["reason"].update(
        salt="AAAA"
    ),
    "a proof edited": lambda facts: _entry(facts, "step:applied")["inclusion"].reverse(),
    "a proof cut off": lambda facts: _entry(facts, "step:applied")["inclusion"].pop(),
    "the checkpoint's size edited": lambda facts: facts["ledger"].update(
        checkpoint=re.sub(r"\n\d+\n", "\n99\n", facts["ledger"]["checkpoint"], count=1)
    ),
    "the ledger's name edited": lambda facts: facts["ledger"].update(origin="other/ledger"),
}


@pytest.mark.parametrize("what", EDITS)
def test_facts_that_were_edited_disagree_with_the_ledger_or_the_seal(genuine: Genuine, what: str) -> None:
    """Whoever signs the file: these are found without looking at its signature."""
    forged = edited(genuine.evidence, EDITS[what])
    assert forged != genuine.evidence
    assert judged(forged) != []


def test_the_same_facts_on_other_pages_are_found(genuine: Genuine) -> None:
    """An insider with the true key signs pages that say something else than the facts that they carry."""
    for old, new in (
        ("Olga Owner", "Otto Owner"),
        ("Approved", "Denied"),
        ("medium", "low"),
        ("Deviations", ""),
    ):
        html = to_html(genuine.evidence)
        assert old in html
        pages = render(
            html.replace(old, new),
            attachments=attachments_of(genuine.evidence),
            identifier=b"0" * 32,
            created=MORNING,
            title="Evidence",
            lang="en",
        )
        at = datetime.fromisoformat(genuine.evidence.as_of)
        result = verify_content(sign(pages, genuine.key, at=at, reason="x"), trusted=genuine.trusted)
        assert {"pages", "rendered-again"} == {check.name for check in result.checks if check.holds is False}


def test_a_file_of_another_version_holds_with_a_word_about_its_pages(genuine: Genuine) -> None:
    other = edited(
        genuine.evidence, lambda facts: facts["portal"].update(look="sha256:" + "0" * 64, version="0.0.1")
    )
    result = verify_content(signed_pdf(other, genuine.key), trusted=genuine.trusted)
    assert [check.name for check in result.checks if check.holds is False] == []
    assert [check.name for check in result.checks if check.holds is None] == ["pages"]
    assert "another version of Countersign (0.0.1)" in result.checks[-3].sentence


def test_pages_of_another_version_may_leave_no_fact_out(genuine: Genuine) -> None:
    other = edited(genuine.evidence, lambda facts: facts["portal"].update(look="sha256:" + "0" * 64))
    pages = render(
        to_html(other).replace("It is a mighty word", "x").replace("Olga Owner", "Otto Owner"),
        attachments=attachments_of(other),
        identifier=b"0" * 32,
        created=MORNING,
        title="Evidence",
        lang="en",
    )
    at = datetime.fromisoformat(other.as_of)
    result = verify_content(sign(pages, genuine.key, at=at, reason="x"), trusted=genuine.trusted)
    assert [check.sentence for check in result.checks if check.holds is False] == [
        "The pages leave out what the facts say: “Olga Owner”"
    ]


def test_other_facts_under_the_same_pages_are_found(genuine: Genuine) -> None:
    """An insider with the true key hides a deviation in the facts alone."""
    forged = edited(genuine.evidence, lambda facts: facts["deviations"].append("Nothing happened."))
    result = verify_content(signed_pdf(forged, genuine.key), trusted=genuine.trusted)
    assert [check.name for check in result.checks if check.holds is False] == ["facts"]


def test_nothing_that_a_file_may_hold_breaks_the_verifier(
    tmp_path: Path, genuine: Genuine, attacker: PdfKey
) -> None:
    dice = random.Random(SEED)
    garbage = [dice.randbytes(dice.randrange(1, 4_000)) for _ in range(40)]
    garbage += [b"%PDF-1.7\n" + dice.randbytes(2_000) for _ in range(20)]
    garbage += ["".join(dice.choices(string.printable, k=500)).encode() for _ in range(20)]
    garbage += [b"%PDF-1.7\n/Contents <" + b"30" * 90 + b">\n/ByteRange [0 19 203 0]" for _ in range(1)]
    for content in garbage:
        result = verify_content(content)
        assert not result.holds
        assert all(check.sentence.endswith(".") for check in result.checks)
    file = tmp_path / "empty.pdf"
    file.write_bytes(b"")
    assert not verify_file(file).holds


@pytest.mark.parametrize(
    "facts",
    [b"", b"{", b"null", b"[]", b"{}", b'{"format": "countersign-evidence/2"}', b"\xff\xfe", b"[" * 5_000],
)
def test_a_signed_file_with_other_facts_does_not_hold(attacker: PdfKey, facts: bytes) -> None:
    pdf = render(
        "<!DOCTYPE html><html lang='en'><head><title>x</title></head><body><p>x</p></body></html>",
        attachments=[
            Attachment("checkpoint.note", b"x", "x"),
            Attachment("evidence.json", facts, "x", "Source"),
            Attachment("evidence.schema.json", b"{}", "x"),
        ],
        identifier=b"0",
        created=MORNING,
        title="x",
        lang="en",
    )
    result = verify_content(sign(pdf, attacker, at=MORNING, reason="x"))
    assert [check.name for check in result.checks if check.holds is False] == ["attachments"]


def test_facts_of_a_form_that_no_portal_writes_are_a_no_and_not_an_error(
    genuine: Genuine, attacker: PdfKey
) -> None:
    def twist(facts: dict[str, Any]) -> None:
        for entry in facts["ledger"]["entries"]:
            entry["body"] = {
                "tag": entry["body"]["tag"],
                "subject": entry["body"]["subject"],
                "facts": {"stage": [1]},
            }
        facts["sealings"][0]["document"] = {"route": 7, "plan": "x"}

    forged = edited(genuine.evidence, twist)
    pdf = render(
        "<!DOCTYPE html><html lang='en'><head><title>x</title></head><body><p>x</p></body></html>",
        attachments=attachments_of(forged),
        identifier=b"0",
        created=MORNING,
        title="x",
        lang="en",
    )
    result = verify_content(sign(pdf, attacker, at=MORNING, reason="x"))
    assert len([check for check in result.checks if check.holds is False]) > 5
