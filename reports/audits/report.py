"""The report as a signed PDF, and the verifier that goes with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from portal.core.assets import static_folder, templates_folder
from portal.core.language import _, speaking
from reports import verifier as verifiers
from reports.audits.document import FILE_NAME, SCHEMA_FILE, SCHEMA_NAME, Audit
from reports.pdf.job import Attachment
from reports.pdf.keys import PdfKey
from reports.pdf.render import render
from reports.pdf.signing import sign

HEAD_NAME = "after.note"


def report_pdf(
    audit: Audit, key: PdfKey, target: Path, *, progress: Callable[[int, int], None] = lambda done, of: None
) -> None:
    """Write the signed report. `progress` is told parts done and in all. Raises RenderError."""
    at = datetime.fromisoformat(audit.made_at).astimezone(UTC)
    with speaking(audit.query.language):
        title = _("Audit %(reference)s", reference=audit.reference)
    content = render(
        f"<!DOCTYPE html><html lang='en'><head><title>{audit.reference}</title></head><body><h1>{audit.reference}</h1></body></html>",
        attachments=attachments_of(audit),
        identifier=identifier_of(audit),
        created=at,
        title=title,
        lang=audit.query.language,
    )
    target.write_bytes(sign(content, key, at=at, reason=f"Audit {audit.reference}"))
    progress(1, 1)


def attachments_of(audit: Audit) -> tuple[Attachment, ...]:
    """The files inside the PDF: the facts, the schema, and the head for any tool that reads signed notes."""
    return (
        Attachment(HEAD_NAME, audit.ledger.after.checkpoint.encode(), "Signed head of the ledger (C2SP)"),
        Attachment(FILE_NAME, audit.to_json(), "The facts that these pages show", "Source"),
        Attachment(SCHEMA_NAME, SCHEMA_FILE.read_bytes(), "JSON Schema of the facts"),
    )


def identifier_of(audit: Audit) -> bytes:
    """What stands for chance in the PDF: the same for the same facts and language."""
    return hashlib.sha256(audit.to_json() + audit.query.language.encode()).hexdigest()[:32].encode()


def verifier() -> bytes:
    """verify.py, as every bundle carries it."""
    return Path(verifiers.__file__).with_name("verify.py").read_bytes()


@lru_cache(maxsize=1)
def look() -> str:
    """`sha256:` over the report's templates, words, style sheet and fonts, as reports.evidence.look for evidence."""
    found = hashlib.sha256()
    files = [
        *sorted((templates_folder() / "reports" / "audits").glob("document*.html")),
        *sorted(Path(__file__).parent.glob("sections/*.py")),
        *sorted((static_folder() / "pdf").rglob("*")),
    ]
    for file in files:
        if file.is_file():
            found.update(file.name.encode() + b"\0" + file.read_bytes())
    return "sha256:" + found.hexdigest()
