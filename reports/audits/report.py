"""The report as a signed PDF."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from portal.core.assets import static_folder, templates_folder
from reports.audits.document import Audit
from reports.audits.html import long_document
from reports.pdf.keys import PdfKey
from reports.pdf.parts import render_long
from reports.pdf.signing import sign
from reports.pdf.timestamps import TimestampAuthority


def report_pdf(
    audit: Audit,
    key: PdfKey,
    target: Path,
    *,
    timestamps: TimestampAuthority | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the signed report. `progress` is told parts done and in all. Raises RenderError."""
    at = datetime.fromisoformat(audit.made_at).astimezone(UTC)
    unsigned = target.with_name(f"{target.name}.unsigned")
    try:
        render_long(long_document(audit), unsigned, progress=progress)
        target.write_bytes(
            sign(unsigned.read_bytes(), key, at=at, reason=f"Audit {audit.reference}", timestamps=timestamps)
        )
    finally:
        unsigned.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def look() -> str:
    """`sha256:` over the report's templates, words, style sheet and fonts, as reports.evidence.look for evidence."""
    found = hashlib.sha256()
    files = [
        *sorted((templates_folder() / "reports" / "audits").glob("document*.html")),
        *(
            file
            for room in ("sections", "pages")
            for file in sorted(Path(__file__).parent.glob(f"{room}/*.py"))
        ),
        Path(__file__).with_name("html.py"),
        *sorted((Path(__file__).parents[1] / "charts").glob("*.py")),
        *sorted((templates_folder() / "reports" / "charts").glob("*.html")),
        *sorted((Path(__file__).parents[1] / "pdf").glob("*.py")),
        *sorted((static_folder() / "pdf").rglob("*")),
    ]
    for file in files:
        if file.is_file():
            found.update(file.name.encode() + b"\0" + file.read_bytes())
    return "sha256:" + found.hexdigest()
