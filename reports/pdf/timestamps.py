"""Timestamps (RFC 3161): an authority outside says that a signature was there at its time.

Asked through the product's one way out, to the one host that the setting names, and believed only when the answer fits
what was asked and its certificate is, or was issued by, the one that the operators gave. An authority that does not
answer stops nothing: the file is signed without a timestamp, its signature says so, and whoever makes the file the next
time asks again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import handle_tsp_response

from portal.core.destinations import Destinations, OutgoingRefused, origin_of
from portal.core.errors import SettingsError
from portal.core.outgoing import Outgoing, OutgoingFailed
from portal.core.settings import Settings
from reports.verifier.verify import Wrong, is_issued_by, read_timestamp

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


class Stamper(TimeStamper):
    """Asks the authority on pyHanko's behalf."""

    def __init__(self, authority: TimestampAuthority) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.authority = authority

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """As pyHanko asks. Raises TimestampMissing."""
        content = self.authority.stamp(req.dump())
        self.judge(content, req)
        return tsp.TimeStampResp.load(content)

    def believed(self, content: bytes, nonce: Any) -> Any:
        """The token in the answer, if it grants one for this nonce. Raises TimestampMissing."""
        try:
            return handle_tsp_response(tsp.TimeStampResp.load(content), nonce)
        except Exception as error:  # a foreign answer may break its reader in any way
            raise TimestampMissing("The timestamp authority's answer grants no timestamp.") from error

    def judge(self, content: bytes, req: tsp.TimeStampReq) -> None:
        """Whether the answer is over what was asked, by a certificate that is believed. Raises TimestampMissing."""
        token = self.believed(content, req["nonce"].native).dump()
        imprint = req["message_imprint"]["hashed_message"].native
        try:
            _, certificate, others = read_timestamp(token, imprint)
            believed = _is_or_was_issued_by(certificate, self.authority.certificate, others)
        except Wrong as error:
            raise TimestampMissing(str(error)) from error
        except Exception as error:  # as above
            raise TimestampMissing("The timestamp cannot be read.") from error
        if not believed:
            raise TimestampMissing(
                "The timestamp was made with another certificate than TIMESTAMP_CERTIFICATE."
            )


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


def _is_or_was_issued_by(certificate: bytes, given: bytes, others: Sequence[bytes]) -> bool:
    """Whether a certificate is the given one, or was issued by it, directly or by way of one of the others."""
    if certificate == given or is_issued_by(certificate, given):
        return True
    return any(is_issued_by(certificate, other) and is_issued_by(other, given) for other in others)


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
