"""The PDF's signature: intact, over every byte, and nothing beside it. Looked at before anything else is read.

The file's own bytes are taken first, without reading it as a PDF, so that what is not signed is never parsed. All
that a signature container may hold beside what it signs is fixed, so that no byte can be changed unnoticed.
pyHanko then validates the same signature by the standards' rules.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asn1crypto import algos, cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from reports.evidence.verify.result import Verification

NAME = "pdf-signature"
_RANGE = re.compile(rb"/ByteRange \[0 ([0-9]{1,10}) ([0-9]{1,10}) ([0-9]{1,10})\]")
_GAP = re.compile(rb"<([0-9A-F]*)>")


class Unsigned(Exception):
    """The file carries no signature that holds; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Who signed, by their certificate alone, and the time that the signature states."""

    certificate: x509.Certificate
    signed_at: datetime | None


def check_signature(content: bytes, result: Verification) -> SignedBy | None:
    """Says whether the signature holds; None when it does not, and then nothing else in the file may be read."""
    try:
        signed, container = _signed_bytes(content)
        certificate = _check_container(signed, container)
        signed_at = _check_by_pyhanko(content, certificate)
    except Unsigned as error:
        result.bad(NAME, str(error))
        return None
    except Exception as error:  # noqa: BLE001  (a forged file may break any reader; each of them means no)
        result.bad(
            NAME, f"The file's signature cannot be read ({type(error).__name__}); it is damaged or forged."
        )
        return None
    result.good(NAME, "The PDF's signature is intact and covers every byte; nothing was added after it.")
    return SignedBy(x509.load_der_x509_certificate(certificate.dump()), signed_at)


def _signed_bytes(content: bytes) -> tuple[bytes, bytes]:
    """What the signature covers, and the signature's container."""
    if not content.startswith(b"%PDF-"):
        raise Unsigned("This is not a PDF file.")
    found = list(_RANGE.finditer(content))
    if not found:
        raise Unsigned("The file carries no signature.")
    if len(found) > 1:
        raise Unsigned("The file carries more than one signature; evidence has exactly one.")
    start, end, rest = (int(number) for number in found[0].groups())
    if end + rest < len(content):
        raise Unsigned(f"{len(content) - end - rest} bytes were added to the file after it was signed.")
    gap = content[start:end]
    if end + rest > len(content) or not 0 < start < end or not _GAP.fullmatch(gap):
        raise Unsigned("The file was cut off or changed: its signature does not cover it as it should.")
    room = bytes.fromhex(gap[1:-1].decode())
    container = room[: _der_length(room)]
    if any(room[len(container) :]):
        raise Unsigned("The space beside the signature was changed after it was signed.")
    return content[:start] + content[end:], container


def _der_length(content: bytes) -> int:
    """The whole length of the DER value at the beginning."""
    if content[:1] != b"\x30" or len(content) < 4:  # noqa: PLR2004
        raise Unsigned("The file's signature is not one.")
    first = content[1]
    if first < 0x80:  # noqa: PLR2004
        return 2 + first
    count = first & 0x7F
    return 2 + count + int.from_bytes(content[2 : 2 + count], "big")


def _check_container(signed: bytes, container: bytes) -> asn1_x509.Certificate:
    """The signer's certificate, once digest, signature and every other byte of the container are as they must be."""
    info = cms.ContentInfo.load(container, strict=True)
    data = info["content"]
    signer = data["signer_infos"][0]
    certificate = data["certificates"][0].chosen
    if _rebuilt(certificate, signer).dump() != container:
        raise Unsigned("The signature's container was changed, or was not made by Countersign.")
    attributes = {attribute["type"].native: attribute["values"] for attribute in signer["signed_attrs"]}
    if attributes["message_digest"][0].native != hashlib.sha256(signed).digest():
        raise Unsigned("The file was changed after it was signed.")
    named = attributes["signing_certificate_v2"][0]["certs"][0]["cert_hash"].native
    if named != hashlib.sha256(certificate.dump()).digest():
        raise Unsigned("The signature names another certificate than the one beside it.")
    key = x509.load_der_x509_certificate(certificate.dump()).public_key()
    if not isinstance(key, RSAPublicKey):
        raise Unsigned("The signature was not made by a key of Countersign's kind.")
    try:
        key.verify(signer["signature"].native, signer["signed_attrs"].untag().dump(), PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise Unsigned("The PDF's signature does not hold: it was not made by the key beside it.") from error
    if attributes["content_type"][0].native != "data":
        raise Unsigned("The signature is over something else than this file.")
    return certificate


def _rebuilt(certificate: asn1_x509.Certificate, signer: Any) -> cms.ContentInfo:
    """The container as it must be around this certificate, these signed attributes and this signature."""
    digest = algos.DigestAlgorithm({"algorithm": "sha256"})
    one = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                name="issuer_and_serial_number",
                value=cms.IssuerAndSerialNumber(
                    {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
                ),
            ),
            "digest_algorithm": digest,
            "signed_attrs": signer["signed_attrs"],
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"}),
            "signature": signer["signature"].native,
        }
    )
    if signer["unsigned_attrs"].native is not None:
        one["unsigned_attrs"] = signer["unsigned_attrs"]
    return cms.ContentInfo(
        {
            "content_type": "signed_data",
            "content": cms.SignedData(
                {
                    "version": "v1",
                    "digest_algorithms": [digest],
                    "encap_content_info": {"content_type": "data"},
                    "certificates": [cms.CertificateChoices(name="certificate", value=certificate)],
                    "signer_infos": [one],
                }
            ),
        }
    )


def _check_by_pyhanko(content: bytes, certificate: asn1_x509.Certificate) -> datetime | None:
    reader = PdfFileReader(io.BytesIO(content))
    if reader.encrypted:
        raise Unsigned("The file is encrypted.")
    signatures = reader.embedded_signatures
    if len(signatures) != 1:
        raise Unsigned("The file does not carry exactly one signature.")
    embedded = signatures[0]
    at: datetime | None = embedded.self_reported_timestamp
    context = ValidationContext(
        trust_roots=[certificate],
        allow_fetching=False,
        moment=(at or datetime.now(UTC)),
        revocation_mode="soft-fail",
    )
    status = validate_pdf_signature(embedded, context, skip_diff=True)
    if not (status.intact and status.valid) or status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        raise Unsigned("The PDF's signature does not hold, or does not cover the whole file.")
    if not status.trusted:
        raise Unsigned(
            "The certificate beside the signature may not sign documents, or not at the time that it states."
        )
    return at
