"""What went wrong, in one line, of all that a task kept of its last try."""

from __future__ import annotations

#: Where the database's library goes on with the statement, its values and a link, which no operator asked for.
_STATEMENT = "\n[SQL: "


def last_line(error: str | None) -> str:
    """The last line: of a traceback, what happened. Empty for nothing."""
    lines = [line for line in (error or "").partition(_STATEMENT)[0].splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
