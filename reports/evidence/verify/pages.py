"""The pages: what they say must be what the facts say, in the same order, with nothing added and nothing left out.

The page is made again from the attached facts, as HTML, and its text compared with the PDF's own, letter by letter
but for white space, because lines break elsewhere on paper. Where this machine makes the very same PDF from the
facts, the files are compared byte by byte as well.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pypdf

from portal.core.errors import PortalError
from portal.core.language import LANGUAGES, SOURCE, speaking
from reports.evidence.document import Evidence
from reports.evidence.html import to_html, to_pdf
from reports.evidence.legible import legible
from reports.evidence.look import look, words_of
from reports.evidence.presenters import furniture
from reports.evidence.verify.replaced import made_with, replaced
from reports.evidence.verify.result import Verification
from reports.evidence.verify.values import values_of
from reports.verifier import recount

#: Stands in the expected text where the page has a number that only the layout knows.
PAGE_NUMBER = "\ue000"
#: White space, and the bullets of lists, which are drawn apart from their words.
_LEFT_OUT = re.compile(r"[\s•]+")
_EXCERPT = 60
#: What is said of the pages' language.
_IN = {SOURCE: "", "de": " (in German)"}
_VOID = frozenset({"img", "col", "meta", "link", "br", "rect", "circle", "line", "polyline", "path"})
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


@dataclass
class PageText(HTMLParser):
    """The words of the page: in order, those of its drawings apart, and the heads that tables repeat."""

    text: list[str] = field(default_factory=list)
    drawings: list[list[str]] = field(default_factory=list)
    heads: list[list[str]] = field(default_factory=list)
    reference: list[str] = field(default_factory=list)
    #: The words around a page's number.
    furniture: tuple[str, str, str] = ("", "", "")
    _open: list[str] = field(default_factory=list)
    _named: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Follow where we are."""
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "svg":
            self.drawings.append([])
        elif tag == "thead":
            self.heads.append([])
        self._named = tag == "h1"
        self._counted = ("class", "toc") in attrs

    def handle_endtag(self, tag: str) -> None:
        """Leave an element; a line of the contents is followed by its page's number."""
        if tag in _VOID:
            return
        if tag == "a" and self._counted:
            self.text.append(PAGE_NUMBER)
            self._counted = False
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Keep what is shown."""
        if "body" not in self._open or "title" in self._open:
            return
        if "svg" in self._open:
            self.drawings[-1].append(data)
            return
        self.text.append(data)
        if "thead" in self._open:
            self.heads[-1].append(data)
        if self._named and "h1" in self._open:
            self.reference.append(data)


def check_pages(content: bytes, evidence: Evidence, result: Verification) -> None:
    """Whether the PDF's pages say what the facts say, in the language that the PDF says it is in."""
    reader = pypdf.PdfReader(io.BytesIO(content))
    language = str(reader.root_object.get("/Lang", ""))
    if language not in LANGUAGES:
        result.bad(
            "pages", f"The pages are in a language that Countersign does not write: {language or 'none'}."
        )
        return
    pages = [compact(page.extract_text()) for page in reader.pages]
    known = language == SOURCE or evidence.portal.words.get(language) == words_of(language)
    if evidence.portal.look != look() or not known:
        with speaking(language):
            values = values_of(evidence)
        _compare_values("".join(pages), values, evidence, result)
        return
    made = PageText()
    with speaking(language):
        made.feed(to_html(evidence))
        made.furniture = furniture()
    problem = _difference(pages, made)
    result.judge(
        "pages",
        f"The {len(pages)} pages{_IN[language]} say what the attached facts say, word for word.",
        [problem] if problem else [],
    )
    _compare_files(content, evidence, language, result)


def _compare_values(shown: str, values: Iterable[str], evidence: Evidence, result: Verification) -> None:
    """Pages of another version have other words around the facts, so only that no fact is missing can be told."""
    missing = [value for value in values if compact(legible(value)) not in shown]
    for value in missing[:3]:
        result.bad("pages", f"The pages leave out what the facts say: “{value[:_EXCERPT]}”")
    if not missing:
        result.open(
            "pages",
            f"The pages were laid out by another version of Countersign ({evidence.portal.version}): every fact stands "
            "on them, but that nothing else does can only be told by that version.",
        )


def compact(text: str) -> str:
    """Text without white space, bullets, ligatures, presentation and format characters; right-to-left letters in one order."""
    plain = _LEFT_OUT.sub("", unicodedata.normalize("NFKC", text))
    plain = "".join(character for character in plain if unicodedata.category(character) != "Cf")
    return "".join(_settled(plain))


def _settled(text: str) -> list[str]:
    """A reader may give right-to-left runs in the order of the eye: each is kept as its letters, sorted."""
    runs: list[str] = []
    waiting: list[str] = []
    for character in text:
        if unicodedata.bidirectional(character) in _RIGHT_TO_LEFT:
            waiting.append(character)
            continue
        if waiting:
            runs.append("".join(sorted(waiting)))
            waiting = []
        runs.append(character)
    return [*runs, "".join(sorted(waiting))]


def _difference(pages: list[str], made: PageText) -> str:
    expected = compact("".join(made.text))
    heads = [compact("".join(head)) for head in made.heads]
    drawings = [compact("".join(drawing)) for drawing in made.drawings]
    footer = compact("".join(made.reference))
    before, between, after = (re.escape(compact(word)) for word in made.furniture)
    numbered = re.compile(rf"{before}(\d+){between}(\d+){after}$")
    position = 0
    for number, page in enumerate(pages, start=1):
        found = numbered.search(page)
        if not found or found.groups() != (str(number), str(len(pages))):
            return f"Page {number} is not numbered as it should be: pages were added, removed or exchanged."
        text = page[: found.start()].removesuffix(footer)
        for drawing in [drawing for drawing in drawings if drawing in text]:
            text = text.replace(drawing, "", 1)
            drawings.remove(drawing)
        matched = _match(text, expected, position)
        for head in heads if matched is None else ():
            # A table that goes on repeats its head.
            if text.startswith(head):
                matched = matched or _match(text[len(head) :], expected, position)
        if matched is None:
            return f"Page {number} says something else than the facts: {_excerpt(text, expected, position)}"
        position = matched
    if drawings:
        return "The drawn timeline is not the one that the facts give."
    if position != len(expected):
        return f"The pages leave out what the facts say: “{expected[position : position + _EXCERPT]}…”"
    return ""


def _match(text: str, expected: str, position: int) -> int | None:
    """Where the expected text goes on after this one; None when they differ."""
    index = 0
    while index < len(text):
        if position >= len(expected):
            return None
        if expected[position] == PAGE_NUMBER:
            if not text[index].isdecimal():
                return None
            while index < len(text) and text[index].isdecimal():
                index += 1
        elif expected[position] == text[index]:
            index += 1
        else:
            return None
        position += 1
    return position


def _excerpt(text: str, expected: str, position: int) -> str:
    """The first place where they differ, in the words of both."""
    index = 0
    while (
        index < len(text) and position < len(expected) and _match(text[index], expected, position) is not None
    ):
        if expected[position] == PAGE_NUMBER:
            while index + 1 < len(text) and text[index + 1].isdecimal():
                index += 1
        index, position = index + 1, position + 1
    return f"“{text[index : index + _EXCERPT]}…” instead of “{expected[position : position + _EXCERPT]}…”"


def _compare_files(content: bytes, evidence: Evidence, language: str, result: Verification) -> None:
    """The signature is added behind the rendered file, so a file made again is how this one begins."""
    name = "rendered-again"
    try:
        again = to_pdf(evidence, language)
    except PortalError as error:
        result.open(name, f"Not compared byte by byte: {error.sentence}")
        return
    odd = list(replaced(recount.Pdf(content), recount.Pdf(again))) if content.startswith(again) else []
    if odd:
        result.bad(name, odd[0])
    elif content.startswith(again):
        result.good(
            name, "Made again from the facts on this machine, the pages come out the same, byte for byte."
        )
    elif made_with(content) == made_with(again):
        result.bad(name, "Made again from the facts by the same programs, the pages come out different.")
    else:
        result.open(name, "Not compared byte by byte: the file was made by other versions of the programs.")
