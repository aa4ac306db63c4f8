"""An audit's report or bundle by the single file's checks, and by the stronger ones where this machine has Countersign.

What the files that auditors run check is checked by their own code, so that all always say the same. Beside it pyHanko
validates the report's signature, pydantic reads the facts, the schema inside is compared with the published one, the
report's pages and tables are made again from the facts, and each sampled request's evidence goes through the whole of
`countersign verify`, which makes its pages again too.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pypdf
from pydantic import ValidationError

from portal.core.language import SOURCE, speaking
from reports.audits.document import FILE_NAME, SCHEMA_FILE, SCHEMA_NAME, read_audit
from reports.audits.verify.again import check_again
from reports.evidence.verify.result import Verification
from reports.evidence.verify.run import verify_content
from reports.evidence.verify.signature import check_signature
from reports.evidence.verify.single_file import given, others, tell
from reports.evidence.verify.trusted import Trusted
from reports.verifier import recount
from reports.verifier import verify as single

Progress = Callable[[str], None]
_ZIP = b"PK\x03\x04"


def is_bundle(path: Path) -> bool:
    """Whether this is a ZIP file or a folder. Raises OSError when it cannot be read."""
    if path.is_dir():
        return True
    with path.open("rb") as file:
        return file.read(len(_ZIP)) == _ZIP


def is_report(content: bytes) -> bool:
    """Whether the PDF carries an audit's facts. Its signature was looked at before."""
    try:
        return FILE_NAME in pypdf.PdfReader(io.BytesIO(content)).attachments
    except Exception:  # noqa: BLE001  (what cannot be read is said by the check that reads it)
        return False


def verify_report(content: bytes, *, name: str, trusted: Trusted) -> Verification:
    """Check report.pdf alone, without what its bundle proves. Whatever it holds, nothing is raised."""
    found = single.Result(name)
    single.check_pdf(content, given(trusted), found)
    opened = single.open_pdf(content, single.Trusted(), single.Result(name)) if found.holds else None
    if opened is not None:
        recount.check_report(content, opened, found)
        recount.check_others(opened.told, others(trusted), found)
    result = _told(found)
    _stronger(content, opened, result)
    return result


def verify_bundle(path: Path, *, trusted: Trusted, progress: Progress = lambda _: None) -> Verification:
    """Check a bundle, packed or unpacked. Raises OSError when it cannot be read; whatever it holds, nothing else."""
    found = single.Result(path.name)
    report, opened = b"", None
    try:
        recount.check_archive(path)
        bundle = single.Bundle(path)
        report = bundle.read("report.pdf")
        single.check_bundle(bundle, given(trusted), found, progress)
        if found.holds:
            opened = single.open_pdf(report, single.Trusted(), single.Result(path.name))
        if opened is not None:
            recount.check_report(report, opened, found)
            recount.check_rows(bundle, opened, found)
            recount.check_others(opened.told, others(trusted), found, bundle.lines("ledger.jsonl"))
            _check_sampled(bundle, opened.told, trusted, found)
    except single.Wrong as error:
        found.bad("bundle", str(error))
    result = _told(found)
    if report:
        _stronger(report, opened, result)
    return result


def _told(found: single.Result) -> Verification:
    result = Verification(found.file, found.reference, found.claim)
    tell(found, result)
    return result


def _check_sampled(
    bundle: single.Bundle, told: dict[str, Any], trusted: Trusted, result: single.Result
) -> None:
    """Each sampled request's evidence by all that `countersign verify` checks; what does not hold is told of the bundle."""
    keys = single.evidence_keys(told, given(trusted), result)
    known = replace(trusted, fingerprints=keys.fingerprints)
    rows = {row["reference"]: row for row in told["population"]["rows"]}
    for reference in told["sample"]["references"]:
        member = f"evidence/{reference}.pdf"
        content = bundle.read(member)
        for check in verify_content(content, name=member, trusted=known).checks:
            if check.holds is False:
                result.bad("evidence", f"{member}, {check.name}: {check.sentence}")
        single.run_check(
            "evidence", partial(_check_row, content, rows[reference], told["as_of"], result), result
        )


def _check_row(content: bytes, row: dict[str, Any], as_of: str, result: single.Result) -> None:
    """A sampled request's evidence says what its row says."""
    for problem in recount.evidence_problems(row, recount.reopened(content).told, as_of):
        result.bad("evidence", problem)


def _stronger(content: bytes, opened: single.Opened | None, result: Verification) -> None:
    """What the single file has no library for. Only what does not hold is told again; `opened` is what that file read."""
    with speaking(SOURCE):
        other = Verification(result.file)
        if check_signature(content, other) is None:
            if result.holds:
                result.checks += other.checks
            return
    try:
        files = pypdf.PdfReader(io.BytesIO(content)).attachments
        audit = read_audit(files[FILE_NAME][0])
        inside = files[SCHEMA_NAME][0]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        result.bad(
            "attachments", f"The attached facts do not have the published form: {where}: {first['msg']}."
        )
        return
    except Exception as error:  # noqa: BLE001  (as above)
        result.bad("attachments", f"The files inside cannot be read ({type(error).__name__}).")
        return
    opened = opened or single.open_pdf(content, single.Trusted(), single.Result(result.file))
    if (
        opened is None
        or any(opened.files.get(name) != found[0] for name, found in files.items())
        or any(len(found) != 1 for found in files.values())
    ):
        result.bad(
            "attachments", "Two readers of PDF files find different files inside; no portal wrote them so."
        )
        return
    if audit.to_json() != files[FILE_NAME][0]:
        result.bad("attachments", "The attached facts are not written as an audit writes them (RFC 8785).")
    if inside != SCHEMA_FILE.read_bytes():
        result.open(
            "schema",
            "The schema inside is of another version of Countersign; the facts fit this version's too.",
        )
    if result.holds:
        check_again(content, audit, result)
