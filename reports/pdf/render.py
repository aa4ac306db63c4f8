"""Rendering: HTML to PDF/A-3a in a child process, the same bytes for the same input."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from portal.core.assets import static_folder
from portal.core.errors import PortalError
from portal.core.language import N_, _
from reports.pdf.child import BROKEN, MISSING, REFUSED, TOO_BIG
from reports.pdf.job import Attachment, PdfJob

SECONDS = 30
MEMORY_BYTES = 1024**3


class RenderError(PortalError):
    """A document could not be rendered; the sentence says why. Nothing else is held up by it."""

    status: ClassVar[int] = 503
    title: ClassVar[str] = N_("The document could not be made")


def render(
    html: str,
    *,
    attachments: Sequence[Attachment] = (),
    identifier: bytes,
    created: datetime,
    title: str,
    lang: str,
    folder: Path | None = None,
    seconds: float = SECONDS,
    memory: int = MEMORY_BYTES,
) -> bytes:
    """The HTML as a tagged PDF/A-3a with these files inside.

    `identifier` (letters and digits) and `created` (UTC) take the place of everything that would differ from run to run, so
    that the same arguments give the same bytes. Files that the HTML names are those of `static/pdf`. The child has
    30 seconds and 1 GiB. Raises RenderError with a sentence.
    """
    if not identifier.isalnum() or created.utcoffset() != UTC.utcoffset(None):
        message = "the identifier is letters and digits and the time is UTC"
        raise ValueError(message)
    job = PdfJob(html, tuple(attachments), identifier, created, title, lang)
    stream = io.BytesIO()
    job.write(stream)
    folder = folder or static_folder() / "pdf"
    command = [sys.executable, "-I", "-m", "reports.pdf.child", str(folder), str(memory)]
    try:
        done = subprocess.run(
            command,
            input=stream.getvalue(),
            capture_output=True,
            timeout=seconds,
            env=environment(),
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RenderError(
            _(
                "The document took longer than %(seconds)s seconds to render, so it was given up.",
                seconds=round(seconds),
            )
        ) from error
    if done.returncode != 0:
        raise RenderError(sentence(done.returncode, done.stderr.decode(errors="replace").strip()))
    return done.stdout


def environment() -> dict[str, str]:
    """Only what Python and fontconfig need: none of the portal's settings or secrets."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "FONTCONFIG_FILE") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "TZ": "UTC", "SOURCE_DATE_EPOCH": "0"}


def sentence(status: int, why: str, seconds: float = SECONDS) -> str:
    """What is told to a person about a child that ended with this status."""
    last = why.splitlines()[-1][:300] if why else ""
    if status == MISSING:
        return _(
            "PDF files cannot be made on this machine, because a system library is missing: %(library)s. "
            "Install it with: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
            library=last,
        )
    if status == REFUSED:
        return last
    if status in {TOO_BIG, -signal.SIGKILL}:
        return _("The document needs more memory than a rendering may take, so it was given up.")
    if status == -signal.SIGXCPU:
        return _(
            "The document took longer than %(seconds)s seconds to render, so it was given up.",
            seconds=round(seconds),
        )
    if status == BROKEN:
        return _("The document could not be rendered: %(why)s", why=last)
    return _("The rendering ended with status %(status)s: %(why)s", status=status, why=last)
