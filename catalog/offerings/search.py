"""Finding an offering by words, though they are mistyped.

The catalogue is small and its published texts never change, so one index in memory, made once from
each text, serves both databases alike: SQLite's FTS5 knows no typing errors, and PostgreSQL's trigrams need an extension
that only a superuser may add. A search reads nothing from the database beside the versions that the page reads anyway.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from catalog.offerings.language import OfferingDocument

#: What a word counts by where it stands; the name says most.
_WEIGHTS = {"name": 10.0, "keywords": 6.0, "category": 4.0, "summary": 3.0, "description": 1.0}
#: A word as it stands, the beginning of one, or a part of one.
_WHOLE, _PREFIX, _INSIDE = 1.0, 0.75, 0.5
#: Shares of equal trigrams from which on a word is taken for a mistyped one.
_ALIKE = 0.45
#: Shorter words are too much like too many others.
_SHORTEST_MISTYPED = 4
_SHORTEST_PREFIX = 2
_SHORTEST_INSIDE = 5
MOST_WORDS = 10
_WORD = re.compile(r"[^\W_]+")
#: How umlauts are written on a keyboard that has none; both ways of writing are the same word.
_UMLAUTS = re.compile(r"(?<![aeq])([aou])e")
#: Letters that are no letter with a mark on it.
_FOLDED = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "\u0131": "i", "þ": "th"}
)


@dataclass(frozen=True, slots=True)
class _Indexed:
    """One offering's words, each with what it counts."""

    words: Mapping[str, float]
    #: Longer words of its most telling texts, in which the word may stand that is looked for: German writes
    #: words together.
    compounds: Mapping[str, float]


def search(documents: Iterable[OfferingDocument], term: str) -> tuple[OfferingDocument, ...]:
    """The documents that answer to every word of the term, the best first; all of them, by name, without a term.

    Case and accents do not matter, the beginning of a word is enough, and a word of four letters or more may be
    mistyped.
    """
    documents = tuple(documents)
    words = words_of(term)[:MOST_WORDS]
    if not words:
        found = sorted(documents, key=lambda document: plain(document.name))
        return tuple(found) if not term.strip() else ()
    indexed = [(_indexed(document), document) for document in documents]
    # A word that stands somewhere was not mistyped, though it looks like another.
    mistyped = {
        word
        for word in words
        if len(word) >= _SHORTEST_MISTYPED and not any(_plainly(index, word) for index, _ in indexed)
    }
    scored = [
        # Of two that answer alike, the one whose name says little else is meant.
        ((-score, len(words_of(document.name)), plain(document.name)), document)
        for index, document in indexed
        if (score := _score(index, words, mistyped))
    ]
    return tuple(document for _, document in sorted(scored, key=lambda item: item[0]))


def words_of(text: str) -> list[str]:
    """The words of a text, folded, each one once."""
    return list(dict.fromkeys(_WORD.findall(_UMLAUTS.sub(r"\1", plain(text)))))


def plain(text: str) -> str:
    """The text without case and accents."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_FOLDED))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


@lru_cache(maxsize=1024)
def trigrams(word: str) -> frozenset[str]:
    """The groups of three letters in a word, its ends marked."""
    padded = f"  {word} "
    return frozenset(padded[start : start + 3] for start in range(len(padded) - 2))


def likeness(left: str, right: str) -> float:
    """How much two words are alike, from 0 to 1: twice the trigrams that they share over all that they have."""
    first, second = trigrams(left), trigrams(right)
    return 2 * len(first & second) / (len(first) + len(second))


#: By the document's place in memory; the document is kept with it, so that the place stays its own.
_kept: dict[int, tuple[OfferingDocument, _Indexed]] = {}
_MOST_KEPT = 2048


def _indexed(document: OfferingDocument) -> _Indexed:
    found = _kept.get(id(document))
    if found is None:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        found = _kept[id(document)] = (document, _index(document))
    return found[1]


def _index(document: OfferingDocument) -> _Indexed:
    # Whoever reads another language knows some English words too.
    spoken = (document,) if document.source is document else (document, document.source)
    texts = {
        "name": " ".join(one.name for one in spoken),
        "keywords": " ".join(keyword for one in spoken for keyword in one.keywords),
        "category": " ".join(one.category for one in spoken),
        "summary": " ".join(one.summary for one in spoken),
        "description": " ".join(one.description for one in spoken),
    }
    words: dict[str, float] = {}
    for place, text in texts.items():
        for word in words_of(text):
            words[word] = max(words.get(word, 0.0), _WEIGHTS[place])
    told = {word: weight for word, weight in words.items() if weight > _WEIGHTS["summary"]}
    return _Indexed(words, {} if document.source is document else told)


def _score(indexed: _Indexed, words: Sequence[str], mistyped: set[str]) -> float:
    """What the words count together; zero when one of them is nowhere."""
    scores = [_mistyped(indexed, word) if word in mistyped else _plainly(indexed, word) for word in words]
    return sum(scores) if all(scores) else 0.0


def _plainly(indexed: _Indexed, word: str) -> float:
    """What the word counts where it stands, whole or as the beginning of another."""
    if len(word) < _SHORTEST_PREFIX:
        return indexed.words.get(word, 0.0)
    begun = max(
        (
            weight * (_WHOLE if known == word else _PREFIX)
            for known, weight in indexed.words.items()
            if known.startswith(word)
        ),
        default=0.0,
    )
    if begun or len(word) < _SHORTEST_INSIDE:
        return begun
    return max(
        (weight * _INSIDE for known, weight in indexed.compounds.items() if word in known), default=0.0
    )


def _mistyped(indexed: _Indexed, word: str) -> float:
    """What the words that look like this one count. A long text holds a word like any other: it is left out."""
    return max(
        (
            weight * alike * _PREFIX
            for known, weight in indexed.words.items()
            if weight > _WEIGHTS["description"] and (alike := likeness(word, known)) >= _ALIKE
        ),
        default=0.0,
    )
