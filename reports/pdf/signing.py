"""Signing: a PAdES signature that nobody sees on the page and that covers every byte of the file.

The same file, key and time give the same bytes: the signature is RSA PKCS #1 v1.5, and what pyHanko would take
from the clock or from chance is given. An RFC 3161 timestamp, where one is asked for, differs each time.
"""

from __future__ import annotations

import logging
from datetime import datetime

from reports.pdf.keys import PdfKey
from reports.pdf.timestamps import TimestampAuthority, TimestampMissing

#: What the signature says where an authority is set up and gave no timestamp.
NO_TIMESTAMP = "The timestamp authority gave no timestamp when this was signed."
_LOG = logging.getLogger(__name__)


def sign(
    pdf: bytes, key: PdfKey, *, at: datetime, reason: str, timestamps: TimestampAuthority | None = None
) -> bytes:
    """The PDF with an invisible PAdES signature, dated `at` (UTC). `reason` stands in the signature.

    With an authority the signature carries its timestamp. One that gives none stops nothing: then the signature says
    beside its reason that it has none.
    """
    # pyHanko takes a fifth of a second to import, and most processes of a portal sign no file.
    from reports.pdf.pades import signed  # noqa: PLC0415

    if timestamps is None:
        return signed(pdf, key, at, reason, None)
    try:
        return signed(pdf, key, at, reason, timestamps)
    except TimestampMissing as error:
        _LOG.warning("signed without a timestamp: %s", error)
        return signed(pdf, key, at, f"{reason}. {NO_TIMESTAMP}", None)
