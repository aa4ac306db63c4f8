"""Languages: every text of the portal in the reader's own, through gettext catalogues that Babel makes.

A message is written in English where it is used and wrapped in one of these:

* `_("…")`, `ngettext` and `pgettext` speak now, in the language of whoever is being answered;
* `N_("…")` marks a constant that is spoken later by `_(constant)`;
* `say("…")` speaks every language at once, for a text that is kept and read later by others.

Values go in by name (`%(name)s`), so that a translator may put them in another order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Self

from babel import Locale
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations
from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from portal.core.assets import languages_folder

#: Messages are written in this one.
SOURCE = "en"
#: Each language by its own name, in the order in which they are offered.
LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
DOMAIN = "messages"

_speaking: ContextVar[str] = ContextVar("language", default=SOURCE)


class Said(str):
    """A text in every language. As a string it is the English one; `spoken` gives the reader's."""

    __slots__ = ("languages",)
    languages: dict[str, str]

    def __new__(cls, languages: Mapping[str, str]) -> Self:
        """Raises KeyError when the English text is missing."""
        said = super().__new__(cls, languages[SOURCE])
        said.languages = dict(languages)
        return said

    def __reduce__(self) -> tuple[type[Said], tuple[dict[str, str]]]:
        return Said, (self.languages,)


def language() -> str:
    """The code of the language that is spoken now."""
    return _speaking.get()


def locale() -> Locale:
    """Babel's locale of it: formats of dates and numbers. English is British: day before month, Monday first."""
    return Locale.parse({"en": "en_GB"}.get(language(), language()))


def speak(code: str) -> None:
    """From here on speak this language; what is not one of ours counts as English."""
    _speaking.set(supported(code) or SOURCE)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak a language for a while."""
    token = _speaking.set(supported(code) or SOURCE)
    try:
        yield
    finally:
        _speaking.reset(token)


def supported(code: str) -> str | None:
    """Our language for a code such as `de-AT` or `de_DE.UTF-8`, or None."""
    primary = code.replace("_", "-").split("-")[0].split(".")[0].lower()
    return primary if primary in LANGUAGES else None


def gettext(message: str, **values: Any) -> str:
    """The message in the language that is spoken; values go in where it says `%(name)s`."""
    text = str(_catalogue(language()).gettext(message))
    return text % values if values else text


_ = gettext


def ngettext(one: str, many: str, number: int, **values: Any) -> str:
    """The message for this number, which goes in as `%(number)s`, written as the language writes numbers."""
    return ngettext_plain(one, many, number) % {"number": format_decimal(number, locale=locale()), **values}


def ngettext_plain(one: str, many: str, number: int) -> str:
    """The message for this number as the catalogue has it, nothing put in; templates put in theirs."""
    return str(_catalogue(language()).ngettext(one, many, number))


def pgettext(context: str, message: str, **values: Any) -> str:
    """The message where one English word is two elsewhere; the context tells translators which."""
    text = str(_catalogue(language()).pgettext(context, message))
    return text % values if values else text


def N_(message: str) -> str:  # noqa: N802  (gettext's own name for it)
    """The message itself: marks a constant for the translators."""
    return message


def say(message: str, **values: Any) -> Said:
    """The message in every language. A value that is `Said` itself goes in by language."""
    return every_language(lambda: gettext(message, **{name: spoken(value) for name, value in values.items()}))


def every_language(speaker: Callable[[], str]) -> Said:
    """What the function gives in each language, for sentences that one message cannot make."""
    languages = {}
    for code in LANGUAGES:
        with speaking(code):
            languages[code] = speaker()
    return Said(languages)


def spoken(text: Any) -> Any:
    """A text in the language that is spoken: of what `say` made, as it was or as it was kept; others as they are."""
    languages = text.languages if isinstance(text, Said) else text
    if isinstance(languages, Mapping) and SOURCE in languages:
        return languages.get(language(), languages[SOURCE])
    return text


def kept(text: str) -> str | dict[str, str]:
    """A text as JSON keeps it: plain, or by language."""
    return dict(text.languages) if isinstance(text, Said) else str(text)


def said(value: str | Mapping[str, str]) -> str:
    """The text that `kept` kept. Raises KeyError when the English is missing."""
    return value if isinstance(value, str) else Said(value)


class SaidText(TypeDecorator[str]):
    """A column for a text that may be in every language."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """A text by language is kept as JSON behind a sign that no text holds."""
        return _SIGN + json.dumps(value.languages, ensure_ascii=False) if isinstance(value, Said) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """As it was written."""
        if value is not None and value.startswith(_SIGN):
            return Said(json.loads(value[len(_SIGN) :]))
        return value


#: A private-use character: `portal.core.text` lets nobody type one.
_SIGN = "\ue001"


@lru_cache(maxsize=8)
def _catalogue(code: str) -> NullTranslations:
    if code == SOURCE:
        return NullTranslations()
    return Translations.load(languages_folder(), [code], DOMAIN)
