"""What tools that are not ours say of an audit's report: who signed it, and that nothing in it is outside of the signature."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pypdf
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.status import SignatureCoverageLevel

from reports.audits.pages.cover import certificate_of
from tests.reports.audits.conftest import MadeAudit
from tests.reports.evidence.test_independent import by_poppler, by_pyhanko


def test_the_signature_covers_the_whole_report_and_is_by_the_certificate_that_it_names(
    made: MadeAudit, tmp_path: Path
) -> None:
    content = made.members["report.pdf"]
    world = made.audits.world
    status = by_pyhanko(content, world)
    assert status.bottom_line
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    report = tmp_path / "report.pdf"
    report.write_bytes(content)
    said = by_poppler("pdfsig", report, "-nocert")
    assert said.count("Signature #") == 1
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    (embedded,) = PdfFileReader(io.BytesIO(content)).embedded_signatures
    signer = hashlib.sha256(embedded.signer_cert.dump()).hexdigest()
    introduced = [
        entry["body"]["facts"]["certificate"]
        for entry in json.loads(made.members["audit.json"])["ledger"]["entries"]
        if entry["body"]["tag"] == "evidence:key-introduced"
    ]
    assert introduced == [f"sha256:{signer}"] == [certificate_of(made.facts)]
    # It stands on a page too, for whoever compares it with what they were given on paper.
    pages = "".join(
        "".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(content)).pages
    )
    assert signer in pages


def test_a_report_with_one_changed_byte_or_one_more_is_refused_by_both(
    made: MadeAudit, tmp_path: Path
) -> None:
    content = bytearray(made.members["report.pdf"])
    content[content.index(b"/Lang (en)") + 7] ^= 1
    report = tmp_path / "report.pdf"
    report.write_bytes(content)
    assert not by_pyhanko(bytes(content), made.audits.world).intact
    assert "Digest Mismatch" in by_poppler("pdfsig", report, "-nocert")
    longer = made.members["report.pdf"] + b"% more\n"
    report.write_bytes(longer)
    assert by_pyhanko(longer, made.audits.world).coverage is not SignatureCoverageLevel.ENTIRE_FILE
    assert "Total document signed" not in by_poppler("pdfsig", report, "-nocert")
