"""Kinds of files are told by their content, whatever they are called."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.attachments.kinds import KINDS, kind_of
from catalog.attachments.names import LONGEST, clean_name
from catalog.attachments.references import FileReference, read_reference, references_in

EVERY = tuple(KINDS)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    + chunk(b"IEND", b"")
)
PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xda\x00\x02pixels\xff\xd9"
TYPES = "application/vnd.openxmlformats-officedocument.{}.main+xml"


def office(
    kind: str = "xlsx", *, more: dict[str, bytes] | None = None, types: str = "", method=zipfile.ZIP_DEFLATED
) -> bytes:
    main = {
        "xlsx": ("xl/workbook.xml", "spreadsheetml.sheet"),
        "docx": ("word/document.xml", "wordprocessingml.document"),
    }
    path, name = main[kind]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(
            "[Content_Types].xml", types or f'<Types><Override ContentType="{TYPES.format(name)}"/></Types>'
        )
        archive.writestr(path, "<x/>")
        for extra, content in (more or {}).items():
            archive.writestr(extra, content)
    return file.getvalue()


GOOD = {
    "a.pdf": PDF,
    "a.png": PNG,
    "a.jpg": JPEG,
    "a.JPEG": JPEG,
    "a.csv": "id,größe\n1,2\n".encode(),
    "a.txt": b"\xef\xbb\xbfhello\r\n",
    "a.log": b"one\ntwo\n",
    "a.xlsx": office("xlsx"),
    "a.docx": office("docx"),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_file_is_what_it_says(name):
    assert kind_of(name, GOOD[name], EVERY) in KINDS


@pytest.mark.parametrize("called", [name for name in GOOD if not name.endswith((".txt", ".csv", ".log"))])
@pytest.mark.parametrize("holds", GOOD)
def test_a_file_of_another_kind_is_refused(called, holds):
    if called.rpartition(".")[2].lower()[:2] == holds.rpartition(".")[2].lower()[:2]:
        return
    with pytest.raises(ValueError, match=f"“{called}” is"):
        kind_of(called, GOOD[holds], EVERY)


def bomb() -> bytes:
    return office(more={"xl/media/zeros.bin": b"\x00" * 30_000_000})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.exe", b"MZ"),
        ("a", b"text"),
        ("a.html", b"<script>"),
        ("a.svg", b"<svg/>"),
        ("a.pdf", b""),
        ("a.pdf", b"<html>%PDF-1.7 %%EOF"),
        ("a.pdf", b"%PDF-1.7 cut off"),
        ("a.png", PNG[:-1]),
        ("a.png", PNG + b"<script>"),
        ("a.png", PNG.replace(b"IDAT", b"IDAX")),
        ("a.jpg", JPEG[:-2]),
        ("a.txt", b"\xff\xfe\x00a"),
        ("a.txt", b"a\x00b"),
        ("a.txt", b"\x1b[2J"),
        ("a.csv", "größe".encode("latin-1")),
        ("a.xlsx", bomb()),
        ("a.xlsx", office(more={"xl/vbaProject.bin": b"x"})),
        ("a.xlsx", office(more={"../evil.xml": b"x"})),
        ("a.xlsx", office(more={"/etc/passwd": b"x"})),
        ("a.xlsx", office(types="application/vnd.ms-excel.sheet.macroEnabled.main+xml")),
        ("a.xlsx", office(types="x" * (2 * 1024 * 1024), method=zipfile.ZIP_STORED)),
        ("a.xlsx", office("docx")),
        ("a.xlsx", office()[:-30]),
        ("a.docx", b"PK\x03\x04" + b"\x00" * 100),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_whole_or_not_taken_is_refused_in_a_sentence(name, content):
    with pytest.raises(ValueError, match=r"\.$"):
        kind_of(name, content, EVERY)


def test_a_kind_that_the_field_does_not_take_is_refused():
    with pytest.raises(ValueError, match="ends in jpeg, jpg, pdf"):
        kind_of("a.png", PNG, ("pdf", "jpeg"))


@given(
    st.binary(max_size=400),
    st.sampled_from(["a.pdf", "a.png", "a.jpg", "a.xlsx", "a.docx", "a.csv", "a.txt"]),
)
def test_no_bytes_are_a_traceback(content, name):
    for start in (b"", PNG[:20], b"PK\x03\x04", b"\xff\xd8\xff"):
        said = "taken."
        try:
            kind_of(name, start + content, EVERY)
        except ValueError as error:
            said = str(error)
        assert said.endswith(".")


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("C:\\Users\\ada\\plan.pdf", "plan.pdf"),
        ("../../etc/passwd", "passwd"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\r\nSet-Cookie: b.pdf", "aSet-Cookie_ b.pdf"),
        ("e\u0301tude.pdf", "étude.pdf"),
        (".pdf", "file.pdf"),
        ("...", "file"),
        ("", "file"),
        ('a"b<c>.txt', "a_b_c_.txt"),
    ],
)
def test_names_are_made_fit(raw, clean):
    assert clean_name(raw) == clean


@given(st.text(max_size=400))
def test_a_clean_name_stays_as_it_is_and_is_never_a_path(raw):
    name = clean_name(raw)
    assert 0 < len(name) <= LONGEST
    assert clean_name(name) == name
    assert not set(name) & set('/\\\n\r"<>\u202e\x00')


@given(st.text(max_size=200), st.integers(0, 2**256 - 1))
def test_a_reference_reads_back_as_written(raw, number):
    file = FileReference(clean_name(raw), f"sha256:{number:064x}")
    assert read_reference(str(file)) == file
    assert references_in([str(file), "nothing"]) == (file,)
