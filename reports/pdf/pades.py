"""The signature itself, as pyHanko makes it."""

from __future__ import annotations

import hashlib
import io
from datetime import datetime
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from reports.pdf.keys import PdfKey
from reports.pdf.timestamps import TimestampAuthority, TimestampMissing

FIELD = "Countersign"
DIGEST = "sha256"
#: Digits kept free for the signature, in hex, and for one with a timestamp and all of its certificates.
ROOM = 16_384
ROOM_WITH_TIMESTAMP = 49_152


class _Writer(IncrementalPdfFileWriter):
    """Appends the signature alone: the identifier follows from the file, and no date is touched."""

    def settle(self, content: bytes) -> None:
        first, _ = self._document_id
        second = hashlib.sha256(content).digest()[:16]
        self._document_id = generic.ArrayObject([first, generic.ByteStringObject(second)])

    def _update_meta(self) -> None:
        """The dates are the facts' and stay so."""


class _Signer(PdfSigner):
    """Signs at a given time instead of the clock's."""

    at: datetime

    def init_signing_session(self, pdf_out: Any, existing_fields_only: bool = False) -> Any:  # noqa: FBT001, FBT002
        session = super().init_signing_session(pdf_out, existing_fields_only=existing_fields_only)
        session.system_time = self.at
        return session


def signed(
    pdf: bytes, key: PdfKey, at: datetime, reason: str, timestamps: TimestampAuthority | None
) -> bytes:
    """The PDF with the signature at its end. Raises TimestampMissing where an authority gives none that fits."""
    writer = _Writer(io.BytesIO(pdf))
    writer.settle(pdf)
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm=DIGEST,
        subfilter=fields.SigSeedSubFilter.PADES,
        reason=reason,
        name="Countersign",
    )
    signer = _Signer(
        metadata,
        simple_signer(key),
        timestamper=timestamps.stamper() if timestamps else None,
        new_field_spec=fields.SigFieldSpec(
            FIELD,
            on_page=0,
            # PDF/A: an annotation prints and is not hidden; its box is empty.
            invis_sig_settings=fields.InvisSigSettings(set_print_flag=True, set_hidden_flag=False),
            readable_field_name="Signature of this file",
        ),
    )
    signer.at = at
    try:
        signed = signer.sign_pdf(writer, bytes_reserved=ROOM_WITH_TIMESTAMP if timestamps else ROOM)
    except SigningError as error:
        if timestamps is None:
            raise
        raise TimestampMissing(f"The timestamp does not fit into the file: {error}") from error
    content: bytes = signed.getvalue()
    return content


def simple_signer(key: PdfKey) -> SimpleSigner:
    """The key as pyHanko signs with it."""
    certificate = asn1_x509.Certificate.load(key.certificate.public_bytes(Encoding.DER))
    private = asn1_keys.PrivateKeyInfo.load(
        key.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    )
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    return SimpleSigner(signing_cert=certificate, signing_key=private, cert_registry=store)
