"""Masking: a link's identifier never stands in a log line, neither as a path nor inside a `next` parameter."""

from __future__ import annotations

import logging
import re

MASK = "…"
_SLASH = r"(?:/|%(?:25)*2F)"
#: `/a/<identifier>` and `/changes/feed/<token>`, their slashes as they are or percent-encoded once or more (`%2F`,
#: `%252F`), as in `next=%2Fa%2F…`.
_LINK = re.compile(rf"({_SLASH}(?:a|changes{_SLASH}feed){_SLASH})[A-Za-z0-9_\-.~%]+", re.IGNORECASE)


def mask_path(path: str) -> str:
    """The path, address or whole log line with every link's identifier replaced by `…`."""
    return _LINK.sub(rf"\g<1>{MASK}", path)


class LinkFilter(logging.Filter):
    """Masks links in whatever is logged: message, arguments and formatted exception. Put it on every handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask and let pass."""
        message = record.getMessage()
        masked = mask_path(message)
        if masked != message:
            record.msg, record.args = masked, None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = mask_path(record.exc_text)
        return True
