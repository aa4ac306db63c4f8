"""Timestamps (RFC 3161): an authority outside says that a signature was there at its time.

Asked through the product's one way out, to the one host that the setting names, and believed only when the answer fits
what was asked and its certificate is, or was issued by, the one that the operators gave. An authority that does not
answer stops nothing: the file is signed without a timestamp, its signature says so, and whoever makes the file the next
time asks again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from portal.core.destinations import Destinations, OutgoingRefused, origin_of
from portal.core.errors import SettingsError
from portal.core.outgoing import Outgoing, OutgoingFailed
from portal.core.settings import Settings
from reports.verifier.verify import read_timestamp

if TYPE_CHECKING:
    from reports.pdf.stamper import Stamper

#: Seconds for the authority's whole answer. Somebody waits for the file.
SECONDS = 10.0
OK = 200
ASKED, ANSWERED = "application/timestamp-query", "application/timestamp-reply"
#: id-aa-timeStampToken as it stands in a signature, in the hex digits of a PDF.
_MARK = bytes.fromhex("060b2a864886f70d010910020e").hex().upper().encode()


class TimestampMissing(Exception):
    """The authority gave no timestamp that can be believed. The message is a sentence for the operators."""


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """Where timestamps come from, and by whose certificate (DER) they are believed."""

    url: str
    certificate: bytes
    outgoing: Outgoing

    def stamp(self, request: bytes) -> bytes:
        """The answer to a TimeStampReq, both DER. Raises TimestampMissing."""
        try:
            answer = self.outgoing.call("POST", self.url, headers={"Content-Type": ASKED}, content=request)
        except (OutgoingFailed, OutgoingRefused) as error:
            raise TimestampMissing(str(error)) from error
        kind = answer.headers.get("content-type", "").partition(";")[0].strip()
        if answer.status != OK or kind != ANSWERED:
            raise TimestampMissing(f"The timestamp authority answered with status {answer.status} ({kind}).")
        return answer.content

    def stamper(self) -> Stamper:
        """What pyHanko asks; new for each signature, so that nothing is remembered between two."""
        from reports.pdf.stamper import Stamper  # noqa: PLC0415  (pyHanko: see `sign`)

        return Stamper(self)

    def try_out(self) -> str:
        """The name in its certificate, after one timestamp over nothing. Raises TimestampMissing."""
        digest = hashlib.sha256(b"").digest()
        stamper = self.stamper()
        nonce, request = stamper.request_cms(digest, "sha256")  # type: ignore[no-untyped-call]
        content = self.stamp(request.dump())
        stamper.judge(content, request)
        token = stamper.believed(content, nonce)
        _, der, _ = read_timestamp(token.dump(), digest)
        return x509.load_der_x509_certificate(der).subject.rfc4514_string()


def authority_of(settings: Settings) -> TimestampAuthority | None:
    """The authority that the settings name, or None. Raises SettingsError."""
    if not settings.timestamp_url:
        return None
    try:
        origin = origin_of(settings.timestamp_url)
    except OutgoingRefused as error:
        message = f"TIMESTAMP_URL: {error}"
        raise SettingsError(message) from error
    listed = Destinations.listed([str(origin)], settings.outgoing_networks)
    certificate = _certificate(settings.timestamp_certificate)
    return TimestampAuthority(settings.timestamp_url, certificate, Outgoing(listed, seconds=SECONDS))


def has_timestamp(content: bytes) -> bool:
    """Whether a file that `sign` made carries a timestamp. Looks, and proves nothing."""
    return _MARK in content[-200_000:]


def _certificate(path: Path | None) -> bytes:
    if path is None:
        raise SettingsError(
            "TIMESTAMP_URL needs TIMESTAMP_CERTIFICATE: the file of the certificate of its authority."
        )
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
    except (OSError, ValueError) as error:
        message = f"TIMESTAMP_CERTIFICATE, {path}: no certificate can be read there (PEM)."
        raise SettingsError(message) from error
