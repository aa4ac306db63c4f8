"""What the fonts that Countersign ships can show. The page looks the same on every machine, whatever fonts it has.

IBM Plex Sans has Latin, Greek and Cyrillic; DejaVu Sans adds Arabic, Hebrew, Armenian, Georgian and signs. Any other
character is written as its code point, so that nothing is left blank; the attached facts hold the character itself.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any

from fontTools.ttLib import TTFont

from portal.core.assets import static_folder

FONTS = ("IBMPlexSans-Regular.ttf", "DejaVuSans.ttf")


def legible(value: Any) -> Any:
    """A text with every character that no shipped font has written as [U+738B]; anything else as it is."""
    # Markup is a template's own, and its texts went through here already.
    if type(value) is not str or value.isascii():
        return value
    known = _known()
    return "".join(
        character if character in known or _unseen(character) else f"[U+{ord(character):04X}]"
        for character in value
    )


def _unseen(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Cf"


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    found: set[str] = set()
    for name in FONTS:
        with TTFont(static_folder() / "pdf" / "fonts" / name, lazy=True) as font:
            found |= {chr(code) for code in font.getBestCmap()}
    return frozenset(found)
