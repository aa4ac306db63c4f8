"""Rendering in a closed child process."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pypdf
import pytest

from portal.core.assets import static_folder
from reports.pdf import render as rendering
from reports.pdf.child import MISSING
from reports.pdf.fetcher import BASE, ClosedFetcher, Refused
from reports.pdf.job import Attachment, PdfJob
from reports.pdf.render import RenderError, render

AT = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
SECRET = "a line that only this file has"
PAGE = """<!DOCTYPE html><html lang="en"><head><title>x</title>
<style>@font-face {{ font-family: Plex; src: url(fonts/IBMPlexSans-Regular.ttf) }}
html {{ font-family: Plex }} h1 {{ bookmark-level: 1 }} {css}</style></head>
<body><h1>Ein Titel</h1><p>Łukasz Ångström, Ζωή, Дарья, ﬁ</p><img src="mark.svg" alt="The mark">
<table><tr><th scope="col">A</th></tr><tr><td>1</td></tr></table>{body}</body></html>"""


def made(*, css: str = "", body: str = "", **options: Any) -> bytes:
    return render(
        PAGE.format(css=css, body=body),
        attachments=[Attachment("facts.json", b'{"a": 1}', "The facts", "Source")],
        identifier=b"0123456789abcdef",
        created=AT,
        title="A title",
        lang="en",
        **options,
    )


def test_the_same_document_gives_the_same_bytes() -> None:
    assert made() == made()
    assert made() != made(body="<p>More</p>")


def test_the_file_says_that_it_is_pdf_a_3a_and_is_tagged_named_and_bookmarked() -> None:
    with pikepdf.open(io.BytesIO(made())) as pdf:
        with pdf.open_metadata() as metadata:
            assert metadata.pdfa_status == "3A"
        assert pdf.Root.MarkInfo.Marked
        assert "/StructTreeRoot" in pdf.Root
        assert str(pdf.Root.Lang) == "en"
        assert str(pdf.docinfo["/Title"]) == "A title"
        assert str(pdf.docinfo["/CreationDate"]).startswith("D:20261118090000")
        assert len(pdf.Root.AF) == 1
        assert pdf.Root.AF[0].AFRelationship == "/Source"
        assert pdf.Root.OutputIntents[0].S == "/GTS_PDFA1"
        with pdf.open_outline() as outline:
            assert [item.title for item in outline.root] == ["Ein Titel"]


def test_letters_of_other_scripts_come_out_as_they_are_in_embedded_fonts() -> None:
    reader = pypdf.PdfReader(io.BytesIO(made()))
    text = reader.pages[0].extract_text()
    assert "Łukasz Ångström, Ζωή, Дарья" in text
    assert reader.attachments["facts.json"] == [b'{"a": 1}']


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "http://127.0.0.1:9/x.css",
        "http://static.invalid/mark.svg",
        "https://static.invalid:444/mark.svg",
        "https://user@static.invalid/mark.svg",
        "ftp://127.0.0.1/x.svg",
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>",
        "data:text/css,body{}",
        f"{BASE}../../pyproject.toml",
        f"{BASE}..%2f..%2fpyproject.toml",
        f"{BASE}%2e%2e/css/countersign.css",
        f"{BASE}fonts/../../css/countersign.css",
        f"{BASE}/etc/passwd",
        f"{BASE}%2fetc%2fpasswd",
        f"{BASE}..\\mark.svg",
        f"{BASE}mark.svg?x=1",
        f"{BASE}mark.svg#x",
        f"{BASE}fonts/OFL.txt",
        f"{BASE}fonts",
        BASE,
        f"{BASE}missing.svg",
        f"{BASE}mark.svg%00.ttf",
        f"{BASE}%ff.svg",
        "mark.svg",
        "",
    ],
)
def test_the_fetcher_serves_nothing_but_its_own_files(address: str) -> None:
    with pytest.raises(Refused, match="which is not part of it"):
        ClosedFetcher(static_folder() / "pdf").fetch(address)


def test_the_fetcher_serves_its_own_files() -> None:
    response = ClosedFetcher(static_folder() / "pdf").fetch(f"{BASE}mark.svg")
    assert response.read() == (static_folder() / "pdf" / "mark.svg").read_bytes()
    assert response.content_type == "image/svg+xml"


@pytest.mark.parametrize(
    "body",
    [
        '<img src="file:///etc/passwd" alt="x">',
        '<img src="../../css/countersign.css" alt="x">',
        '<object data="http://127.0.0.1:9/x.svg" type="image/svg+xml"></object>',
        '<p style="background: url(file:///etc/passwd)">x</p>',
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd" width="9" height="9"/></svg>',
        '<p><a href="file:///etc/passwd" rel="attachment">x</a></p>',
    ],
    ids=["img", "outside", "object", "background", "svg", "attachment"],
)
def test_a_document_that_asks_for_anything_else_is_not_rendered(body: str) -> None:
    with pytest.raises(RenderError, match="which is not part of it"):
        made(body=body)


@pytest.mark.parametrize(
    "head",
    [
        '<link rel="stylesheet" href="file:///etc/passwd">',
        '<link rel="attachment" href="file:///etc/passwd">',
        '<style>@import url("file:///etc/passwd");</style>',
        '<style>@font-face { font-family: Y; src: url("file:///etc/passwd") } p { font-family: Y }</style>',
        '<base href="file:///etc/"><link rel="stylesheet" href="passwd">',
    ],
)
def test_neither_can_styles_fonts_and_attachments(head: str) -> None:
    with pytest.raises(RenderError, match="which is not part of it"):
        made(body=head)


def test_a_symbolic_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.svg"
    outside.write_text(f'<svg xmlns="http://www.w3.org/2000/svg"><text>{SECRET}</text></svg>')
    folder = tmp_path / "pdf"
    folder.mkdir()
    (folder / "mark.svg").write_bytes((static_folder() / "pdf" / "mark.svg").read_bytes())
    (folder / "fonts").symlink_to(static_folder() / "pdf" / "fonts")
    (folder / "link.svg").symlink_to(outside)
    with pytest.raises(RenderError, match="which is not part of it"):
        made(body='<img src="link.svg" alt="x">', folder=folder)


def test_what_people_wrote_is_text() -> None:
    reader = pypdf.PdfReader(io.BytesIO(made(body="<p>{{7*7}} {0.__class__} =cmd() &lt;img src=x&gt;</p>")))
    assert "{{7*7}} {0.__class__} =cmd() <img src=x>" in reader.pages[0].extract_text()


def test_a_rendering_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(RenderError, match="took longer than 1 seconds"):
        made(body="<table>" + "<tr><td>x</td></tr>" * 20_000 + "</table>", seconds=0.6)


def test_a_rendering_that_needs_too_much_memory_is_given_up() -> None:
    big = Attachment("big", b"\0" * 200_000_000, "Two hundred megabytes")
    with pytest.raises(RenderError, match="needs more memory than a rendering may take"):
        render(
            PAGE.format(css="", body=""),
            attachments=[big],
            identifier=b"0",
            created=AT,
            title="x",
            lang="en",
            memory=220 * 1024**2,
        )


def test_a_missing_library_gives_one_sentence_that_says_how_to_mend_it() -> None:
    why = "cannot load library 'libpango-1.0-0'"
    assert rendering.sentence(MISSING, f"\n{why}") == (
        f"PDF files cannot be made on this machine, because a system library is missing: {why}. "
        "Install it with: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    )


def test_the_child_has_none_of_the_portals_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "DATABASE_URL", "OIDC_CLIENT_SECRET", "SCIM_TOKEN"):
        monkeypatch.setenv(name, SECRET)
    assert SECRET not in rendering.environment().values()
    assert set(rendering.environment()) <= {
        "PATH",
        "HOME",
        "FONTCONFIG_FILE",
        "LANG",
        "TZ",
        "SOURCE_DATE_EPOCH",
    }


def test_a_job_is_read_as_it_was_written() -> None:
    job = PdfJob(
        "<p>ä</p>", (Attachment("a", b"\n\0", "d", "Data"), Attachment("b", b"", "")), b"1f", AT, "T", "en"
    )
    stream = io.BytesIO()
    job.write(stream)
    stream.seek(0)
    assert PdfJob.read(stream) == job
