"""What the connector says of a certificate, and of a folder that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.ca.records import Issued
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core import times
from portal.core.language import _, every_language, say


def facts_of(record: Issued) -> dict[str, Any]:
    """The certificate for machines and for the evidence."""
    return {
        "serial": record.serial,
        "names": list(record.names),
        "profile": record.profile,
        "spki_sha256": record.spki_sha256,
        "not_before": record.not_before.isoformat(),
        "not_after": record.not_after.isoformat(),
    }


def label_of(record: Issued) -> str:
    """The certificate in one line, in every language."""

    def speak() -> str:
        return _(
            "Certificate for %(name)s, until %(day)s",
            name=record.names[0],
            day=times.day(record.not_after),
        )

    return every_language(speak)


@contextmanager
def told() -> Iterator[None]:
    """Say in a sentence that the authority's folder cannot be reached; a mount may come back, so it is passing."""
    try:
        yield
    except OSError as error:
        message = say(
            "The certificate authority's folder cannot be used (%(words)s). "
            "The portal tries again by itself; if this lasts, an operator must look at the folder.",
            words=error.strerror or error,
        )
        raise ConnectorError(message) from error


def is_whole(authority: CertificateAuthority, record: Issued) -> bool:
    """Whether the certificate is by the CA that is named, and holds the names and the number of the record."""
    try:
        certificate = record.x509()
        certificate.verify_directly_issued_by(authority.issuers.get(record.issuer).certificate)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    held = [
        *names.get_values_for_type(x509.DNSName),
        *map(str, names.get_values_for_type(x509.IPAddress)),
    ]
    return sorted(held) == sorted(record.names) and f"{certificate.serial_number:x}" == record.serial
