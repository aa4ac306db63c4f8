"""The public side of the CA: certificates, revocation list and OCSP, for any TLS client and without sign-in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import timedelta

from cryptography.hazmat.primitives.serialization import Encoding
from flask import Blueprint, Response, abort, request

from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.ca.issuers import GENERAL, Issuer
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.identity.access import public

#: Bytes; an OCSP request for one certificate has about a hundred.
LARGEST_REQUEST = 8 * 1024
_CERTIFICATE = "application/pkix-cert"
_CRL = "application/pkix-crl"
_OCSP_REQUEST = "application/ocsp-request"
_OCSP_RESPONSE = "application/ocsp-response"
#: How long caches may repeat an answer; a revocation is seen at most this much later.
_SHORT = timedelta(minutes=5)
_LONG = timedelta(days=1)


def blueprint(authority: CertificateAuthority) -> Blueprint:
    """Routes under /pki. They change nothing, need no CSRF token and no session."""
    pki = Blueprint("pki", __name__, url_prefix="/pki")

    @pki.get("/issuing.crl", defaults={"unit": GENERAL})
    @pki.get("/units/<unit>/issuing.crl")
    @public
    def crl(unit: str) -> Response:
        response = _answer(_guarded(lambda: authority.crl(_issuer(authority, unit).slug)), _CRL, _SHORT)
        response.add_etag()
        response.make_conditional(request)
        return response

    @pki.post("/ocsp")
    @public
    def ocsp() -> Response:
        request.max_content_length = LARGEST_REQUEST
        if request.mimetype != _OCSP_REQUEST:
            abort(415)
        response = _answer(_ocsp(authority, request.get_data()), _OCSP_RESPONSE, None)
        response.headers["Cache-Control"] = "no-store"
        return response

    # Base64 may hold two slashes in a row, which must not be merged into one.
    @pki.get("/ocsp/<path:encoded>", merge_slashes=False)
    @public
    def ocsp_get(encoded: str) -> Response:
        if len(encoded) > LARGEST_REQUEST:
            abort(413)
        try:
            der = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            der = b""
        return _answer(_ocsp(authority, der), _OCSP_RESPONSE, _SHORT)

    @pki.get("/issuing.crt", defaults={"unit": GENERAL})
    @pki.get("/units/<unit>/issuing.crt")
    @public
    def issuing(unit: str) -> Response:
        certificate = _guarded(lambda: _issuer(authority, unit).certificate.public_bytes(Encoding.DER))
        return _answer(certificate, _CERTIFICATE, _LONG)

    @pki.get("/root.crt")
    @public
    def root() -> Response:
        return _answer(_guarded(lambda: authority.root.public_bytes(Encoding.DER)), _CERTIFICATE, _LONG)

    return pki


def _issuer(authority: CertificateAuthority, unit: str) -> Issuer:
    issuer = authority.issuers.find(unit)
    if issuer is None:
        abort(404)
    return issuer


def _ocsp(authority: CertificateAuthority, der: bytes) -> bytes:
    return _guarded(lambda: authority.ocsp_response(der))


def _guarded(make: Callable[[], bytes]) -> bytes:
    try:
        return make()
    except (ConnectorError, OSError):
        # The folder may be away for a while; clients try again.
        abort(503)


def _answer(content: bytes, kind: str, kept: timedelta | None) -> Response:
    response = Response(content, content_type=kind)
    if kept is not None:
        response.cache_control.public = True
        response.cache_control.max_age = int(kept.total_seconds())
    return response
