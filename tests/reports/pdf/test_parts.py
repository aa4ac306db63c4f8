"""Long documents: parts that are rendered alone and read as one file."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pytest
from fontTools.ttLib import TTFont

from reports.pdf.job import Attachment
from reports.pdf.keys import load_or_create_pdf_key
from reports.pdf.parts import Heading, LongDocument, Rendered, render_long
from reports.pdf.render import RenderError
from reports.pdf.signing import sign

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HEAD = """<link rel="stylesheet" href="evidence.css"><style>
@page wide { size: A4 landscape; margin: 15mm 30mm 20mm 12mm } .wide { page: wide }</style>"""
ROWS = 30
#: Each register has a letter that no other part has: the fonts are one subset for all of them.
LETTERS = "ŁΩЖſ"
TITLE = "Bericht „Grün“ (über alles)"


def cover() -> str:
    return '<h1 id="cover">The report</h1><p>The register begins with <a href="#register-1">its first part</a>.</p>'


def register(number: int) -> Callable[[], str]:
    def html() -> str:
        rows = "".join(
            f'<tr><th scope="row">R-{number}-{row:03}</th><td>{LETTERS[number]}x {row} &lt;b&gt; 12 0 R</td>'
            f'<td><a href="#cover">cover</a></td></tr>'
            for row in range(ROWS)
        )
        return (
            f'<h2 id="register-{number}">Register {number}</h2><h3>Rows (of {number})\\</h3><table><colgroup>'
            '<col class="w40"><col></colgroup><thead><tr><th scope="col">Row</th><th scope="col">Text</th>'
            f'<th scope="col">Back</th></tr></thead><tbody>{rows}</tbody></table>'
            f'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><title>A square {number}</title>'
            '<rect width="20" height="20"/></svg><a href="https://example.org/?a=1">outside</a>'
        )

    return html


def wide() -> str:
    return '<div class="wide"><h2 id="wide">Landscape</h2><p>On its side.</p></div>'


def contents(headings: Sequence[Heading]) -> str:
    lines = "".join(
        f'<li>{escape(heading.text)} <a href="#{heading.anchor or "cover"}">{heading.page}</a></li>'
        for heading in headings
    )
    # Long enough for two pages, so that its own length moves the numbers in it.
    return f'<h2 id="contents">Contents</h2><ul>{lines}</ul><p style="break-before: page">End of contents</p>'


def foot(page: int, pages: int) -> tuple[str, str]:
    return "AR-000001 " + "very " * (60 if page == 1 else 1) + "long", f"Page {page} of {pages}"


DOCUMENT = LongDocument(
    head=HEAD,
    parts=[cover, *(register(number) for number in range(4)), wide],
    title=TITLE,
    lang="en",
    identifier=b"0123456789abcdef",
    created=AT,
    foot=foot,
    contents=contents,
    attachments=(
        Attachment("audit.json", b'{"a": 1}', "The facts", "Source"),
        Attachment("after.note", b"a note", "A checkpoint: \u201eafter\u201c"),
    ),
)
SMALL = replace(DOCUMENT, parts=[lambda: "<p>One page</p>"], contents=None, attachments=())


@dataclass
class Made:
    path: Path
    rendered: Rendered
    told: list[tuple[int, int]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The document by two processes."""
    path = tmp_path_factory.mktemp("long") / "report.pdf"
    told: list[tuple[int, int]] = []
    rendered = render_long(DOCUMENT, path, processes=2, progress=lambda done, of: told.append((done, of)))
    return Made(path, rendered, told)


@pytest.fixture(scope="module")
def texts(made: Made) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(made.path).pages]


def test_every_page_has_its_number_and_the_number_of_all(made: Made, texts: list[str]) -> None:
    assert made.rendered.pages == len(texts) > 10
    for number, text in enumerate(texts, 1):
        assert f"Page {number} of {len(texts)}" in text
        assert "AR-000001 very" in text


def test_a_foot_that_is_too_long_is_cut_with_a_sign(texts: list[str]) -> None:
    assert "…" in texts[0]
    assert "…" not in texts[1]


def test_the_foot_stands_within_the_margins_of_a_page_on_its_side(made: Made) -> None:
    with pikepdf.open(made.path) as pdf:
        page = pdf.pages[-1]
        assert float(page.mediabox[2]) > float(page.mediabox[3])
        drawn = page.Contents[-1].read_bytes().decode()
    left, right = (line.split() for line in drawn.splitlines() if line.startswith("BT"))
    assert float(left[5]) == pytest.approx(12 / 25.4 * 72, abs=0.01)
    assert 400 < float(right[5]) < 842 - 30 / 25.4 * 72
    assert float(left[6]) == pytest.approx(595.28 - 10 / 25.4 * 72 + 2.6, abs=0.1)


def test_the_contents_name_the_pages_on_which_the_headings_stand(made: Made, texts: list[str]) -> None:
    listed = texts[1]
    assert "End of contents" in texts[2]
    for heading in made.rendered.headings:
        if heading.anchor == "contents":
            assert heading.page == 2
            continue
        assert f"{heading.text} {heading.page}" in listed
        assert heading.text in texts[heading.page - 1]
    assert [heading.text for heading in made.rendered.headings][:4] == [
        "The report",
        "Contents",
        "Register 0",
        "Rows (of 0)\\",
    ]


def test_links_lead_to_their_place_in_whatever_part_it_is(made: Made) -> None:
    reader = pypdf.PdfReader(made.path)
    places = {
        name: reader.get_destination_page_number(place) + 1
        for name, place in reader.named_destinations.items()
    }
    pages = {heading.anchor: heading.page for heading in made.rendered.headings if heading.anchor}
    assert places == pages
    found = {
        (number, str(annotation.get_object()["/Dest"]))
        for number, page in enumerate(reader.pages, 1)
        for annotation in page.get("/Annots", [])
        if "/Dest" in annotation.get_object()
    }
    assert (1, "register-1") in found
    assert (2, "wide") in found
    assert (pages["register-3"], "cover") in found
    outside = [
        annotation.get_object()["/A"]["/URI"]
        for page in reader.pages
        for annotation in page.get("/Annots", [])
        if "/A" in annotation.get_object()
    ]
    assert outside == ["https://example.org/?a=1"] * 4


def test_bookmarks_hang_below_one_another_and_lead_to_their_pages(made: Made) -> None:
    reader = pypdf.PdfReader(made.path)

    def walk(items: list[Any], level: int) -> list[tuple[int, str, int]]:
        found: list[tuple[int, str, int]] = []
        for item in items:
            if isinstance(item, list):
                found += walk(item, level + 1)
            else:
                found.append((level, str(item.title), (reader.get_destination_page_number(item) or 0) + 1))
        return found

    assert walk(reader.outline, 1) == [
        (heading.level, heading.text, heading.page) for heading in made.rendered.headings
    ]


def test_the_tags_of_all_parts_are_one_tree_that_every_mark_and_link_leads_into(made: Made) -> None:
    with pikepdf.open(made.path) as pdf:
        root = pdf.Root.StructTreeRoot
        parents = dict(pikepdf.NumberTree(root.ParentTree).items())
        (document,) = root.K
        assert [str(part.S) for part in document.K] == ["/Part"] * 7
        reached: set[tuple[int, int]] = set()
        names: dict[str, int] = {}

        def walk(element: Any) -> None:
            reached.add(element.objgen)
            names[str(element.S)] = names.get(str(element.S), 0) + 1
            for kid in element.K:
                if isinstance(kid, int):
                    assert parents[int(element.Pg.StructParents)][kid].objgen == element.objgen
                elif kid.get("/Type") == "/OBJR":
                    assert parents[int(kid.Obj.StructParent)].objgen == element.objgen
                else:
                    assert kid.P.objgen == element.objgen
                    walk(kid)

        for part in document.K:
            assert part.P.objgen == document.objgen
            walk(part)
        keys = [int(page.obj.StructParents) for page in pdf.pages]
        links = [int(link.StructParent) for page in pdf.pages for link in page.obj.get("/Annots", [])]
        assert sorted(keys + links) == sorted(parents) == list(range(int(root.ParentTreeNextKey)))
        for page in pdf.pages:
            marked = parents[int(page.obj.StructParents)]
            assert page.Contents[0].read_bytes().count(b"/MCID") == len(marked)
            assert {element.objgen for element in marked} <= reached
        assert names["/TR"] == 4 * ROWS + names["/THead"]
        assert names["/Figure"] == 4
        assert names["/H2"] == 6
        scopes = {str(cell.A.Scope) for cell in pdf.objects if _is(cell, "/TH")}
        assert scopes == {"/Row", "/Column"}


def _is(item: Any, name: str) -> bool:
    return isinstance(item, pikepdf.Dictionary) and item.get("/S") == name


def test_all_parts_share_one_subset_of_each_font_that_has_every_letter(made: Made, texts: list[str]) -> None:
    whole = " ".join(texts)
    for letter in LETTERS:
        assert f"{letter}x 7 <b> 12 0 R" in whole
    with pikepdf.open(made.path) as pdf:
        fonts = [
            item for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and "/FontFamily" in item
        ]
        assert sorted(str(font.FontFamily) for font in fonts) == ["Plex Sans", "Plex Sans"]
        assert len({page.Resources.Font.objgen for page in pdf.pages}) == 1
        glyphs = [TTFont(io.BytesIO(font.FontFile2.read_bytes()))["glyf"] for font in fonts]
        drawn = [
            sum(glyph.numberOfContours != 0 for glyph in font.glyphs.values())
            for font in map(_expanded, glyphs)
        ]
        assert min(drawn) > 20


def _expanded(table: Any) -> Any:
    for name in table.keys():  # noqa: SIM118  (a table is no mapping)
        table[name].expand(table)
    return table


def test_it_claims_pdf_a_and_says_of_itself_the_same_twice(made: Made) -> None:
    with pikepdf.open(made.path) as pdf:
        assert pdf.check_pdf_syntax() == []
        with pdf.open_metadata(update_docinfo=False) as metadata:
            assert metadata.pdfa_status == "3A"
            assert metadata["dc:title"] == TITLE == str(pdf.docinfo["/Title"])
            assert metadata["pdf:Producer"] == str(pdf.docinfo["/Producer"])
            assert metadata["xmp:CreateDate"] == "2026-11-22T09:00:00Z"
        assert str(pdf.docinfo["/CreationDate"]) == "D:20261122090000Z"
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en"
        (intent,) = pdf.Root.OutputIntents
        assert intent.DestOutputProfile.read_bytes()[36:40] == b"acsp"
        assert bytes(pdf.trailer.ID[0]) == b"0123456789abcdef"
        assert all(int(link.F) == 4 for page in pdf.pages for link in page.obj.get("/Annots", []))


def test_poppler_reads_it_as_tagged_without_a_complaint(made: Made) -> None:
    done = subprocess.run(["pdfinfo", "-struct", made.path], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.count("\n  Part") == 7


def test_the_files_are_inside_and_belong_to_the_document(made: Made) -> None:
    reader = pypdf.PdfReader(made.path)
    assert reader.attachments == {"audit.json": [b'{"a": 1}'], "after.note": [b"a note"]}
    with pikepdf.open(made.path) as pdf:
        assert [(str(file.UF), str(file.AFRelationship), str(file.Desc)) for file in pdf.Root.AF] == [
            ("audit.json", "/Source", "The facts"),
            ("after.note", "/Supplement", "A checkpoint: \u201eafter\u201c"),
        ]
        assert str(pdf.Root.AF[0].EF.F.Subtype) == "/application/json"


def test_the_same_document_gives_the_same_bytes_whatever_the_number_of_processes(
    made: Made, tmp_path: Path
) -> None:
    render_long(DOCUMENT, tmp_path / "alone.pdf", processes=1)
    assert (tmp_path / "alone.pdf").read_bytes() == made.path.read_bytes()


def test_a_signature_covers_it(made: Made, tmp_path: Path) -> None:
    key = load_or_create_pdf_key(tmp_path, name="a test", at=AT)
    signed = tmp_path / "signed.pdf"
    signed.write_bytes(sign(made.path.read_bytes(), key, at=AT, reason="x"))
    done = subprocess.run(["pdfsig", "-nocert", signed], capture_output=True, text=True, check=True)
    assert "Signature is Valid" in done.stdout
    assert "Total document signed" in done.stdout


def test_progress_counts_parts_up_to_the_whole(made: Made) -> None:
    assert made.told == [(done, 7) for done in range(1, 8)]


def test_parts_are_written_when_their_turn_comes(tmp_path: Path) -> None:
    written: list[int] = []
    told: list[int] = []

    def part(number: int) -> Callable[[], str]:
        def html() -> str:
            # One is rendered and one waits: none is written further ahead of what is done.
            assert number - len(told) <= 2
            written.append(number)
            return f"<p>{number}</p>"

        return html

    document = replace(SMALL, parts=[part(number) for number in range(8)])
    render_long(document, tmp_path / "x.pdf", processes=1, progress=lambda done, _: told.append(done))
    assert written == list(range(8))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('<img src="file:///etc/passwd" alt="x">', "which is not part of it"),
        ('<a href="#nowhere">x</a>', "links to #nowhere, which is nowhere in it"),
        ("<p>\U0010fffd</p>", "characters that its fonts lack: U\\+10FFFD"),
    ],
)
def test_a_part_that_cannot_be_rendered_says_why_and_leaves_nothing_behind(
    tmp_path: Path, body: str, sentence: str
) -> None:
    with pytest.raises(RenderError, match=sentence):
        render_long(replace(SMALL, parts=[lambda: body]), tmp_path / "x.pdf")
    assert list(tmp_path.iterdir()) == []


def test_whoever_is_told_of_the_progress_can_stop_it(tmp_path: Path) -> None:
    def stop(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_long(SMALL, tmp_path / "x.pdf", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / ".x.pdf-abandoned").mkdir()
    (tmp_path / ".x.pdf-abandoned" / "lock").touch()
    (tmp_path / ".x.pdf-abandoned" / "0.chunk").write_bytes(b"x")
    render_long(SMALL, tmp_path / "x.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["x.pdf"]
