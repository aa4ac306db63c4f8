"""Text that people typed: kept in one normal form, without characters that hide or reorder."""

from __future__ import annotations

import unicodedata

from portal.core.language import _

#: Line feed and tab are text in long answers; every other control character is not.
_PLAIN_CONTROLS = {"\n", "\t"}
_REFUSED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
#: Joiners that some scripts and emoji need inside a word.
_ALLOWED_FORMAT = {"\u200c", "\u200d"}


def clean_line(text: str) -> str:
    """One line in NFC, trimmed. Raises ValueError when it holds control, format or bidirectional characters."""
    text = unicodedata.normalize("NFC", text).strip()
    for character in text:
        if unicodedata.category(character) in _REFUSED and character not in _ALLOWED_FORMAT:
            message = _(
                "It holds a character that cannot be seen (U+%(code)s); remove it",
                code=f"{ord(character):04X}",
            )
            raise ValueError(message)
    return text


def with_line_feeds(text: str) -> str:
    """The text with LF at the end of each line: browsers send CRLF where a script sends what stands there."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def clean_text(text: str) -> str:
    """Several lines in NFC with LF ends, trimmed. Raises ValueError like `clean_line`."""
    text = unicodedata.normalize("NFC", with_line_feeds(text)).strip()
    for character in text:
        if character in _PLAIN_CONTROLS or character in _ALLOWED_FORMAT:
            continue
        if unicodedata.category(character) in _REFUSED:
            message = _(
                "It holds a character that cannot be seen (U+%(code)s); remove it",
                code=f"{ord(character):04X}",
            )
            raise ValueError(message)
    return text


def header_safe(text: str) -> str:
    """The text fit for one mail header: unseen and line-breaking characters become spaces."""
    kept = [
        " " if unicodedata.category(character) in _REFUSED else character
        for character in unicodedata.normalize("NFC", text)
    ]
    return " ".join("".join(kept).split())
