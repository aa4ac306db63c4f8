"""The single file and `countersign verify` agree on evidence: on the true file, and on every way to change it."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pikepdf
import pytest
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from portal.core.canonical import canonical_json
from reports.evidence.document import Evidence
from reports.evidence.html import attachments_of, to_html
from reports.evidence.verify import Verification, verify_content
from reports.evidence.verify.proofs import check_ledger
from reports.evidence.verify.seals import check_seals
from reports.evidence.verify.story import check_story
from reports.pdf.render import render
from reports.pdf.signing import sign
from reports.verifier.recount import check_story as recount
from reports.verifier.verify import Opened, Pdf, Result, Signed, Trusted, check_evidence, check_pdf
from tests.reports.conftest import Genuine
from tests.reports.evidence.test_tamper import EDITS, edited
from tests.reports.verifier.twice import read_twice, wrong_at_first, wrong_in_the_end

SEED = 20_261_122


def by_the_single_file(content: bytes, *keys: str) -> Result:
    result = Result("file.pdf")
    check_pdf(content, Trusted.of(keys), result)
    return result


def failing(result: Result) -> set[str]:
    return {name for name, holds, _ in result.checks if holds is False}


def judged(genuine: Genuine, evidence: Evidence) -> set[str]:
    """What the single file and the second reading find wrong with these facts under the genuine signature and pages."""
    opened = Opened(
        Signed(b"", None),
        Pdf(genuine.content),
        "evidence.json",
        evidence.model_dump(mode="json"),
        {"evidence.json": evidence.to_json()},
    )
    result = Result("edited")
    check_evidence(opened, Trusted(), result)
    recount(opened, result)
    return failing(result) - {"pages", "certificate"}


def test_both_hold_the_genuine_file_and_the_key_that_was_given_proves_it(genuine: Genuine) -> None:
    single = read_twice(genuine.content, genuine.verifier)
    assert [name for name, holds, _ in single.checks if not holds] == ["pages", "further"]
    assert single.proven
    assert verify_content(genuine.content, trusted=genuine.trusted).proven
    unproved = by_the_single_file(genuine.content)
    assert unproved.holds
    assert not unproved.proven
    assert [name for name, holds, _ in unproved.checks if holds is None] == [
        "ledger-key",
        "story",
        "pages",
        "further",
    ]


def test_both_refuse_a_key_that_is_not_the_ledgers(genuine: Genuine) -> None:
    result = by_the_single_file(genuine.content, "ab" * 32)
    assert failing(result) == {"ledger-key"}


@pytest.mark.parametrize("what", EDITS)
def test_both_find_facts_that_were_edited(genuine: Genuine, what: str) -> None:
    """Whoever signs the file: these are found without looking at its signature or its pages."""
    forged = edited(genuine.evidence, EDITS[what])
    strong = Verification("forged")
    for check in (check_ledger, check_seals, check_story):
        check(forged, strong)
    assert any(check.holds is False for check in strong.checks)
    assert judged(genuine, forged)


#: What the first reading alone finds: seals, what was decided on them, and the plans that were carried out.
FOUND_AT_FIRST = (
    "the decisions' people exchanged",
    "a verdict turned round",
    "another sign-in",
    "a decision left out",
    "a decision invented",
    "a decision on another seal",
    "the seal edited",
    "the sealed plan edited",
    "the answers edited and sealed again",
    "an answer edited",
    "the offering's text edited",
    "controls added",
    "a stage left out",
    "a smaller quorum",
    "the plan that was applied edited",
    "the seal's entry removed",
)


@pytest.mark.parametrize("what", FOUND_AT_FIRST)
def test_the_single_file_finds_by_itself_what_seals_and_decisions_prove(genuine: Genuine, what: str) -> None:
    assert wrong_at_first(genuine.evidence.model_dump(mode="json")) == []
    assert found_at_first(edited(genuine.evidence, EDITS[what]).model_dump(mode="json"))


def found_at_first(told: dict[str, Any]) -> list[str]:
    try:
        return wrong_at_first(told)
    except (KeyError, ValueError) as error:  # which the single file says as a sentence
        return [str(error)]


def as_approver(facts: dict[str, Any]) -> None:
    """Somebody who is no approver decided, and the facts list them as one; the ledger's entry is made to fit."""
    decision = facts["decisions"][1]
    known, other = decision["person"], facts["offering"]["publisher"]
    decision["person"] = other
    for entry in facts["ledger"]["entries"]:
        if entry["body"]["tag"] == "approval:approved" and entry["body"]["actor"] == known:
            entry["body"]["actor"] = other
    for stage in facts["stages"]:
        for approver in stage["approvers"]:
            if approver["person"] == known:
                approver["person"] = other


def as_if_prepared_again(facts: dict[str, Any]) -> None:
    facts["request"].update(seal=None)
    facts["answers"][0].update(value="other")


def as_if_of_a_later_revision(facts: dict[str, Any]) -> None:
    facts["request"].update(revision=2)
    facts["answers"][0].update(value="other")


def as_if_told_twice(facts: dict[str, Any]) -> None:
    """One decision twice in the place of another, so that the numbers fit."""
    facts["decisions"][1] = facts["decisions"][0]


def as_if_void(facts: dict[str, Any]) -> None:
    facts["decisions"][0].update(voided_at=facts["as_of"], voided_because="It was not meant.")


@pytest.mark.parametrize(
    ("trick", "said"),
    [
        (as_approver, "is by nobody who was sealed as an approver or asked later"),
        (as_if_prepared_again, "The request has no seal"),
        (as_if_of_a_later_revision, "Seal 1 names other answers."),
        (as_if_void, "approval:voided"),
        (as_if_told_twice, "or tell twice"),
    ],
)
def test_facts_that_fit_one_another_still_have_to_fit_the_seals(
    genuine: Genuine, trick: Callable[[dict[str, Any]], None], said: str
) -> None:
    told = edited(genuine.evidence, trick).model_dump(mode="json")
    assert said in " ".join([*wrong_at_first(told), *wrong_in_the_end(told)])


def test_the_genuine_facts_hold_where_edited_ones_do_not(genuine: Genuine) -> None:
    assert judged(genuine, genuine.evidence) == set()


def with_a_later_revision(content: bytes) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    writer.root[pdf_name("/Lang")] = pdf_string("xx")
    writer.update_root()
    changed = io.BytesIO()
    writer.write(changed)
    return changed.getvalue()


def saved_again(content: bytes, **settings: Any) -> bytes:
    changed = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as pdf:
        pdf.save(changed, **settings)
    return changed.getvalue()


def with_another_attachment(content: bytes) -> bytes:
    changed = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as pdf:
        pdf.attachments["evidence.json"] = pikepdf.AttachedFileSpec(
            pdf, b'{"format": "countersign-evidence/1"}'
        )
        pdf.save(changed)
    return changed.getvalue()


def flipped(content: bytes, position: int) -> bytes:
    changed = bytearray(content)
    changed[position] ^= 1
    return bytes(changed)


FILES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda content: b"",
    "a text": lambda content: b"This is no PDF.",
    "cut off early": lambda content: content[:1_000],
    "cut off late": lambda content: content[:-2],
    "a byte behind it": lambda content: content + b"\n",
    "a later revision": with_a_later_revision,
    "saved again": saved_again,
    "encrypted": lambda content: saved_again(content, encryption=pikepdf.Encryption(owner="o", user="u")),
    "another attachment": with_another_attachment,
    "a bit of a page": lambda content: flipped(content, 5_000),
    "a bit of the cross-references": lambda content: flipped(content, content.rindex(b"startxref") - 30),
    "a bit of the signature": lambda content: flipped(content, content.index(b"/Contents <") + 2_000),
    "the room beside the signature": lambda content: (
        content[: content.index(b">\n/ByteRange") - 1] + b"1" + content[content.index(b">\n/ByteRange") :]
    ),
}


@pytest.mark.parametrize("what", FILES)
def test_both_find_files_that_were_changed(genuine: Genuine, what: str) -> None:
    forged = FILES[what](genuine.content)
    assert not verify_content(forged).holds
    assert failing(read_twice(forged)) in ({"pdf-signature"}, {"form"})


def test_one_bit_changed_anywhere_is_found(genuine: Genuine) -> None:
    dice = random.Random(SEED)
    signature = genuine.content.index(b"/Contents <")
    positions = dice.sample(range(len(genuine.content)), 100)
    positions += dice.sample(range(signature + 11, signature + 2 * 1_916), 100)
    for position in positions:
        forged = flipped(genuine.content, position)
        assert not read_twice(forged).holds, f"a bit changed at {position} was not found"


def test_pages_that_say_something_else_are_found(genuine: Genuine) -> None:
    """An insider with the true key signs other pages over the true facts."""
    html = to_html(genuine.evidence)
    at = datetime.fromisoformat(genuine.evidence.as_of)
    for old, new in (("Olga Owner", "Otto Owner"), ("medium", "low")):
        pages = render(
            html.replace(old, new),
            attachments=attachments_of(genuine.evidence),
            identifier=b"0" * 32,
            created=datetime.fromisoformat("2026-11-18T09:00:00+00:00"),
            title="Evidence",
            lang="en",
        )
        result = read_twice(sign(pages, genuine.key, at=at, reason="x"), genuine.verifier)
        assert failing(result) == {"pages"}, old


@pytest.mark.parametrize("seed", range(4))
def test_nothing_that_a_file_may_hold_breaks_it(genuine: Genuine, seed: int) -> None:
    """The readers are fed what was signed by somebody: whatever it is, it is a sentence and never a traceback."""
    dice = random.Random(seed)
    content = bytearray(genuine.content)
    for _ in range(40):
        content[dice.randrange(len(content))] = dice.randrange(256)
    for garbage in (bytes(content), b"%PDF-1.7\n" + dice.randbytes(3_000), dice.randbytes(500)):
        result = by_the_single_file(garbage)
        assert not result.holds
        assert all(sentence.endswith(".") for _, _, sentence in result.checks)


def test_facts_of_a_form_that_no_portal_writes_are_a_no_and_not_an_error(genuine: Genuine) -> None:
    facts = genuine.evidence.model_dump(mode="json")
    for entry in facts["ledger"]["entries"]:
        entry["body"] = {
            "tag": entry["body"]["tag"],
            "subject": entry["body"]["subject"],
            "facts": {"stage": [1]},
        }
    facts["sealings"][0]["document"] = {"route": 7, "plan": "x"}
    assert len(judged(genuine, Evidence.model_validate_json(canonical_json(facts)))) > 4
