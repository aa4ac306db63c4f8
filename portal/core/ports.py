"""TCP and UDP ports as people type them: "443", "8000-8010", "80, 443"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from portal.core.language import _
from portal.core.spans import Span, merge

FIRST_PORT = 1
LAST_PORT = 65_535
LONGEST_TEXT = 2_000
_SHOWN = 40
_PART = re.compile(r"(0|[1-9][0-9]{0,4})(?:-(0|[1-9][0-9]{0,4}))?")


def parse_ports(text: str) -> tuple[Span, ...]:
    """The ports that the text names, as sorted ranges that neither overlap nor touch.

    Commas, spaces or line ends stand between them. Raises ValueError with a sentence for the person who typed it.
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError(_("That is too long a list of ports."))
    parts = [part for part in re.split(r"[,\r\n ]+", text) if part]
    if not parts:
        raise ValueError(_("Name at least one port, like 443 or 8000-8010."))
    return merge(_range(part) for part in parts)


def _range(part: str) -> Span:
    found = _PART.fullmatch(part)
    if found is None:
        shown = part if part.isascii() and part.isprintable() and len(part) <= _SHOWN else _("That")
        raise ValueError(
            _("%(shown)s is not a port. Write a number like 443, or a range like 8000-8010.", shown=shown)
        )
    first = int(found[1])
    last = int(found[2]) if found[2] is not None else first
    if not (FIRST_PORT <= first <= LAST_PORT and FIRST_PORT <= last <= LAST_PORT):
        raise ValueError(
            _(
                "%(part)s: ports run from %(first_port)s to %(last_port)s.",
                part=part,
                first_port=FIRST_PORT,
                last_port=LAST_PORT,
            )
        )
    if last < first:
        raise ValueError(
            _("%(part)s runs backwards. Write %(last)s-%(first)s.", part=part, last=last, first=first)
        )
    return first, last


def port_text(ports: Sequence[Span]) -> str:
    """The ports as people write them: `80, 443, 8000-8010`."""
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ports)
