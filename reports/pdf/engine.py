"""WeasyPrint itself. Only the child process imports this: it loads Pango, and costs a second and 60 MB."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path
from typing import Any

import pydyf
from weasyprint import HTML
from weasyprint import Attachment as Embedded
from weasyprint.logger import LOGGER
from weasyprint.urls import FatalURLFetchingError

from reports.pdf.fetcher import BASE, ClosedFetcher
from reports.pdf.job import Attachment, PdfJob

__all__ = ["FatalURLFetchingError", "make"]

VARIANT = "pdf/a-3a"


def make(job: PdfJob, folder: Path) -> bytes:
    """The job's PDF. Raises FatalURLFetchingError when it asks for a file that is not in the folder."""
    LOGGER.addHandler(logging.StreamHandler(sys.stderr))
    fetcher = ClosedFetcher(folder)
    document = HTML(string=job.html, base_url=BASE, url_fetcher=fetcher).render(pdf_variant=VARIANT)
    document.metadata.title = job.title
    document.metadata.lang = job.lang
    document.metadata.created = document.metadata.modified = job.created.strftime("%Y-%m-%dT%H:%M:%SZ")
    content: bytes = document.write_pdf(
        pdf_variant=VARIANT,
        pdf_identifier=job.identifier,
        attachments=[_embedded(job, attachment, fetcher) for attachment in job.attachments],
        finisher=_name_files_once,
    )
    if fetcher.refusal is not None:
        raise fetcher.refusal
    return content


def _embedded(job: PdfJob, attachment: Attachment, fetcher: ClosedFetcher) -> Embedded:
    return Embedded(
        file_obj=io.BytesIO(attachment.content),
        name=attachment.name,
        description=attachment.description,
        created=job.created,
        modified=job.created,
        relationship=attachment.relationship,
        url_fetcher=fetcher,
    )


def _name_files_once(_document: Any, pdf: Any) -> None:
    """WeasyPrint lists a file in /AF once for its name and once for itself."""
    if "AF" in pdf.catalog:
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))
