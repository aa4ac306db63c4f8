"""Office files (ECMA-376): ZIP archives that are looked into without being unpacked."""

from __future__ import annotations

import io
import zipfile
import zlib

#: Limits that no document of people comes near, and archives made to swell do.
MOST_PARTS = 5_000
MOST_UNPACKED = 512 * 1024 * 1024
MOST_SWELLING = 200
_SMALL = 1024 * 1024
_TYPES = "[Content_Types].xml"
_LARGEST_TYPES = 1024 * 1024
_ENCRYPTED = 0x1

_MAIN = {
    "xlsx": (
        "xl/workbook.xml",
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    ),
    "docx": (
        "word/document.xml",
        b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    ),
}


def is_office(content: bytes, kind: str) -> bool:
    """Whether this is a document of the kind (`xlsx`, `docx`): its parts are there, none of them a program.

    Reads the archive's directory and one small part, the list of types, of which it unpacks 1 MiB at most.
    """
    if not content.startswith(b"PK\x03\x04"):
        return False
    main, wanted = _MAIN[kind]
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            names = [part.filename for part in parts]
            if not _is_modest(parts, len(content)) or not {_TYPES, main} <= set(names):
                return False
            with archive.open(_TYPES) as stream:
                types = stream.read(_LARGEST_TYPES + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
        return False
    except zipfile.LargeZipFile:
        return False
    return len(types) <= _LARGEST_TYPES and wanted in types and b"macroEnabled" not in types


def _is_modest(parts: list[zipfile.ZipInfo], size: int) -> bool:
    names = [part.filename for part in parts]
    return (
        len(parts) <= MOST_PARTS
        and len(set(names)) == len(names)
        # Parts that overlap are counted more than once: that is how a small archive holds petabytes.
        and sum(part.compress_size for part in parts) <= size
        and sum(part.file_size for part in parts) <= MOST_UNPACKED
        and not any(_is_unfit(part) for part in parts)
    )


def _is_unfit(part: zipfile.ZipInfo) -> bool:
    name = part.filename
    return (
        bool(part.flag_bits & _ENCRYPTED)
        or part.file_size > max(_SMALL, part.compress_size * MOST_SWELLING)
        or name.startswith("/")
        or "\\" in name
        or ".." in name.split("/")
        or name.lower().endswith(("vbaproject.bin", ".exe", ".dll", ".js", ".vbs"))
    )
