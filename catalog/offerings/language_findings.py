"""What is wrong with the translations of an offering, and which texts have none."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from catalog.offerings.expression_checks import Written as Expression
from catalog.offerings.expression_checks import written
from catalog.offerings.expressions import NotAnExpression, check_expression
from catalog.offerings.language import OfferingDocument
from catalog.offerings.problems import Finding, Path, cut, nearest
from catalog.offerings.translating import Written, folded, texts_in
from catalog.offerings.words import LONGEST_LINE
from portal.core.language import LANGUAGES, SOURCE

#: Texts of an expression that it compares or looks for, and the texts that are left.
_TEXT = r"""(?:"[^"]*"|'[^']*')"""
_COMPARED = re.compile(
    rf"[=!]=\s*{_TEXT}|{_TEXT}\s*[=!]=|\.(?:contains|matches|startsWith|endsWith)\(\s*{_TEXT}"
)
_LITERAL = re.compile(_TEXT)
_WORD = re.compile(r"[^\W\d_]{2,}")
#: Words from which on an example is a sentence; a name or a command has fewer.
_SENTENCE_WORDS = 3


def language_findings(document: OfferingDocument) -> Iterator[Finding]:
    """Translations of what is no text of the offering, and those that do not fit where it stands."""
    if not document.languages:
        return
    texts = _by_text(texts_in(document))
    expressions: dict[str, list[Expression]] = defaultdict(list)
    for expression in written(document):
        if expression[1] is not None:
            expressions[folded(expression[1])].append(expression)
    for code, translations in document.languages.items():
        told: dict[str, str] = {}
        for english, translation in translations.items():
            here: Path = ("languages", code, english)
            text = folded(english)
            if text in told:
                yield Finding(here, "this text is translated twice; keep one of them", at_key=True)
            elif text not in texts:
                yield Finding(here, _unknown(text, texts), at_key=True)
            else:
                yield from _of_one(here, translation, texts[text], expressions[text])
            told[text] = english


def _of_one(
    path: Path, translation: str, places: Sequence[Written], expressions: Sequence[Expression]
) -> Iterator[Finding]:
    kinds = {place.kind for place in places}
    if "sentence" in kinds:
        for _, _, names, wanted in expressions:
            try:
                check_expression(translation, names, wanted)
            except NotAnExpression as error:
                known = {name for name, _ in names}
                hint = nearest(error.unknown, known) if error.unknown else ""
                yield Finding(path, f"{error.message}{hint}", error.line, error.column)
                return
    elif kinds & {"line", "example", "keyword"} and ("\n" in translation or len(translation) > LONGEST_LINE):
        yield Finding(path, f"this text stands in one line of at most {LONGEST_LINE} characters")


def _by_text(texts: Sequence[Written]) -> Mapping[str, list[Written]]:
    found: dict[str, list[Written]] = defaultdict(list)
    for text in texts:
        found[folded(text.text)].append(text)
    return dict(found)


def _unknown(text: str, known: Mapping[str, object]) -> str:
    shown = {cut(other): other for other in known}
    return f"there is no text {cut(text)!r} in this offering{nearest(cut(text), shown)}"


def untranslated(document: OfferingDocument) -> tuple[Finding, ...]:
    """A finding for each text that people read and that has no translation in one of the portal's languages."""
    findings = []
    for code in LANGUAGES:
        if code == SOURCE:
            continue
        given = {folded(english) for english in document.languages.get(code, {})}  # type: ignore[call-overload]
        for texts in _by_text(texts_in(document)).values():
            first = texts[0]
            if folded(first.text) not in given and any(_is_asked_for(text) for text in texts):
                findings.append(Finding(first.path, f"{code}: {cut(first.text)!r} is not translated"))
    return tuple(findings)


def told_counts(document: OfferingDocument) -> tuple[str, ...]:
    """`de: 3 of 120 texts are not translated`, a line for each language that lacks some."""
    texts = _by_text(texts_in(document)).values()
    every = sum(any(_is_asked_for(place) for place in places) for places in texts)
    missing: dict[str, int] = defaultdict(int)
    for finding in untranslated(document):
        missing[finding.message.partition(":")[0]] += 1
    return tuple(
        f"{code}: {count} of {every} texts {'is' if count == 1 else 'are'} not translated"
        for code, count in missing.items()
    )


def _is_asked_for(text: Written) -> bool:
    """Whether the text must be given in every language."""
    if text.kind == "keyword":
        return False
    if text.kind == "example":
        return sum(_WORD.search(word) is not None for word in text.text.split()) >= _SENTENCE_WORDS
    if text.kind == "sentence":
        said = _COMPARED.sub(" ", text.text)
        return any(_WORD.search(literal) for literal in _LITERAL.findall(said))
    return _WORD.search(text.text) is not None
