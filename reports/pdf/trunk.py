"""What all parts share, made by a child when they are done: one subset of each font, the colour profile, the metadata.

Only the children of `reports.pdf.crew` import this.
"""

from __future__ import annotations

import io
from importlib.resources import files
from pathlib import Path
from typing import Any

import pydyf
from fontTools.ttLib import TTFont
from weasyprint import DEFAULT_OPTIONS, __version__
from weasyprint.pdf import generate_pdf
from weasyprint.pdf.fonts import Font, build_fonts_dictionary
from weasyprint.pdf.metadata import DocumentMetadata
from weasyprint.text.ffi import ffi, harfbuzz

from reports.pdf.layout import Studio
from reports.pdf.serial import Serial

ffi.cdef(
    """
    hb_blob_t * hb_blob_create (const char *content, unsigned int length, int mode, void *user, void *destroy);
    hb_face_t * hb_face_create (hb_blob_t *blob, unsigned int index);
    """
)
#: HB_MEMORY_MODE_READONLY
_READ_ONLY = 1


def letters(studio: Studio, html: str, wanted: str) -> dict[str, Any]:
    """Fonts, glyphs and widths (thousandths of the size) in which the page shows these letters; html shows them all."""
    document = studio.lay_out(html)
    generate_pdf(document, None, 1, **{**DEFAULT_OPTIONS, "pdf_variant": None})
    fonts = document.fonts.used()
    described = {font.hash: studio.describe(font) for font in fonts}
    found: dict[str, tuple[str, int, int]] = {}
    for font in fonts:
        with TTFont(io.BytesIO(font.file_content), fontNumber=font.index, lazy=True) as file:
            glyphs, widths = file.getBestCmap(), file["hmtx"]
            for letter in wanted:
                if letter in found or ord(letter) not in glyphs:
                    continue
                name = glyphs[ord(letter)]
                glyph, width = file.getGlyphID(name), round(widths[name][0] * 1000 / font.upem)
                found[letter] = (font.hash, glyph, width)
                described[font.hash]["to_unicode"].setdefault(glyph, letter)
                described[font.hash]["widths"].setdefault(glyph, width)
    return {"letters": found, "fonts": list(described.values())}


def trunk(studio: Studio, job: dict[str, Any], target: Path) -> dict[str, Any]:
    """Write the shared objects into a chunk and tell their places in it."""
    pdf = pydyf.PDF()
    fonts = {font["hash"]: _font(studio, font) for font in job["fonts"]}
    catalogue = build_fonts_dictionary(pdf, fonts, True, True, {**DEFAULT_OPTIONS, "pdf_version": "1.7"})  # noqa: FBT003
    pdf.add_object(catalogue)
    profile = pydyf.Stream([_profile()], pydyf.Dictionary({"N": 3}))
    pdf.add_object(profile)
    metadata = DocumentMetadata(
        title=job["title"], created=job["created"], modified=job["created"], lang=job["lang"]
    )
    metadata.include_in_pdf(pdf, "a", 3, "A", False)  # noqa: FBT003
    serial = Serial(pdf, {})
    places = {
        "fonts": serial.number(catalogue.reference),
        "profile": serial.number(profile.reference),
        "metadata": serial.number(pdf.catalog["Metadata"]),
    }
    serial.save(target)
    return {"objects": serial.count, "places": places, "producer": f"WeasyPrint {__version__}"}


def _font(studio: Studio, kept: dict[str, Any]) -> Font:
    font = Font.__new__(Font)
    font.__dict__.update(kept)
    font.name = kept["name"].encode("latin-1")
    font.missing = {}
    # JSON's keys are texts.
    font.to_unicode = {int(glyph): text for glyph, text in sorted(kept["to_unicode"].items(), key=_by_glyph)}
    font.widths = {int(glyph): width for glyph, width in kept["widths"].items()}
    font.file_content = (studio.scratch / f"{kept['file']}.font").read_bytes()
    # The bytes are held by the font as long as HarfBuzz reads them.
    font.kept = ffi.new("char[]", font.file_content)
    blob = harfbuzz.hb_blob_create(font.kept, len(font.file_content), _READ_ONLY, ffi.NULL, ffi.NULL)
    font.hb_face = ffi.gc(harfbuzz.hb_face_create(blob, font.index), harfbuzz.hb_face_destroy)
    harfbuzz.hb_blob_destroy(blob)
    return font


def _by_glyph(item: tuple[str, str]) -> int:
    return int(item[0])


def _profile() -> bytes:
    content: bytes = (files("weasyprint.pdf") / "sRGB2014.icc").read_bytes()
    return content
