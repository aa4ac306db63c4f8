"""Names of every script: shown where a shipped font has them, spelt out where none does, and verified either way."""

from __future__ import annotations

import io

import pypdf
import pytest

from portal.core.canonical import canonical_json
from reports.evidence.document import Evidence
from reports.evidence.html import to_pdf
from reports.evidence.legible import legible
from reports.evidence.verify import Verification
from reports.evidence.verify.pages import check_pages
from tests.reports.conftest import Genuine


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Rosa", "Rosa"),
        ("Łukasz Ångström-Çelik", "Łukasz Ångström-Çelik"),
        ("Дарья Ψωμᾶς", "Дарья Ψωμᾶς"),
        ("محمد علي", "محمد علي"),
        ("王小明", "[U+738B][U+5C0F][U+660E]"),
        ("👩 Ada", "[U+1F469] Ada"),
        ("a\u200db", "a\u200db"),
    ],
)
def test_what_no_shipped_font_has_is_written_as_its_code_point(written: str, shown: str) -> None:
    assert legible(written) == shown


def test_numbers_and_markup_are_left_alone() -> None:
    assert legible(12) == 12


@pytest.mark.parametrize(
    "name",
    [
        "محمد علي الحسن",
        "王小明",
        "שרה כהן",
        "नमस्ते",
        "fi ffi Ǆ ½ ①",
        "a\u200db",
        "👩‍💻",
        "O’Neil–Smith “x” … • y",  # noqa: RUF001  (what people type)
    ],
)
def test_pages_with_any_name_hold_and_use_shipped_fonts_only(genuine: Genuine, name: str) -> None:
    facts = genuine.evidence.model_dump(mode="json")
    for person in facts["people"]:
        person["name"] = name
    evidence = Evidence.model_validate_json(canonical_json(facts))
    pdf = to_pdf(evidence)
    result = Verification("named")
    check_pages(pdf, evidence, result)
    assert [check.line for check in result.checks if not check.holds] == []
    fonts = {
        str(font.get_object()["/BaseFont"])
        for page in pypdf.PdfReader(io.BytesIO(pdf)).pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts
    assert all("Plex" in font or "Fallback" in font for font in fonts)
