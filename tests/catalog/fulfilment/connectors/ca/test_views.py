"""The public side: what TLS clients fetch, and OCSP as openssl asks it."""

from __future__ import annotations

import base64
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from flask import Flask
from flask.testing import FlaskClient

from catalog.fulfilment.connectors.ca import CaConnector, CertificateAuthority
from catalog.fulfilment.connectors.ca.views import blueprint
from catalog.fulfilment.connectors.contract import Order

MakeOrder = Callable[..., Order]
OpenSsl = Callable[..., subprocess.CompletedProcess[str]]
OCSP = "application/ocsp-request"


@pytest.fixture
def client(authority: CertificateAuthority) -> FlaskClient:
    app = Flask("pki")
    app.register_blueprint(blueprint(authority))
    return app.test_client()


@pytest.fixture
def certificate(connector: CaConnector, order: MakeOrder, tmp_path: Path) -> x509.Certificate:
    outcome = connector.apply(connector.plan(order()), "key")
    (tmp_path / "certificate.pem").write_bytes(outcome.artefacts["certificate.pem"])
    return x509.load_pem_x509_certificate(outcome.artefacts["certificate.pem"])


def ocsp_url(certificate: x509.Certificate) -> str:
    access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    return str(access[0].access_location.value)


def asked(
    certificate: x509.Certificate, authority: CertificateAuthority, algorithm: hashes.HashAlgorithm
) -> ocsp.OCSPRequestBuilder:
    return ocsp.OCSPRequestBuilder().add_certificate(certificate, authority.issuing, algorithm)


def der(builder: ocsp.OCSPRequestBuilder) -> bytes:
    return builder.build().public_bytes(Encoding.DER)


def answered(client: FlaskClient, request: bytes) -> ocsp.OCSPResponse:
    response = client.post("/pki/ocsp", data=request, content_type=OCSP)
    assert response.status_code == 200
    assert response.content_type == "application/ocsp-response"
    return ocsp.load_der_ocsp_response(response.data)


@pytest.mark.parametrize("digest", ["-sha1", "-sha256"])
def test_openssl_asks_and_is_told(
    certificate: x509.Certificate, connector: CaConnector, order: MakeOrder, openssl: OpenSsl, digest: str
) -> None:
    question = ("ocsp", digest, "-issuer", "chain.pem", "-cert", "certificate.pem", "-CAfile", "root.pem")
    good = openssl(*question, "-url", ocsp_url(certificate))
    assert "certificate.pem: good" in good.stdout
    assert "Response verify OK" in good.stderr
    # The command sends a nonce and says so when the answer lacks it.
    assert "nonce" not in good.stderr
    connector.revert(connector.plan(order()), "key")
    revoked = openssl(*question, "-url", ocsp_url(certificate))
    assert "certificate.pem: revoked" in revoked.stdout
    assert "Reason: cessationOfOperation" in revoked.stdout
    assert "Response verify OK" in revoked.stderr


def test_a_request_in_the_address_is_answered_too(
    certificate: x509.Certificate, authority: CertificateAuthority
) -> None:
    # A nonce of 0xff becomes slashes in base64, two in a row among them.
    request = der(
        asked(certificate, authority, hashes.SHA1()).add_extension(
            x509.OCSPNonce(b"\xff" * 24), critical=False
        )
    )
    encoded = base64.b64encode(request).decode()
    assert "//" in encoded
    for path in (encoded, urllib.parse.quote(encoded, safe="")):
        with urllib.request.urlopen(f"{ocsp_url(certificate)}/{path}", timeout=60) as answer:
            response = ocsp.load_der_ocsp_response(answer.read())
            assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert response.certificate_status == ocsp.OCSPCertStatus.GOOD


def test_the_nonce_comes_back(
    client: FlaskClient, certificate: x509.Certificate, authority: CertificateAuthority
) -> None:
    nonce = x509.OCSPNonce(b"0123456789abcdef" * 2)
    response = answered(
        client, der(asked(certificate, authority, hashes.SHA256()).add_extension(nonce, critical=False))
    )
    assert response.extensions.get_extension_for_class(x509.OCSPNonce).value == nonce
    plain = answered(client, der(asked(certificate, authority, hashes.SHA256())))
    assert list(plain.extensions) == []


@pytest.mark.parametrize("length", [0, 129])
def test_a_nonce_of_a_length_that_is_not_allowed_is_malformed(
    client: FlaskClient, certificate: x509.Certificate, authority: CertificateAuthority, length: int
) -> None:
    builder = asked(certificate, authority, hashes.SHA256())
    builder = builder.add_extension(x509.OCSPNonce(b"n" * length), critical=False)
    assert answered(client, der(builder)).response_status == ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_serial_that_was_never_issued_is_unknown(
    client: FlaskClient, authority: CertificateAuthority
) -> None:
    digests = []
    for content in (authority.issuing.subject.public_bytes(), _point(authority)):
        digest = hashes.Hash(hashes.SHA256())
        digest.update(content)
        digests.append(digest.finalize())
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(digests[0], digests[1], 4711, hashes.SHA256())
    assert answered(client, der(builder)).certificate_status == ocsp.OCSPCertStatus.UNKNOWN


def _point(authority: CertificateAuthority) -> bytes:
    return authority.issuing.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def test_the_certificate_of_another_authority_is_none_of_our_business(
    client: FlaskClient, certificate: x509.Certificate, authority: CertificateAuthority
) -> None:
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(b"x" * 32, b"y" * 32, 4711, hashes.SHA256())
    assert answered(client, der(builder)).response_status == ocsp.OCSPResponseStatus.UNAUTHORIZED
    foreign = asked(certificate, authority, hashes.SHA512())
    assert answered(client, der(foreign)).response_status == ocsp.OCSPResponseStatus.UNAUTHORIZED


@pytest.mark.parametrize("body", [b"", b"hello", b"\x30\x03\x0a\x01\x00", b"\x30\x80" + b"\x30" * 100])
def test_what_is_no_request_is_malformed(client: FlaskClient, body: bytes) -> None:
    assert answered(client, body).response_status == ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    in_address = client.get("/pki/ocsp/%21no-base64")
    assert (
        ocsp.load_der_ocsp_response(in_address.data).response_status
        == ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    )


def test_a_request_with_any_one_bit_changed_is_answered_by_the_protocol(
    client: FlaskClient, certificate: x509.Certificate, authority: CertificateAuthority
) -> None:
    nonce = x509.OCSPNonce(b"n" * 16)
    whole = der(asked(certificate, authority, hashes.SHA256()).add_extension(nonce, critical=False))
    told = set()
    for bit in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        response = answered(client, bytes(changed))
        told.add(response.response_status)
        if response.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL:
            same = response.serial_number == certificate.serial_number
            assert (response.certificate_status == ocsp.OCSPCertStatus.GOOD) == same
    assert told == {
        ocsp.OCSPResponseStatus.SUCCESSFUL,
        ocsp.OCSPResponseStatus.MALFORMED_REQUEST,
        ocsp.OCSPResponseStatus.UNAUTHORIZED,
    }


def test_a_large_or_foreign_body_is_refused(client: FlaskClient) -> None:
    assert client.post("/pki/ocsp", data=b"x" * 8193, content_type=OCSP).status_code == 413
    assert client.post("/pki/ocsp", data=b"x" * 8192, content_type=OCSP).status_code == 200
    assert client.post("/pki/ocsp", data=b"x", content_type="text/plain").status_code == 415
    assert client.get(f"/pki/ocsp/{'A' * 8193}").status_code == 413


def test_an_answer_to_a_posted_request_is_not_kept_by_caches(client: FlaskClient) -> None:
    assert client.post("/pki/ocsp", data=b"x", content_type=OCSP).headers["Cache-Control"] == "no-store"


def test_the_certificates_are_served(client: FlaskClient, authority: CertificateAuthority) -> None:
    for name, expected in (("issuing", authority.issuing), ("root", authority.root)):
        response = client.get(f"/pki/{name}.crt")
        assert response.content_type == "application/pkix-cert"
        assert response.headers["Cache-Control"] == "public, max-age=86400"
        assert x509.load_der_x509_certificate(response.data) == expected


def test_the_list_is_served_and_need_not_be_sent_twice(client: FlaskClient) -> None:
    response = client.get("/pki/issuing.crl")
    assert response.content_type == "application/pkix-crl"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    x509.load_der_x509_crl(response.data)
    again = client.get("/pki/issuing.crl", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_every_route_is_declared_public(authority: CertificateAuthority) -> None:
    app = Flask("pki", static_folder=None)
    app.register_blueprint(blueprint(authority))
    assert len(app.view_functions) == 5
    assert {view.access for view in app.view_functions.values()} == {"public"}


@pytest.mark.parametrize("path", ["/pki/issuing.crl", "/pki/ocsp/MAA=", "/pki/issuing.crt", "/pki/root.crt"])
def test_an_authority_that_is_away_is_503(tmp_path: Path, path: str) -> None:
    app = Flask("pki")
    app.register_blueprint(blueprint(CertificateAuthority(tmp_path / "nowhere", "https://portal.example")))
    assert app.test_client().get(path).status_code == 503
