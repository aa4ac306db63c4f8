"""Files inside a PDF/A-3 (ISO 19005-3 §6.8): each named, described, dated and related to the document."""

from __future__ import annotations

import hashlib
import mimetypes
import zlib
from collections.abc import Sequence
from datetime import datetime

from reports.pdf.chunk import array, dictionary, string
from reports.pdf.job import Attachment
from reports.pdf.writer import LEVEL, PdfWriter

#: The types of what is attached, the same on every machine.
_TYPES = mimetypes.MimeTypes()


def attach(writer: PdfWriter, attachments: Sequence[Attachment], at: datetime) -> tuple[bytes, bytes]:
    """Write the files, and return the tree of their names and the list of them for the catalogue."""
    named = {
        attachment.name: _file(writer, attachment, string(at.strftime("D:%Y%m%d%H%M%SZ")))
        for attachment in attachments
    }
    pairs = [item for name in sorted(named) for item in (string(name), b"%d 0 R" % named[name])]
    return dictionary({"Names": array(pairs)}), array(b"%d 0 R" % number for number in named.values())


def _file(writer: PdfWriter, attachment: Attachment, day: bytes) -> int:
    packed = zlib.compress(attachment.content, LEVEL)
    kind = _TYPES.guess_type(attachment.name, strict=False)[0] or "application/octet-stream"
    digest = hashlib.md5(attachment.content, usedforsecurity=False).hexdigest().encode()
    checks = {
        "CheckSum": b"<" + digest + b">",
        "Size": b"%d" % len(attachment.content),
        "CreationDate": day,
        "ModDate": day,
    }
    entries = {
        "Type": b"/EmbeddedFile",
        "Subtype": b"/" + kind.replace("/", "#2f").encode(),
        "Params": dictionary(checks),
        "Filter": b"/FlateDecode",
        "Length": b"%d" % len(packed),
    }
    stream = b"%d 0 R" % writer.add(dictionary(entries), packed)
    name = string(attachment.name)
    entries = {
        "Type": b"/Filespec",
        "F": name,
        "UF": name,
        "EF": dictionary({"F": stream}),
        "Desc": string(attachment.description),
        "AFRelationship": b"/" + attachment.relationship.encode(),
    }
    return writer.add(dictionary(entries))
