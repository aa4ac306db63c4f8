"""What tools that are not ours say of one evidence file: its signature, the proofs within it, and its form.

What could not be checked here is the claim to be PDF/A-3a clause by clause. The tool that is taken at its word for
that, veraPDF, is a Java program that neither Debian nor PyPI carries (poppler names a PDF/X or PDF/A only where the
document's own dictionary claims it, which PDF/A does not do). So what the claim rests on is looked at, as far as
poppler, libqpdf (what `qpdf --check` runs) and an XMP reader can see it: ISO 19005-3's outright prohibitions, embedded
fonts with Unicode, the output intent, structure, language, identifiers and the associated file. Not seen by them:
whether the tags mean what stands on the page, colours against the intent, glyph widths against the fonts' own.
Whoever has veraPDF: verapdf -f 3a FILE.
"""

from __future__ import annotations

import base64
import io
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
import rfc8785
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import PdfSignatureStatus, validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from tests.fixtures_servers import required
from tests.portal.audit.independent.foreign import includes, openssl_accepts, signed_head
from tests.reports.conftest import Genuine


def by_pyhanko(content: bytes, trusted: Genuine) -> PdfSignatureStatus:
    (embedded,) = PdfFileReader(io.BytesIO(content)).embedded_signatures
    root = asn1_x509.Certificate.load(trusted.key.certificate.public_bytes(Encoding.DER))
    context = ValidationContext(
        trust_roots=[root],
        allow_fetching=False,
        moment=embedded.self_reported_timestamp,
        revocation_mode="soft-fail",
    )
    return validate_pdf_signature(embedded, context)


def by_poppler(program: str, file: Path, *options: str) -> str:
    command = [required(program), *options, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def file(genuine: Genuine, tmp_path: Path) -> Path:
    path = tmp_path / "evidence.pdf"
    path.write_bytes(genuine.content)
    return path


def test_pyhanko_and_poppler_validate_the_signature_over_the_whole_file(genuine: Genuine, file: Path) -> None:
    status = by_pyhanko(genuine.content, genuine)
    assert status.bottom_line
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert (status.md_algorithm, status.pkcs7_signature_mechanism) == ("sha256", "sha256_rsa")
    said = by_poppler("pdfsig", file, "-nocert")
    assert "Signature is Valid" in said
    assert "Total document signed" in said


def test_neither_accepts_a_file_in_which_a_byte_changed_or_to_which_one_was_added(
    genuine: Genuine, file: Path
) -> None:
    changed = bytearray(genuine.content)
    changed[changed.index(b"/Lang (en)") + 7] ^= 1
    assert not by_pyhanko(bytes(changed), genuine).intact
    file.write_bytes(changed)
    assert "Digest Mismatch" in by_poppler("pdfsig", file, "-nocert")
    longer = genuine.content + b"% more\n"
    assert by_pyhanko(longer, genuine).coverage is not SignatureCoverageLevel.ENTIRE_FILE
    file.write_bytes(longer)
    assert "Total document signed" not in by_poppler("pdfsig", file, "-nocert")


def test_sigstore_finds_every_entry_that_the_file_carries_under_its_checkpoint(
    genuine: Genuine, tmp_path: Path
) -> None:
    with pikepdf.open(io.BytesIO(genuine.content)) as pdf:
        attached = pdf.attachments["evidence.json"].get_file().read_bytes()
    assert attached == genuine.evidence.to_json()
    part = genuine.evidence.ledger
    head = signed_head(part.checkpoint, genuine.verifier)
    assert head is not None
    assert openssl_accepts(part.checkpoint, genuine.verifier, tmp_path)
    root = bytes.fromhex(head.log_hash)
    for entry in part.entries:
        proof = [base64.b64decode(step) for step in entry.inclusion]
        text = rfc8785.dumps(entry.body)
        assert includes(text, entry.number - 1, head.log_size, root, proof)
        assert not includes(text + b" ", entry.number - 1, head.log_size, root, proof)
    assert len(part.entries) > 5


def test_poppler_finds_structure_fonts_within_the_file_and_nothing_forbidden(file: Path) -> None:
    said = dict(line.split(":", 1) for line in by_poppler("pdfinfo", file).splitlines())
    found = {
        name: said[name].strip() for name in ("Tagged", "Suspects", "JavaScript", "Encrypted", "PDF version")
    }
    assert found == {
        "Tagged": "yes",
        "Suspects": "no",
        "JavaScript": "no",
        "Encrypted": "no",
        "PDF version": "1.7",
    }
    claim = by_poppler("pdfinfo", file, "-meta")
    assert re.search(r"pdfaid:part\W+3\b", claim)
    assert re.search(r"pdfaid:conformance\W+A\b", claim)
    fonts = by_poppler("pdffonts", file).splitlines()[2:]
    # Embedded, a subset, with a map to Unicode.
    assert [line.split()[-5:-2] for line in fonts] == [["yes", "yes", "yes"]] * len(fonts)
    assert len(fonts) > 1
    assert "Document" in by_poppler("pdfinfo", file, "-struct")


def test_libqpdf_finds_no_error_and_what_the_claim_to_be_pdf_a_rests_on(genuine: Genuine) -> None:
    with pikepdf.open(io.BytesIO(genuine.content)) as pdf:
        assert pdf.check_pdf_syntax() == []
        with pdf.open_metadata() as metadata:
            assert metadata.pdfa_status == "3A"
            assert metadata["dc:title"] == str(pdf.docinfo["/Title"])
        root = pdf.Root
        assert (root.MarkInfo.Marked, str(root.Lang)) == (True, "en")
        assert "/StructTreeRoot" in root
        (intent,) = root.OutputIntents
        assert intent.S == "/GTS_PDFA1"
        assert intent.DestOutputProfile.N == 3
        assert len(pdf.trailer.ID) == 2
        (attached,) = [one for one in root.AF if str(one.UF) == "evidence.json"]
        assert (attached.AFRelationship, attached.EF.F.Subtype) == ("/Source", "/application/json")
        # ISO 19005-3, 6.4, 6.5 and 6.1.7: no form that is drawn when read, no actions but links', no LZW.
        assert not {"/AA", "/OpenAction"} & set(root.keys())
        assert not {"/NeedAppearances", "/XFA"} & set(root.AcroForm.keys())
        assert set(actions(pdf)) <= {"/URI", "/GoTo"}
        filters = [str(one.get("/Filter", "")) for one in pdf.objects if isinstance(one, pikepdf.Stream)]
        assert filters
        assert not [one for one in filters if "LZW" in one or "Crypt" in one]


def actions(pdf: pikepdf.Pdf) -> Iterator[str]:
    """What annotations do; each of them is printed, as 6.3.2 wants it."""
    for page in pdf.pages:
        for annotation in page.get("/Annots", []):
            assert annotation.F & 4
            if "/A" in annotation:
                yield str(annotation.A.S)
