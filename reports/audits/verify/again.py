"""The report and its tables, made again from the facts: nothing may stand on the pages that the facts do not say.

The signer of a report could sign any pages. So they are laid out again from audit.json: the signed file must begin with
the very same bytes, and what signing adds behind them may replace nothing that is shown. Where the programs that lay out
are of other versions, the pages' words are compared instead.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from portal.core.errors import PortalError
from reports.audits.document import Audit
from reports.audits.html import long_document
from reports.audits.members import write_tables
from reports.audits.place import WORKBOOK
from reports.audits.report import look
from reports.evidence.look import words_of
from reports.evidence.verify.replaced import made_with, replaced
from reports.evidence.verify.result import Verification
from reports.pdf.parts import render_long
from reports.verifier import recount


def check_again(content: bytes, audit: Audit, result: Verification) -> None:
    """Make pages and tables again and compare them. What cannot be compared is said."""
    _tables(audit, result)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.pdf"
            render_long(long_document(audit), path)
            made = path.read_bytes()
    except (PortalError, OSError) as error:
        said = error.sentence if isinstance(error, PortalError) else "the pages cannot be laid out here."
        result.open("rendered-again", f"Not laid out again: {said}")
        return
    problems = list(differences(content, made))
    if problems and not _of_this_version(audit) and not content.startswith(made):
        result.open(
            "rendered-again",
            f"The pages were laid out by another version of Countersign ({audit.portal.version}), as they say; whether "
            f"something stands on them that the facts do not say can only be told by that version. {problems[0]}",
        )
    elif problems:
        for problem in problems[:3]:
            result.bad("rendered-again", problem)
    elif content.startswith(made):
        result.good("rendered-again", "Laid out again from the facts, the report is the same, byte for byte.")
    else:
        result.open(
            "rendered-again",
            "The pages' words are those that the facts give; not compared byte by byte, because other versions of the "
            "programs that lay out made this file.",
        )


def _of_this_version(audit: Audit) -> bool:
    language = audit.query.language
    return audit.portal.look == look() and (
        language == "en" or audit.portal.words.get(language) == words_of(language)
    )


def differences(content: bytes, made: bytes) -> Iterator[str]:
    """Why the signed file is not the one that was made again and then signed."""
    try:
        found, wanted = recount.Pdf(content), recount.Pdf(made)
        if content.startswith(made):
            yield from replaced(found, wanted)
        elif made_with(content) == made_with(made):
            yield "Laid out again from the facts by the same programs, the pages come out different."
        elif recount.text_of_pages(found) != recount.text_of_pages(wanted):
            yield "The pages say something else than the facts."
    except recount.Wrong as error:
        yield str(error)
    except Exception as error:  # noqa: BLE001  (a forged file may break the reader, and that is a no)
        yield f"The pages cannot be compared ({type(error).__name__}); no portal wrote them so."


def _tables(audit: Audit, result: Verification) -> None:
    """Every table of the bundle is the one that the facts give."""
    named = {file.name: file.digest for file in audit.files}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tables").mkdir()
        try:
            write_tables(folder, audit)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            result.bad("tables-again", f"The sections' facts have another form ({type(error).__name__}).")
            return
        made = {
            path.relative_to(folder).as_posix(): "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*")
            if path.is_file()
        }
    wrong = sorted(name for name, digest in made.items() if named.get(name) != digest)
    others = sorted(name for name in named if name.startswith("tables/") and name not in made)
    for name in [one for one in wrong if one != WORKBOOK] + others:
        result.bad("tables-again", f"{name} is not the table that the facts give.")
    if WORKBOOK in wrong and audit.portal.look == look():
        result.bad("tables-again", f"{WORKBOOK} is not the workbook that the facts give.")
    elif not wrong and not others:
        result.good("tables-again", f"All {len(made)} tables are those that the facts give, byte for byte.")
