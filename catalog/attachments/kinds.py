"""Kinds of files, told by what is in them and never by what somebody says is in them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from catalog.attachments.names import ending_of
from catalog.attachments.office import is_office
from portal.core.language import N_, _


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its endings, how people call it, and the check of a whole content."""

    words: str
    endings: tuple[str, ...]
    fits: Callable[[bytes], bool]


_PNG = b"\x89PNG\r\n\x1a\n"
_PDF_TAIL = 2048
_LEAST_CHUNK = 12
#: JPEG markers without a length: RSTn, SOI, EOI, TEM (ITU-T T.81, table B.1).
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xDA)})
_SCAN = 0xDA


def _is_pdf(content: bytes) -> bool:
    return content[:7] in {b"%PDF-1.", b"%PDF-2."} and b"%%EOF" in content[-_PDF_TAIL:]


def _is_png(content: bytes) -> bool:
    """Every chunk with its checksum, from IHDR to IEND, and nothing after it."""
    if not content.startswith(_PNG + b"\x00\x00\x00\rIHDR"):
        return False
    at = len(_PNG)
    while at + _LEAST_CHUNK <= len(content):
        length = int.from_bytes(content[at : at + 4])
        end = at + _LEAST_CHUNK + length
        if end > len(content):
            return False
        if zlib.crc32(content[at + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            return False
        if content[at + 4 : at + 8] == b"IEND":
            return end == len(content)
        at = end
    return False


def _is_jpeg(content: bytes) -> bool:
    """The segments up to the picture itself, and the end of the image."""
    if not content.startswith(b"\xff\xd8\xff") or not content.rstrip(b"\x00").endswith(b"\xff\xd9"):
        return False
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:  # noqa: PLR2004  (each marker begins so)
        marker = content[at + 1]
        if marker == _SCAN:
            return True
        at += 2 if marker in _BARE_MARKERS else 2 + int.from_bytes(content[at + 2 : at + 4])
    return False


def _is_text(content: bytes) -> bool:
    """UTF-8 without control characters other than the ends of lines, tabs and form feeds."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and not any(
        (character < " " and character not in "\t\n\r\f") or character == "\x7f" for character in text
    )


#: By the word that offerings use. Text stands last: it fits whatever is no better kind.
KINDS: Mapping[str, Kind] = {
    "pdf": Kind(N_("a PDF document"), ("pdf",), _is_pdf),
    "png": Kind(N_("a PNG picture"), ("png",), _is_png),
    "jpeg": Kind(N_("a JPEG picture"), ("jpg", "jpeg"), _is_jpeg),
    "xlsx": Kind(N_("an Excel workbook"), ("xlsx",), lambda content: is_office(content, "xlsx")),
    "docx": Kind(N_("a Word document"), ("docx",), lambda content: is_office(content, "docx")),
    "csv": Kind(N_("a CSV table"), ("csv",), _is_text),
    "txt": Kind(N_("plain text"), ("txt", "log", "md"), _is_text),
}
#: What begins so is called by its name when it is refused.
_SEEN = (
    (b"%PDF-", N_("a PDF document")),
    (_PNG, N_("a PNG picture")),
    (b"\xff\xd8\xff", N_("a JPEG picture")),
    (b"MZ", N_("a Windows program")),
    (b"\x7fELF", N_("a Linux program")),
    (b"\xd0\xcf\x11\xe0", N_("an old Office document")),
    (b"PK\x03\x04", N_("a ZIP archive")),
    (b"\x1f\x8b", N_("a gzip archive")),
    (b"Rar!", N_("a RAR archive")),
    (b"7z\xbc\xaf", N_("a 7-Zip archive")),
)


def endings_of(kinds: Iterable[str]) -> tuple[str, ...]:
    """The endings that files of these kinds may have."""
    return tuple(ending for kind in kinds for ending in KINDS[kind].endings)


def kind_of(name: str, content: bytes, allowed: Iterable[str]) -> str:
    """The file's kind, which its name and its content agree on. Raises ValueError with a sentence."""
    allowed = tuple(allowed)
    kind = next((word for word, kind in KINDS.items() if ending_of(name) in kind.endings), "")
    if kind not in allowed:
        listed = ", ".join(sorted(endings_of(allowed)))
        raise ValueError(
            _(
                "“%(name)s” is not of a kind that is taken here. Choose a file that ends in %(listed)s.",
                name=name,
                listed=listed,
            )
        )
    if not content:
        raise ValueError(_("“%(name)s” is empty. Choose the file that you meant.", name=name))
    if not KINDS[kind].fits(content):
        raise ValueError(_mismatch(name, kind, content))
    return kind


def _mismatch(name: str, kind: str, content: bytes) -> str:
    wanted = _(KINDS[kind].words)
    if kind in {"csv", "txt"} and not any(content.startswith(start) for start, _words in _SEEN):
        return _(
            "“%(name)s” is not %(kind)s in UTF-8. Save it as UTF-8 and choose it again.",
            name=name,
            kind=wanted,
        )
    seen = next((_(words) for start, words in _SEEN if content.startswith(start)), "")
    if seen and seen != wanted:
        return _(
            "“%(name)s” is called %(kind)s and holds %(seen)s. Choose the right file, or give it its real name.",
            name=name,
            kind=wanted,
            seen=seen,
        )
    return _(
        "“%(name)s” is not whole as %(kind)s, or holds what is not taken, such as macros. Save it anew and choose it again.",
        name=name,
        kind=wanted,
    )
