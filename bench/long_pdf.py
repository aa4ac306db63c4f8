"""How fast a long register becomes a PDF: in parts, and beside it the same rows in one go with ordinary CSS.

    python -m bench.long_pdf [--rows 2000,10000] [--beside 2000,10000]

Both ways make a tagged PDF/A-3a of the same rows with contents, bookmarks and "Page 12 of 431" on each page, by the
portal's style sheet for paper, in which a word too long for its cell is broken (`overflow-wrap: anywhere`): no text is
ever cut off. "Ordinary CSS" is what one writes beside that when one does not think of the renderer: a table whose columns
find their own widths, collapsing borders, page numbers by `counter(page)` and `counter(pages)`, contents by
`target-counter`. "Fixed" is the same with `table-layout: fixed` and a `<colgroup>`, still in one go. Memory is the sum over all processes; "of work" are
seconds of processor time, which tell on a machine that has other things to do. Each way is checked for
holding every row.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from html import escape
from pathlib import Path

import pikepdf
from rich.console import Console
from rich.table import Table

from bench.memory import Watch
from portal.core.assets import static_folder
from reports.pdf.parts import Heading, LongDocument, render_long

PER_PART = 200
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
COLUMNS = {
    "Reference": 20,
    "Submitted": 27,
    "Offering": 34,
    "Unit": 30,
    "Kind": 17,
    "State": 16,
    "Requester": 30,
    "Promise": 14,
}
OFFERINGS = (
    "Access to a shared folder",
    "Firewall rule between two zones",
    "Certificate for a server name",
    "Membership of an administrators' group",
)
UNITS = ("Finance and Controlling", "Human Resources", "Research and Development", "Operations")
KINDS = ("standard", "normal", "emergency")
STATES = ("fulfilled", "rejected", "withdrawn", "failed", "ended")
NAMES = ("Łukasz Ångström", "Zoë O'Neill", "Дарья Иванова", "Ada Lovelace", "Grace Hopper", "Ζωή Παππά")
MARGINS = "@page { size: A4; margin: 20mm 11mm 22mm } html { font-size: 8.5pt }"
IN_PARTS = "in parts"
SHEET = '<link rel="stylesheet" href="evidence.css">'
#: Borders that need not be settled between neighbours are cheaper by a seventh.
CHEAP = "table { border-collapse: separate; border-spacing: 0 }"
ORDINARY = """table { table-layout: auto } tbody th { white-space: nowrap } @page { @bottom-left { content: "AR-000001" }
@bottom-right { content: "Page " counter(page) " of " counter(pages) } }
.toc::after { content: " " target-counter(attr(href), page) }"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="2000,10000", help="sizes in parts, with commas")
    parser.add_argument("--beside", default="2000,10000", help="sizes in one go, with commas; empty for none")
    parser.add_argument("--fixed", default="2000", help="sizes in one go with the parts' style sheet")
    parser.add_argument("--only", nargs=3, metavar=("WAY", "ROWS", "FILE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only:
        way, rows, file = asked.only
        make = _in_parts if way == IN_PARTS else partial(_one_go, way)
        make(int(rows), Path(file))
        return
    shown = Table(
        title="A register as PDF/A-3a", caption=f"{PER_PART} rows a part; one process for each processor"
    )
    for column in ("way", "rows", "pages", "seconds", "of work", "peak MiB", "times faster"):
        shown.add_column(column, justify="left" if column == "way" else "right")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "register.pdf"
        beside: dict[int, float] = {}
        for way, sizes in (("one go, ordinary CSS", asked.beside), ("one go, fixed", asked.fixed)):
            for rows in _sizes(sizes):
                seconds = _measure(shown, way, rows, file, beside)
                if way.endswith("CSS"):
                    beside[rows] = seconds
        for rows in _sizes(asked.rows):
            _measure(shown, IN_PARTS, rows, file, beside)
    Console().print(shown)


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",") if size]


def _measure(shown: Table, way: str, rows: int, file: Path, beside: dict[int, float]) -> float:
    command = [sys.executable, "-m", "bench.long_pdf", "--only", way, str(rows), str(file)]
    start, before = time.perf_counter(), _work()
    with Watch() as watch:
        subprocess.run(command, check=True)
    seconds, work = time.perf_counter() - start, _work() - before
    # This process takes no part in it, and remembers what it looked at before.
    peak = watch.below
    with pikepdf.open(file) as pdf:
        pages = len(pdf.pages)
    _check(file, rows)
    ratio = f"{beside[rows] / seconds:.1f}" if rows in beside else ""
    peak_shown = f"{peak / 2**20:.0f}"
    shown.add_row(way, f"{rows:,}", f"{pages:,}", f"{seconds:.1f}", f"{work:.1f}", peak_shown, ratio)
    Console(stderr=True).print(f"{way}: {rows} rows, {seconds:.1f} s, {peak / 2**20:.0f} MiB")
    return seconds


def _work() -> float:
    """Seconds of processor time that this process and those that it has waited for have used."""
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def _check(file: Path, rows: int) -> None:
    done = subprocess.run(["pdftotext", "-raw", file, "-"], capture_output=True, text=True, check=True)
    # A reference may be broken after its hyphen.
    found = set(re.findall(r"SR-\s*(\d{6})", done.stdout))
    for number in range(rows):
        if f"{number + 1:06d}" not in found:
            message = f"row {number + 1} is not in the file"
            raise RuntimeError(message)


def _in_parts(rows: int, file: Path) -> None:
    parts = [lambda: '<h1 id="cover">A register</h1>']
    parts += [_part(start, min(start + PER_PART, rows)) for start in range(0, rows, PER_PART)]
    document = LongDocument(
        head=f"{SHEET}<style>{MARGINS} {CHEAP}</style>",
        parts=parts,
        title="A register",
        lang="en",
        identifier=b"bench",
        created=AT,
        foot=lambda page, pages: ("AR-000001", f"Page {page} of {pages}"),
        contents=_contents,
    )

    render_long(document, file)


def _part(start: int, end: int) -> Callable[[], str]:
    columns = "".join(f'<col style="width: {width}mm">' for width in COLUMNS.values())
    return lambda: _register(start, end, f"<colgroup>{columns}</colgroup>")


def _contents(headings: Sequence[Heading]) -> str:
    lines = "".join(
        f'<li><a href="#{heading.anchor}">{escape(heading.text)}</a> {heading.page}</li>'
        for heading in headings
    )
    return f"<h2>Contents</h2><ul>{lines}</ul>"


def _register(start: int, end: int, colgroup: str) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    rows = "".join(_row(number) for number in range(start, end))
    return (
        f'<h2 id="from-{start}">Rows {start + 1} to {end}</h2><table class="tight">{colgroup}'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(number: int) -> str:
    cells = (
        f"{number % 28 + 1} Mar 2026, {number % 24:02}:{number % 60:02}",
        OFFERINGS[number % len(OFFERINGS)],
        UNITS[number % 3],
        KINDS[number % 5 % 3],
        STATES[number % 7 % 5],
        f"{NAMES[number % 6]} {number % 97}",
        "kept" if number % 9 else "missed",
    )
    told = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">SR-{number + 1:06d}</th>{told}</tr>'


def _one_go(way: str, rows: int, file: Path) -> None:
    from weasyprint import HTML  # noqa: PLC0415  (in the process that is measured)

    from reports.pdf.fetcher import BASE, ClosedFetcher  # noqa: PLC0415

    ordinary = way.endswith("CSS")
    columns = "".join(f'<col style="width: {width}mm">' for width in COLUMNS.values())
    css = MARGINS + (ORDINARY if ordinary else ORDINARY.replace("auto", "fixed"))
    colgroup = "" if ordinary else f"<colgroup>{columns}</colgroup>"
    contents = f'<ul><li><a class="toc" href="#from-0">Rows 1 to {rows}</a></li></ul>'
    html = (
        f'<!DOCTYPE html><html lang="en"><head><title>A register</title>{SHEET}<style>{css}</style></head>'
        f'<body><h1 id="cover">A register</h1>{contents}{_register(0, rows, colgroup)}</body></html>'
    )
    document = HTML(string=html, base_url=BASE, url_fetcher=ClosedFetcher(static_folder() / "pdf"))
    document.write_pdf(file, pdf_variant="pdf/a-3a", pdf_identifier=b"bench")


if __name__ == "__main__":
    main()
