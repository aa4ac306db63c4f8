"""A pseudo language, whose every message stands in brackets, and what a page shows outside of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import html5lib
from babel.support import NullTranslations

#: Read as this language, so that stored texts, mails and offerings answer in it too.
CODE = "de"
OPEN, CLOSE = "⟦", "⟧"
_INNERMOST = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
#: What is never a sentence of ours: machine text, scripts, what people type, and times (written by Babel).
_SILENT = {"script", "style", "code", "pre", "textarea", "time", "svg"}
_ATTRIBUTES = ("alt", "aria-label", "placeholder", "title", "data-copied")
_WORD = re.compile(r"[^\W\d_]{2,}")
_MONTHS = "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
_DAYS = "Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag"
_NO_SENTENCE = "|".join(
    (
        r"SR-\d{6}(?:-v\d)?",
        r"sha256:",
        r"(?=[0-9a-f]*[0-9])[0-9a-f]{8,}",  # a digest, or a part of one
        r"\b(?:[0-9a-f]{4} ){3,}[0-9a-f]{4}\b",
        r"\b[a-z-]+:[a-z0-9-]+\b",  # what the ledger calls things
        r"\b[A-Z]{2}-\d+(?:\(\d+\))?",  # controls
        r"\b[\w-]+(?:\.[\w-]+)+\b|\S*/\S*\.\S*",  # hosts, files
        rf"(?:(?:{_DAYS}), )?\d{{1,2}}\. (?:{_MONTHS})(?: \d{{4}})?|\d\d:\d\d Uhr(?: MEZ| MESZ| UTC)?",
    )
)


class Pseudo(NullTranslations):
    """Every message in brackets."""

    def gettext(self, message: str) -> str:
        return f"{OPEN}{message}{CLOSE}"

    def ngettext(self, msgid1: str, msgid2: str, num: int) -> str:
        return f"{OPEN}{msgid1 if num == 1 else msgid2}{CLOSE}"

    def pgettext(self, context: str, message: str) -> str:
        return f"{OPEN}{message}{CLOSE}"


def unbracketed(text: str) -> str:
    """The text without what stands in brackets, however deep."""
    before = None
    while before != text:
        before, text = text, _INNERMOST.sub(" ", text)
    return text


def visible(page: str) -> Iterator[str]:
    """Each block of text that somebody sees or hears, with the attributes that are spoken.

    A block is what stands in one element with all that is inside it as far as that is inline, so that a message
    around a link or a bold word is one text.
    """
    document = html5lib.parse(page, namespaceHTMLElements=False)
    yield from _spoken(document)


def known(data: Iterable[str]) -> re.Pattern[str]:
    """What the data look like on a page, and what is never a sentence: references, digests, names of machines."""
    pieces = sorted({" ".join(text.split()) for text in data if _WORD.search(text)}, key=len, reverse=True)
    return re.compile(rf"{_NO_SENTENCE}|(?<!\w)(?:{'|'.join(map(re.escape, pieces))})(?!\w)", re.IGNORECASE)


def leaks(page: str, data: re.Pattern[str]) -> list[str]:
    """What is shown outside of brackets and is none of the data."""
    found = []
    for text in visible(page):
        shown = " ".join(unbracketed(text).split())
        rest = " ".join(data.sub(" ", shown).split())
        if _WORD.search(rest) and not _is_cut(shown, data):
            found.append(rest)
    return found


def _is_cut(text: str, data: re.Pattern[str]) -> bool:
    """Whether it is the beginning of something known, cut off where a chart had no more room."""
    stem = text.removesuffix("…").strip()
    return stem != text and len(stem) > _SHORTEST_CUT and re.escape(stem).lower() in data.pattern.lower()


#: Letters that a cut text has left at least.
_SHORTEST_CUT = 5
#: Stands for the end of a line.
_BREAK = "\x1e"
_INLINE = {"a", "abbr", "b", "br", "em", "i", "small", "span", "strong", "sub", "sup"}


def _spoken(element: Any) -> Iterator[str]:
    if _is_silent(element):
        return
    for name, value in element.attrib.items():
        is_button = element.tag == "input" and element.get("type") in {"submit", "button"} and name == "value"
        is_description = element.tag == "meta" and element.get("name") == "description" and name == "content"
        if name in _ATTRIBUTES or name.startswith("data-i18n") or is_button or is_description:
            yield value
    run = [element.text or ""]
    for child in element:
        if child.tag in _INLINE and not _is_silent(child):
            run.append(_flat(child))
            yield from _attributes_inside(child)
        else:
            yield from _spoken(child)
            if child.tag not in _SILENT:
                yield from "".join(run).split(_BREAK)
                run = []
        run.append(child.tail or "")
    yield from "".join(run).split(_BREAK)


def _is_silent(element: Any) -> bool:
    """Whether nobody is to translate it: by its kind, because it says so, or because it is another language's name."""
    if element.tag in _SILENT or not isinstance(element.tag, str) or element.get("translate") == "no":
        return True
    return "lang" in element.attrib and element.tag != "html"


def _flat(element: Any) -> str:
    """The element's text with that of what is inside it, but for what is silent."""
    if _is_silent(element):
        return " "
    if element.tag == "br":
        return _BREAK
    inside = "".join(_flat(child) + (child.tail or "") for child in element)
    return f"{element.text or ''}{inside}"


def _attributes_inside(element: Any) -> Iterator[str]:
    for inner in element.iter():
        yield from (value for name, value in inner.attrib.items() if name in _ATTRIBUTES)
