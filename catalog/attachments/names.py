"""Names of files as people give them: made fit to be shown, kept and saved on any system."""

from __future__ import annotations

import unicodedata

LONGEST = 120
_LONGEST_END = 12
#: Cannot stand in a file's name on one system or another.
_REFUSED = set('<>:"|?*')


def clean_name(raw: str) -> str:
    """The last part of the path, in NFC, without characters that hide or reorder, of 120 characters at most.

    A name that holds nothing else becomes `file`, with its ending kept.
    """
    name = unicodedata.normalize("NFC", raw).replace("\\", "/").rpartition("/")[2]
    kept = "".join(
        "_" if character in _REFUSED else character
        for character in name
        # C: control, format, surrogate, private use; Zl and Zp break lines.
        if not unicodedata.category(character).startswith("C")
        and unicodedata.category(character) not in {"Zl", "Zp"}
    )
    kept = " ".join(kept.split()).strip(". ")
    if name.startswith(".") and "." not in kept:
        kept = f"file.{kept}" if kept else "file"
    stem, dot, end = kept.rpartition(".")
    if not dot or len(end) > _LONGEST_END:
        return kept[:LONGEST].rstrip() or "file"
    return f"{stem[: LONGEST - len(end) - 1].rstrip() or 'file'}.{end}"


def ending_of(name: str) -> str:
    """The name's ending in small letters, without the dot; empty when there is none."""
    return name.rpartition(".")[2].lower() if "." in name else ""
