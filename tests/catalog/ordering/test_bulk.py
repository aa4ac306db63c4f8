"""Orders from a file: read without trust, checked cell by cell, sent as a whole or not at all."""

from __future__ import annotations

import contextlib
import io
import random
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from sqlalchemy import select

from catalog.offerings.language import OfferingDocument
from catalog.ordering.bulk.columns import columns_in, columns_of, takes_bulk
from catalog.ordering.bulk.reading import MOST_ROWS, UnreadableFile, read_rows
from catalog.ordering.bulk.template import csv_template, xlsx_template
from catalog.ordering.model import BulkOrder
from catalog.requests.model import Request
from tests.fixtures_requests import OFFERING, _json

BULK = "/catalogue/words-on-shelves/bulk"
DOCUMENT = OfferingDocument.model_validate_json(_json(OFFERING))


def workbook(*rows):
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def requests(web):
    with web.portal.db.reading() as session:
        return session.scalars(select(Request).order_by(Request.number)).all()


def sent(browser, content, name="orders.csv", **options):
    browser.get(BULK)
    return browser.post(BULK, {"file": (io.BytesIO(content), name)}, **options)


def test_a_file_is_looked_over_and_sent_once(web, cast, shelves):
    browser = web.browser(cast.requester)
    content = (
        "For whom;Word;Reason;Until when\nMilo Manager;hello;To be read.;2026-12-01\n;world;To be heard.;\n"
    )
    page = sent(browser, content.encode())
    assert browser.path.startswith("/bulk/")
    preview = browser.path
    for text in ("2 requests from orders.csv", "Row 2", "Word hello", "Milo Manager", "Row 3", "Word world"):
        assert text in page
    assert requests(web) == []
    for _ in range(2):
        page = browser.post(f"{preview}/submit", {"version": shelves.version_id})
        assert browser.path.startswith("/orders/")
    made = requests(web)
    assert [request.title for request in made] == ["Word hello", "Word world"]
    assert [request.beneficiary_id for request in made] == [cast.manager, cast.requester]
    shelves.work()
    assert "Awaiting approval" in browser.get(browser.path)


@pytest.mark.on_sqlite
def test_every_problem_is_named_by_row_and_column_and_nothing_is_ordered(web, cast, shelves):
    browser = web.browser(cast.requester)
    content = workbook(
        ("Word", "Reason", "Until when", "For whom"),
        ("hello", "To be read.", date(2026, 12, 1), "Milo Manager"),
        ("w" * 30, "x", "1 December", "Nobody Here"),
        ("=1+1", "To be read.", date(2020, 1, 1), None),
    )
    page = sent(browser, content, "orders.xlsx", status=422)
    assert "6 problems in 3 rows." in page
    for text in ("Row 3", "For whom", "Nobody is called", "at most 20 fit", "is not a date", "in the past"):
        assert text in page
    preview = browser.path
    browser.get(BULK)
    browser.post(f"{preview}/submit", {"version": shelves.version_id}, status=422)
    assert requests(web) == []


@pytest.mark.on_sqlite
def test_rows_that_ask_for_the_same_are_told_apart(web, cast, shelves, several, offer, actor_of):
    offer(several)
    shelves.submitted(actor_of(cast.requester), word="taken")
    browser = web.browser(cast.requester)
    content = "Word,Reason\nsame,To be read.\nsame,To be read.\ntaken,To be read.\n"
    page = sent(browser, content.encode(), status=422)
    assert "Row 2 asks for the same." in page
    assert "SR-000001 asks for the same" in page
    assert len(requests(web)) == 1


@pytest.mark.on_sqlite
def test_a_service_published_anew_is_looked_over_again(web, cast, shelves):
    browser = web.browser(cast.requester)
    sent(browser, b"Word,Reason\nhello,To be read.\n")
    page = browser.post(f"{browser.path}/submit", {"version": shelves.version_id + 1})
    assert "Look everything over once more" in page
    assert requests(web) == []


@pytest.mark.on_sqlite
def test_only_the_rows_that_were_looked_over_are_sent(web, cast, shelves):
    browser = web.browser(cast.requester)
    page = sent(browser, b"Word;Reason\nhello;To be read.\n")
    form = {"version": shelves.version_id, "reviewed": "sha256:other"}
    said = browser.post(f"{browser.path}/submit", form)
    assert "changed while you were asking" in said
    assert requests(web) == []
    form["reviewed"] = page.split('name="reviewed" value="')[1].split('"')[0]
    browser.post(f"{browser.path}/submit", {**form, "surprise": "1"}, status=400)
    assert requests(web) == []


@pytest.mark.on_sqlite
def test_another_persons_file_is_not_there(web, cast):
    browser = web.browser(cast.requester)
    sent(browser, b"Word,Reason\nhello,To be read.\n")
    other = web.browser(cast.outsider)
    other.get(BULK)
    other.get(browser.path, status=404)
    other.post(f"{browser.path}/submit", {"version": 1}, status=404)
    assert requests(web) == []


def test_only_the_last_files_that_were_not_sent_are_kept(web, cast):
    browser = web.browser(cast.requester)
    for number in range(7):
        sent(browser, f"Word,Reason\nw{number},To be read.\n".encode())
    with web.portal.db.reading() as session:
        kept = session.scalars(select(BulkOrder).order_by(BulkOrder.id)).all()
    assert [file.rows[0][1]["word"] for file in kept] == ["w2", "w3", "w4", "w5", "w6"]


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("Word,Reason,Colour", "“Colour” is not a column of this service."),
        ("Word,Reason,word", "The column “Word” stands there twice."),
        ("Word", "The column “Reason” is missing."),
    ],
)
def test_a_wrong_header_is_said_in_words(web, cast, header, said):
    page = sent(web.browser(cast.requester), f"{header}\na,b,c\n".encode(), status=422)
    assert said in page


@pytest.mark.on_sqlite
def test_the_templates_are_read_back_as_their_own_columns(web, cast):
    browser = web.browser(cast.requester)
    page = browser.get(BULK)
    assert "template.xlsx" in page
    browser.get(f"{BULK}/template.csv")
    assert browser.last.headers["Content-Disposition"] == 'attachment; filename="words-on-shelves.csv"'
    browser.get(f"{BULK}/template.exe", status=404)
    labels = [column.label for column in columns_of(DOCUMENT)]
    assert csv_template(DOCUMENT).decode("utf-8-sig").strip().split(",") == labels
    book = load_workbook(io.BytesIO(xlsx_template(DOCUMENT)))
    assert [cell.value for cell in book["Orders"][1]] == labels
    assert book["How to fill it in"].max_row == len(labels) + 1
    assert columns_in(DOCUMENT, labels) == columns_of(DOCUMENT)
    assert takes_bulk(DOCUMENT)


def test_a_label_that_looks_like_a_formula_is_text_in_the_template():
    content = {
        **OFFERING,
        "form": {
            "sections": [
                {
                    "title": "T",
                    "fields": [
                        {"name": "word", "kind": "text", "label": "=cmd()"},
                        {"name": "reason", "kind": "long_text", "label": "Reason"},
                    ],
                }
            ]
        },
        "beneficiary": None,
        "ends": None,
    }
    content["fulfilment"] = OFFERING["fulfilment"][:1]
    document = OfferingDocument.model_validate_json(_json(content))
    assert csv_template(document).decode("utf-8-sig").startswith("'=cmd(),")
    sheet = load_workbook(io.BytesIO(xlsx_template(document)))["Orders"]
    assert (sheet["A1"].value, sheet["A1"].data_type) == ("'=cmd()", "s")


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("a,b\n1,2\n".encode("utf-8-sig"), [("1", "2")]),
        ("a;b\nä;ö\n".encode("cp1252"), [("ä", "ö")]),
        ("a\tb\n1\t\n".encode("utf-16"), [("1",)]),
        (b'a,b\n"x\ny",2\n', [("x\ny", "2")]),
        (b"\n\na,b\n\n1,2\n\n", [("1", "2")]),
        (
            workbook(
                ("a", "b"),
                (1, 2.5),
                (True, datetime(2026, 12, 1, 9, 30)),  # noqa: DTZ001  (cells know no zone)
                (date(2026, 12, 1), None),
            ),
            [("1", "2.5"), ("yes", "2026-12-01T09:30"), ("2026-12-01",)],
        ),
    ],
)
def test_what_office_programs_write_is_read(content, rows):
    assert [cells for _, cells in read_rows(content, "f")[1]] == rows


def bomb(filling):
    """A small workbook with a part that unpacks to megabytes."""
    out = io.BytesIO(workbook(("a",), ("b",)))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/more.xml", filling)
    return out.getvalue()


def modest_filling():
    """Swells less than what is refused at first sight: some of it is noise."""
    noise = random.Random(1)
    return b"".join(noise.randbytes(150).hex().encode() + b" " * 10_000 for _ in range(1500))


def entities():
    declared = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><sst>&a;</sst>'
    out = io.BytesIO(workbook(("a",), ("b",)))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("xl/more.xml", declared)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "this one is empty"),
        (b"a,b\n", "at least one row below"),
        (b"a,b\n" + b"1,2\n" * (MOST_ROWS + 1), "more than 500 rows"),
        (b"a\n" + b"\n" * 6000 + b"1\n", "goes on below row"),
        (b"x" * (1024 * 1024 + 1), "larger than 1 MiB"),
        (b"a\n" + b"y" * 50_000, "more than 40,000 characters"),
        (b",".join(b"c%d" % n for n in range(101)) + b"\n1\n", "more than 100 columns"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "not a text file"),
        (b"PK\x03\x04nonsense", "not an XLSX workbook"),
        (bomb(b" " * (64 * 1024 * 1024)), "not an XLSX workbook"),
        (bomb(modest_filling()), "far larger inside"),
        (entities(), "what no office program writes"),
        (b'a,b\n"unclosed,2\n', "cannot be read as CSV"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_is_refused_with_a_reason(content, said):
    with pytest.raises(UnreadableFile) as caught:
        read_rows(content, "f")
    assert said in caught.value.sentence


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(content):
    for start in (b"", b"PK\x03\x04", b"\xff\xfe", b"Word,Reason\n"):
        with contextlib.suppress(UnreadableFile):
            header, rows = read_rows(start + content, "f")
            assert header and rows


WORKBOOK = workbook(("Word", "Reason"), ("hello", "To be read."), (1, date(2026, 12, 1)))


@settings(max_examples=60)
@given(st.randoms(use_true_random=False))
def test_no_damaged_workbook_breaks_the_reader(rng: random.Random):
    content = bytearray(WORKBOOK)
    for _ in range(rng.randint(1, 30)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    if rng.random() < 0.2:
        del content[rng.randrange(len(content)) :]
    with contextlib.suppress(UnreadableFile):
        read_rows(bytes(content), "f.xlsx")
