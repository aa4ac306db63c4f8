"""Answers about one certificate's state (OCSP, RFC 6960), signed by the CA that issued it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from catalog.fulfilment.connectors.ca.crl import reason_flag
from catalog.fulfilment.connectors.ca.issuers import Issuer
from catalog.fulfilment.connectors.ca.records import Issued, Revoked

LIFETIME = timedelta(hours=12)
#: Octets, RFC 9654 §2.1.
_LONGEST_NONCE = 128


@dataclass(frozen=True, slots=True)
class State:
    """What the authority knows of one serial number. `ends` is when a replaced certificate will be revoked."""

    issued: Issued | None = None
    revoked: Revoked | None = None
    ends: datetime | None = None


Lookup = Callable[[Issuer, str], State]


def answer(request: bytes, lookup: Lookup, issuers: Iterable[Issuer], now: datetime) -> bytes:
    """The DER answer to a DER request; what cannot be read is answered too, as the protocol wants."""
    try:
        asked = ocsp.load_der_ocsp_request(request)
        algorithm, nonce = asked.hash_algorithm, _nonce(asked)
    except (ValueError, NotImplementedError, x509.DuplicateExtension):
        return _refused(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
    except Exception:  # noqa: BLE001  (an algorithm that the library does not know has its own error class)
        return _refused(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    if asked.serial_number <= 0:
        # RFC 5280 §4.1.2.2: there is no such certificate, and no way to answer about one.
        return _refused(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
    issuer = next((one for one in issuers if _is_of(one.certificate, asked, algorithm)), None)
    if issuer is None:
        # RFC 5019 §2.2.3: not our certificate, so nothing may be said about it.
        return _refused(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    found = lookup(issuer, f"{asked.serial_number:x}")
    revoked = found.revoked
    status = ocsp.OCSPCertStatus.GOOD if found.issued else ocsp.OCSPCertStatus.UNKNOWN
    if revoked:
        status = ocsp.OCSPCertStatus.REVOKED
    now = now.replace(microsecond=0)
    # “Good” is not said for longer than it will be true.
    until = now + LIFETIME if found.ends is None else min(now + LIFETIME, found.ends)
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            asked.issuer_name_hash,
            asked.issuer_key_hash,
            asked.serial_number,
            algorithm,
            status,
            now,
            until,
            revoked.at if revoked else None,
            reason_flag(revoked.reason) if revoked else None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    )
    if nonce is not None:
        builder = builder.add_extension(nonce, critical=False)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _nonce(asked: ocsp.OCSPRequest) -> x509.OCSPNonce | None:
    try:
        nonce = asked.extensions.get_extension_for_class(x509.OCSPNonce).value
    except x509.ExtensionNotFound:
        return None
    if not 0 < len(nonce.nonce) <= _LONGEST_NONCE:
        message = "the nonce has a length that RFC 9654 does not allow"
        raise ValueError(message)
    return nonce


def _is_of(issuer: x509.Certificate, asked: ocsp.OCSPRequest, algorithm: hashes.HashAlgorithm) -> bool:
    # SHA-1 names the issuer here and protects nothing; RFC 5019 clients send no other.
    if not isinstance(algorithm, hashes.SHA1 | hashes.SHA256):
        return False
    public_key = issuer.public_key()
    if not isinstance(public_key, ec.EllipticCurvePublicKey):
        return False
    point = public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return asked.issuer_name_hash == _digest(algorithm, issuer.subject.public_bytes()) and (
        asked.issuer_key_hash == _digest(algorithm, point)
    )


def _digest(algorithm: hashes.HashAlgorithm, content: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(content)
    return digest.finalize()


def _refused(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)
