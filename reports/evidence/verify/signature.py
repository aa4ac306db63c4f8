"""The PDF's signature: intact, over every byte, and nothing beside it. Looked at before anything else is read.

The file's own bytes are taken first, without reading it as a PDF, so that what is not signed is never parsed: by the
single file that bundles carry, which knows every byte that a signature container of ours may hold. pyHanko then
validates the same signature, and its timestamp, by the standards' rules.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from reports.evidence.verify.result import Verification
from reports.evidence.verify.single_file import given, tell
from reports.evidence.verify.trusted import Trusted
from reports.verifier.recount import container_problems
from reports.verifier.verify import Result, check_pdf_signature

NAME = "pdf-signature"
NOBODY = Trusted()


class Unsigned(Exception):
    """The file carries no signature that holds; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Who signed, by their certificate alone, and the time that the signature states."""

    certificate: x509.Certificate
    signed_at: datetime | None


def check_signature(content: bytes, result: Verification, trusted: Trusted = NOBODY) -> SignedBy | None:
    """Says whether the signature holds; None when it does not, and then nothing else in the file may be read."""
    found = Result(result.file)
    signed = check_pdf_signature(content, given(trusted), found)
    if signed is None:
        tell(found, result)
        return None
    try:
        signed_at = _check_by_pyhanko(content, signed.certificate, signed.authority)
    except Unsigned as error:
        result.bad(NAME, str(error))
        return None
    except Exception as error:  # noqa: BLE001  (a forged file may break any reader; each of them means no)
        result.bad(
            NAME, f"The file's signature cannot be read ({type(error).__name__}); it is damaged or forged."
        )
        return None
    tell(found, result)
    if problems := list(container_problems(content)):
        result.bad(NAME, problems[0])
        return None
    return SignedBy(x509.load_der_x509_certificate(signed.certificate), signed_at)


def _check_by_pyhanko(content: bytes, certificate: bytes, authority: bytes) -> datetime | None:
    reader = PdfFileReader(io.BytesIO(content))
    if reader.encrypted:
        raise Unsigned("The file is encrypted.")
    signatures = reader.embedded_signatures
    if len(signatures) != 1:
        raise Unsigned("The file does not carry exactly one signature.")
    embedded = signatures[0]
    at: datetime | None = embedded.self_reported_timestamp
    # Whose certificates these are is told by the ledger and by the keys that were given, not by an authority.
    status = validate_pdf_signature(
        embedded,
        _trusting(certificate, at or datetime.now(UTC)),
        ts_validation_context=_trusting(authority, None) if authority else None,
        skip_diff=True,
    )
    if not (status.intact and status.valid) or status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        raise Unsigned("The PDF's signature does not hold, or does not cover the whole file.")
    stamp = status.timestamp_validity
    if (stamp is not None) != bool(authority) or (stamp is not None and not (stamp.intact and stamp.valid)):
        raise Unsigned("The timestamp beside the signature does not hold.")
    if not status.trusted:
        raise Unsigned(
            "The certificate beside the signature may not sign documents, or not at the time that it states."
        )
    return at


def _trusting(certificate: bytes, at: datetime | None) -> ValidationContext:
    return ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(certificate)],
        allow_fetching=False,
        moment=at,
        revocation_mode="soft-fail",
    )
