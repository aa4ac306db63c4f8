"""The key that signs PDF files: RSA, its own, never the ledger's, in a file that only the portal's account may read.

RSA because Debian's poppler accepts it and because its PKCS #1 v1.5 signatures are deterministic, so that a file
that is signed again is the same file. The certificate is the key's own: who it belongs to is shown by the ledger,
which names its fingerprint, and by comparing that fingerprint, not by an authority.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

from portal.audit.keys import create_private_file, read_private_file, replace_private_file
from portal.core.errors import SettingsError

KEY_FILE = "pdf-signing.pem"
CERTIFICATE_FILE = "pdf-signing.crt"
BITS = 3072
VALID = timedelta(days=3650)
#: A file carries the time of its facts, which may lie before the day on which the key was made.
BEFORE = timedelta(days=366)
_DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336


@dataclass(frozen=True, slots=True)
class PdfKey:
    """The key and its certificate."""

    key: RSAPrivateKey
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """What the ledger names and people compare: `sha256:` and hex, over the certificate."""
        return fingerprint_of(self.certificate)


def fingerprint_of(certificate: x509.Certificate) -> str:
    """`sha256:` and the hex digest of the certificate's DER."""
    return "sha256:" + hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def load_or_create_pdf_key(folder: Path, *, name: str, at: datetime) -> PdfKey:
    """The key in this folder, made on first use for `name` at `at`. Raises SettingsError when others may read it."""
    path = folder / KEY_FILE
    if not path.exists():
        # Key and certificate in one file, so that two processes that start at once agree on both.
        create_private_file(path, _new(name, at))
    found = _load(path)
    public = folder / CERTIFICATE_FILE
    pem = found.certificate.public_bytes(Encoding.PEM)
    if not public.exists() or public.read_bytes() != pem:
        public.write_bytes(pem)
    return found


def rotate_pdf_key(folder: Path, *, name: str, at: datetime) -> tuple[PdfKey | None, PdfKey]:
    """A new key and certificate in place of the present one, which signs nothing more; gives the old and the new.

    The old private key is gone; its certificate stays beside the new one under its fingerprint, so that files that it
    signed can be compared. Raises SettingsError.
    """
    path = folder / KEY_FILE
    old = _load(path) if path.exists() else None
    if old is not None:
        kept = folder / f"pdf-signing-{old.fingerprint.removeprefix('sha256:')[:16]}.crt"
        kept.write_bytes(old.certificate.public_bytes(Encoding.PEM))
    replace_private_file(path, _new(name, at))
    return old, load_or_create_pdf_key(folder, name=name, at=at)


def _load(path: Path) -> PdfKey:
    content = read_private_file(path)
    try:
        key = load_pem_private_key(content, password=None)
        certificate = x509.load_pem_x509_certificate(content)
    except ValueError as error:
        message = f"{path} holds no key and certificate that can be read."
        raise SettingsError(message) from error
    if not isinstance(key, RSAPrivateKey) or key.public_key() != certificate.public_key():
        message = f"{path} must hold an RSA key and its own certificate."
        raise SettingsError(message)
    return PdfKey(key, certificate)


def _new(name: str, at: datetime) -> bytes:
    key = generate_private_key(public_exponent=65537, key_size=BITS)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Countersign"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Evidence of {name}"[:64]),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - BEFORE)
        .not_valid_after(at + VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([_DOCUMENT_SIGNING]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(
        Encoding.PEM
    )


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
