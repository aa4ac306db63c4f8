"""A new key for signing files; the ledger's key is another matter (see portal.audit.rotation)."""

from __future__ import annotations

from portal.audit import record
from portal.core.clock import now
from portal.core.errors import SettingsError
from portal.identity.actor import PORTAL
from reports.evidence import tags
from reports.evidence.make import Workbench, introduced_key, subject_of, unusable
from reports.pdf.keys import PdfKey, rotate_pdf_key


def rotate_key(bench: Workbench) -> PdfKey:
    """A new key for signing files, introduced in the ledger as the first was. Raises EvidenceNotMade.

    Files that the old one signed stay as verifiable as they were: each carries the entry that names its certificate.
    """
    introduced_key(bench)  # an old one that signed nothing yet is known to the ledger too
    with bench.db.reading() as session:
        at = now(session)
    try:
        old, new = rotate_pdf_key(bench.settings.keys_folder, name=bench.address, at=at)
    except (SettingsError, OSError) as error:
        raise unusable(error) from error
    introduced_key(bench)
    with bench.db.transaction() as session:
        if old is not None:
            record(
                session,
                tags.KEY_RETIRED,
                subject=subject_of(old),
                actor=PORTAL,
                facts={"certificate": old.fingerprint, "next": new.fingerprint},
            )
    return new
