"""Evidence in the reader's language: other pages, the same facts, and both are checked."""

from __future__ import annotations

import hashlib
import io
import re
from datetime import UTC, datetime
from itertools import pairwise

import pypdf
import pytest

from portal.core.language import LANGUAGES, _, speaking
from reports.evidence import timeline
from reports.evidence.document import FILE_NAME
from reports.evidence.html import attachments_of, to_html
from reports.evidence.make import make_evidence, signed_pdf
from reports.evidence.verify import verify_content
from reports.pdf.render import render
from reports.pdf.signing import sign
from reports.verifier import recount
from reports.verifier import verify as single
from tests.reports.audits.sections.test_widths import MM_PER_POINT, wide
from tests.reports.conftest import EvidenceWorld, Genuine
from tests.reports.verifier.twice import read_twice


def text_of(content: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def test_german_pages_hold_the_same_facts_and_are_checked_in_german(genuine: Genuine) -> None:
    content = signed_pdf(genuine.evidence, genuine.key, "de")
    assert content == signed_pdf(genuine.evidence, genuine.key, "de")
    german = pypdf.PdfReader(io.BytesIO(content))
    assert german.root_object["/Lang"] == "de"
    assert (
        german.attachments[FILE_NAME] == pypdf.PdfReader(io.BytesIO(genuine.content)).attachments[FILE_NAME]
    )
    assert "18. November 2026" in text_of(content)
    assert "18. November 2026" not in text_of(genuine.content)
    result = verify_content(content, trusted=genuine.trusted)
    assert result.proven, [check.line for check in result.checks if not check.holds]
    sentences = [check.sentence for check in result.checks]
    assert any("(in German) say what the attached facts say, word for word." in text for text in sentences)
    assert any("come out the same, byte for byte" in text for text in sentences)
    assert "approved on 18 November 2026 was carried out unchanged" in result.claim
    single = read_twice(content, genuine.verifier)
    assert [name for name, holds, _ in single.checks if holds is not True] == ["pages", "further"]


def test_the_second_file_looks_for_who_asked_and_why_on_german_pages_too(genuine: Genuine) -> None:
    content = signed_pdf(genuine.evidence, genuine.key, "de")
    opened = single.open_pdf(content, single.Trusted(), single.Result("de.pdf"))
    assert opened is not None
    known = recount.Story(opened.told)
    result = single.Result("de.pdf")
    recount.check_pages(opened, recount.story_values(opened, known), result)
    opened.told["request"]["reason"] = "Forged words"
    recount.check_pages(opened, recount.story_values(opened, known), result)
    assert [holds for _, holds, _ in result.checks] == [True, False]
    assert "“Forged words”" in result.checks[1][2]


@pytest.mark.parametrize("stated", ["en", "fr"])
def test_pages_in_another_language_than_the_pdf_states_are_found(genuine: Genuine, stated: str) -> None:
    evidence = genuine.evidence
    with speaking("de"):
        html = to_html(evidence)
    at = datetime.fromisoformat(evidence.as_of)
    content = render(
        html,
        attachments=attachments_of(evidence),
        identifier=hashlib.sha256(b"x").hexdigest().encode(),
        created=at.astimezone(UTC),
        title="Evidence",
        lang=stated,
    )
    result = verify_content(sign(content, genuine.key, at=at, reason="x"), trusted=genuine.trusted)
    assert not result.holds
    assert next(check.name for check in result.checks if check.holds is False) == "pages"


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_each_language_of_one_story_is_made_once(world: EvidenceWorld) -> None:
    reference = world.withdrawn()
    files = [make_evidence(world.bench, reference, language) for language in ("en", "de", "de", "en")]
    assert files[0] == files[3]
    assert files[1] == files[2]
    assert files[0].digest != files[1].digest


def test_no_time_on_german_pages_is_cut_from_its_zone(genuine: Genuine) -> None:
    """`18. November 2026, 09:07:00 Uhr UTC` is longer than what English needs."""
    told = text_of(signed_pdf(genuine.evidence, genuine.key, "de"))
    assert told.count("Uhr UTC") > 20
    assert not re.search(r"Uhr\s*\n\s*UTC", told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_drawing_stand_apart_and_inside_it(language: str) -> None:
    target, portal = timeline.TARGET, timeline.PORTAL
    happened = [
        (portal, "Started"), (target, "Applied"), (target, "Read back"), (target, "Failed"), (target, "Taken away"),
        (target, "Undone"), (portal, "Failed"),
    ]  # fmt: skip
    at = "2026-11-18T09:00:00+00:00"
    with speaking(language):
        marks = [timeline.Mark(lane, _(word), "dot", at) for lane, word in (*happened[:4], *happened)]
        drawn = timeline._drawing(marks, 0, lanes=(portal, target), each=len(marks))
    places = {"start": 0, "middle": 0.5, "end": 1}
    boxes = []
    for mark in drawn.marks:
        # The drawing's letters are 2.3 mm high.
        width = wide(mark.word, 2.3 / MM_PER_POINT, "SemiBold")
        left = mark.word_x - width * places[mark.anchor]
        boxes.append((mark.word_y, left, left + width, mark.word))
    assert all(left >= timeline.NAMES and right <= timeline.WIDTH for _y, left, right, _word in boxes), boxes
    for above, beside in pairwise(sorted(boxes)):
        assert above[0] != beside[0] or above[2] <= beside[1], (above, beside)
