"""A mail as bytes, read for people. Whatever is wrong with it, it can still be shown as it came."""

from __future__ import annotations

import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser

#: Reports every fault of a mail instead of repairing it in silence.
STRICT = email.policy.default.clone(raise_on_defect=True)
SNIPPET_LENGTH = 140
#: A line drawn in plain text.
_RULE = re.compile(r"^\s*[-=_*~]{3,}\s*$", re.MULTILINE)
#: What the standard library's parser is known to raise on malformed mail, besides its own errors.
_PARSER_ERRORS = (MessageError, ValueError, LookupError, AttributeError, TypeError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What a mail says. `fault` is None, or why it can only be shown as it came."""

    subject: str = ""
    sender: str = ""
    date: str = ""
    message_id: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    text: str | None = None
    html: str | None = None
    fault: str | None = None

    @property
    def snippet(self) -> str:
        """The first words of the text."""
        words = " ".join(_RULE.sub(" ", self.text or "").split())
        return words if len(words) <= SNIPPET_LENGTH else words[:SNIPPET_LENGTH].rsplit(" ", 1)[0] + " …"


def read_mail(raw: bytes) -> Mail:
    """The mail in these bytes; a malformed one comes back with its `fault` and no parts. Never raises."""
    try:
        message = BytesParser(policy=STRICT).parsebytes(raw)
        headers = tuple((name, str(value)) for name, value in message.items())
        for value in message.values():
            for defect in getattr(value, "defects", ()):
                raise defect
        return Mail(
            subject=_header(message, "Subject"),
            sender=_header(message, "From"),
            date=_header(message, "Date"),
            message_id=_header(message, "Message-ID"),
            headers=headers,
            text=_part(message, "plain"),
            html=_part(message, "html"),
        )
    except _PARSER_ERRORS as error:
        reason = str(error) or " ".join(_words(type(error).__name__))
        return Mail(subject="(malformed mail)", fault=reason)


def show_raw(raw: bytes) -> str:
    """The bytes as text; those that are no UTF-8 stand as their hexadecimal numbers."""
    return raw.decode("utf-8", "backslashreplace").replace("\r\n", "\n")


def _header(message: EmailMessage, name: str) -> str:
    return str(message.get(name, ""))


def _part(message: EmailMessage, subtype: str) -> str | None:
    part = message.get_body(preferencelist=(subtype,))
    if part is None:
        return None
    content = part.get_content(errors="strict")
    return content.replace("\r\n", "\n") if isinstance(content, str) else None


def _words(name: str) -> Iterator[str]:
    word = ""
    for character in name:
        if character.isupper() and word:
            yield word.lower()
            word = ""
        word += character
    yield word.lower()
