"""The report's pages: what they say follows from audit.json, all of it is there, and it can be checked by its reader."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import html5lib
import pypdf
import pytest

from portal.core.canonical import canonical_json
from portal.core.language import speaking
from reports.audits.document import Audit, read_audit
from reports.audits.html import long_document, pages_of
from reports.audits.pages.method import method_of
from reports.audits.sections.registry import SECTIONS, shown_sections
from reports.audits.tables import POPULATION, population_rows, write_csv
from reports.pdf.parts import Rendered, render_long
from tests.reports.audits.sections.told import told


@pytest.fixture(scope="module")
def audit() -> Audit:
    """One in which much went wrong."""
    return told()


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rendered, pypdf.PdfReader]:
    """The report as a file: laid out once for all tests."""
    path = tmp_path_factory.mktemp("report") / "report.pdf"
    return render_long(long_document(told(24, size=3)), path), pypdf.PdfReader(path)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        """Keep it."""
        self.words.append(data)


def text_of(html: str) -> str:
    """What a reader reads."""
    reader = _Words()
    reader.feed(html)
    return " ".join(" ".join(reader.words).split())


def changed(audit: Audit, change: Any) -> Audit:
    """The same facts with a change."""
    facts = audit.model_dump(mode="json")
    change(facts)
    return read_audit(canonical_json(facts))


def test_every_request_stands_in_the_register_with_its_entry_and_state(audit: Audit) -> None:
    register = [text_of(body) for body in pages_of(audit)][-1]
    places = [register.index(f"{row.reference} {row.entry} ") for row in audit.population.rows]
    assert places == sorted(places) and len(places) == 40
    assert register.count(audit.population.rows[0].submitted_at[:19].replace("T", " ")) >= 1


def test_every_chapter_says_its_claim_and_what_was_not_looked_at(audit: Audit) -> None:
    bodies = {text_of(body).partition(" ")[0]: text_of(body) for body in pages_of(audit)}
    everything = " ".join(text_of(body) for body in pages_of(audit))
    shown = shown_sections(audit)
    assert list(shown) == [section.name for section in SECTIONS]
    for section in shown.values():
        assert section.not_looked_at and section.claim
        # Once in the summary and once in its own chapter.
        assert everything.count(section.claim) == 2, section.title
        for sentence in section.not_looked_at:
            assert sentence in everything
    assert bodies


def test_every_deviation_is_listed_and_counted_on_the_cover(audit: Audit) -> None:
    pages = [text_of(body) for body in pages_of(audit)]
    found = [deviation for shown in shown_sections(audit).values() for deviation in shown.deviations]
    chapter = next(page for page in pages if page.startswith("Deviations found"))
    assert len(found) > 8
    for deviation in found:
        assert f"{deviation.about} " in chapter and deviation.sentence in chapter
    assert f"{len(found)} deviations were found and are named in this report" in pages[0]
    assert "Inês Carvalho" not in pages[0]
    assert "Beatriz Sousa" in pages[0]


def test_a_quarter_without_trouble_claims_that_there_is_no_deviation() -> None:
    audit = told(troubled=False)
    assert [shown.title for shown in shown_sections(audit).values() if shown.tone == "bad"] == []
    pages = [text_of(body) for body in pages_of(audit)]
    assert "Complete; no deviation found" in pages[0]
    assert any(
        "None. Nothing departed from what was published, approved and promised." in page for page in pages
    )


def test_a_quarter_in_which_nothing_was_asked_for_can_be_told() -> None:
    audit = told(0, troubled=False)
    pages = [text_of(body) for body in pages_of(audit)]
    assert "no request in scope was submitted" in pages[0]
    assert any("The population is empty, so nothing was drawn." in page for page in pages)


def test_the_script_in_the_method_draws_the_sample_again(audit: Audit, tmp_path: Path) -> None:
    write_csv(tmp_path / "population.csv", POPULATION, population_rows(audit))
    script = method_of(audit).script
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == repr(list(audit.sample.references))
    with (tmp_path / "population.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 40
    method = next(page for page in map(text_of, pages_of(audit)) if page.startswith("Method"))
    assert " ".join(script.split()) in method


def test_a_hostile_word_stays_a_string_of_the_script(audit: Audit, tmp_path: Path) -> None:
    word = 'x"); import os; print("owned \\'
    script = method_of(
        audit.model_copy(update={"sample": audit.sample.model_copy(update={"nonce": word})})
    ).script
    namespace: dict[str, Any] = {}
    exec(script.partition("rows = ")[0], namespace)
    assert namespace["nonce"] == word


def test_what_people_wrote_comes_out_as_text(audit: Audit) -> None:
    def change(facts: dict[str, Any]) -> None:
        facts["sections"]["standing"]["lines"][0]["name"] = "<img src=x>{{7*7}}"
        facts["people"]["person:2"]["name"] = "<b>Beatriz</b> \u738b"
        facts["offerings"]["tls-certificate"] = "<script>x</script>"

    bodies = "".join(pages_of(changed(audit, change)))
    assert "&lt;img src=x&gt;{{7*7}}" in bodies and "<img src=x>" not in bodies
    assert "<b>Beatriz" not in bodies and "<script>" not in bodies
    assert "[U+738B]" in bodies


def test_every_page_is_well_formed_and_every_link_leads_somewhere(audit: Audit) -> None:
    parser = html5lib.HTMLParser(strict=True)
    names: list[str] = []
    links: list[str] = []
    for body in pages_of(audit):
        parser.parse(f"<!DOCTYPE html><html><head><title>x</title></head><body>{body}</body></html>")
        names += re.findall(r' id="([^"]+)"', body)
        links += re.findall(r'href="#([^"]+)"', body)
    assert len(names) == len(set(names)), "an anchor is unique in the whole document"
    assert len(links) == len(SECTIONS) and set(links) <= set(names)


def test_a_long_table_goes_on_in_a_part_of_its_own(audit: Audit) -> None:
    def change(facts: dict[str, Any]) -> None:
        lines = facts["sections"]["emergencies"]["lines"]
        facts["sections"]["emergencies"]["lines"] = [
            {**lines[0], "reference": f"SR-{number:06d}"} for number in range(1, 701)
        ]

    pages = [text_of(body) for body in pages_of(changed(audit, change))]
    going_on = [page for page in pages if page.startswith("Each of them and its review, continued")]
    assert len(going_on) == 3
    assert "SR-000201" in going_on[0] and "SR-000700" in going_on[2]
    first = pages.index(going_on[0])
    assert pages[first : first + 3] == going_on, "nothing stands between a table and where it goes on"
    limits, rows = (pages[first - 1].index(text) for text in ("What was not looked at", "SR-000200"))
    assert limits < rows, "what was not looked at is not to be searched for behind hundreds of rows"


def test_an_emergency_of_which_nothing_was_carried_out_needs_no_review(audit: Audit) -> None:
    def shown(*, carried_out: bool) -> tuple[str, int]:
        def change(facts: dict[str, Any]) -> None:
            line = {**facts["sections"]["emergencies"]["lines"][0], "standing": "none"}
            facts["sections"]["emergencies"]["lines"] = [{**line, "carried_out": carried_out}]

        section = shown_sections(changed(audit, change))["emergencies"]
        return section.tables[0].rows[0][-1], len(section.deviations)

    assert shown(carried_out=False) == ("Nothing was carried out, so nothing to review", 0)
    assert shown(carried_out=True) == ("No review yet", 1)


def test_the_facts_are_the_same_in_every_language(audit: Audit) -> None:
    german = told(language="de")
    with speaking("de"):
        shown = shown_sections(german)
    assert {name: len(section.deviations) for name, section in shown.items()} == {
        name: len(section.deviations) for name, section in shown_sections(audit).items()
    }
    assert any("1. Januar 2026" in body for body in pages_of(german))
    assert any("Verantwortliche des Systems" in body for body in pages_of(german))


def test_a_period_that_was_cut_says_so_in_every_language(audit: Audit) -> None:
    def up_to_the_order(facts: dict[str, Any]) -> None:
        facts["query"].update(
            until="2026-03-31T05:41:07.250000+00:00", ordered_at="2026-03-31T05:41:07.250000+00:00"
        )

    cut = changed(audit, up_to_the_order)
    pages = [text_of(body) for body in pages_of(cut)]
    assert pages[0].count("1 January 2026 to 31 March 2026, up to 06:41 (Europe/Lisbon)") == 2
    assert "submitted from 1 January 2026 to 31 March 2026, up to 06:41 WEST, are listed here" in pages[0]
    method = next(page for page in pages if page.startswith("Method"))
    assert "31 Mar 2026, 05:41:07 UTC The period ended when the audit was ordered" in method
    assert all("up to 06:41" not in text_of(body) for body in pages_of(audit))
    german = changed(cut, lambda facts: facts["query"].update(language="de"))
    pages = [text_of(body) for body in pages_of(german)]
    assert pages[0].count("1. Januar 2026 bis 31. März 2026, bis 06:41 Uhr (Europe/Lisbon)") == 2
    assert "vom 1. Januar 2026 bis zum 31. März 2026, bis 06:41 Uhr WESZ, eingereicht wurden" in pages[0]


def test_the_contents_give_the_page_on_which_each_chapter_begins(
    rendered: tuple[Rendered, pypdf.PdfReader],
) -> None:
    made, pdf = rendered
    contents = pdf.pages[1].extract_text()
    chapters = [heading for heading in made.headings if heading.level == 1]
    assert len(chapters) == len(SECTIONS) + 8
    for chapter in chapters:
        assert re.search(rf"{re.escape(chapter.text)}\s+{chapter.page}\b", contents), chapter
        assert pdf.pages[chapter.page - 1].extract_text().startswith(chapter.text)


def test_the_file_is_tagged_and_carries_its_facts(rendered: tuple[Rendered, pypdf.PdfReader]) -> None:
    made, pdf = rendered
    assert len(pdf.pages) == made.pages
    assert pdf.root_object["/MarkInfo"]["/Marked"]
    assert read_audit(pdf.attachments["audit.json"][0]).reference == "AR-000007"
    assert set(pdf.attachments) == {"audit.json", "audit.schema.json", "after.note"}
    assert "Page 1 of" in pdf.pages[0].extract_text()


def test_every_row_of_the_register_is_on_the_paper(rendered: tuple[Rendered, pypdf.PdfReader]) -> None:
    made, pdf = rendered
    begin = next(heading.page for heading in made.headings if heading.anchor == "register")
    paper = io.StringIO()
    for page in pdf.pages[begin - 1 :]:
        assert page.mediabox.width > page.mediabox.height
        paper.write(page.extract_text())
    assert len(set(re.findall(r"SR-\d{6}", paper.getvalue()))) == 24
