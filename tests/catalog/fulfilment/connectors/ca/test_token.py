"""The authority's keys in a PKCS#11 token: made there, never to be taken out, and used through it alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pkcs11
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from pkcs11.util.ec import encode_named_curve_parameters

from catalog.fulfilment.connectors.ca import CaConnector, CertificateAuthority
from catalog.fulfilment.connectors.ca.bounds import Bounds
from catalog.fulfilment.connectors.ca.token import Token
from catalog.fulfilment.connectors.ca.token_keys import TokenKeys
from catalog.fulfilment.connectors.contract import ConnectorError, Order
from tests.catalog.fulfilment.connectors import softhsm
from tests.catalog.fulfilment.connectors.ca.conftest import DANIEL
from tests.catalog.fulfilment.connectors.requests import make_csr

URL = "https://portal.meridian.example"


def order(name: str = "www.meridian.example", **parameters: str) -> Order:
    return Order("SR-000011", "issue", {"csr": make_csr(name), **parameters}, DANIEL)


def made(folder: Path, **changes: str) -> CertificateAuthority:
    authority = CertificateAuthority(folder / "ca", URL, keys=softhsm.keys(**changes))
    authority.create_if_missing()
    return authority


def verified(folder: Path, outcome_files: dict[str, bytes], authority: CertificateAuthority) -> str:
    (folder / "root.pem").write_bytes(authority.root.public_bytes(Encoding.PEM))
    for name, content in outcome_files.items():
        (folder / name).write_bytes(content)
    command = ["openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "chain.pem"]
    done = subprocess.run(
        [*command, "certificate.pem"], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr


def test_openssl_accepts_what_a_key_in_a_token_signed(tmp_path: Path) -> None:
    authority = made(tmp_path)
    connector = CaConnector(authority)
    outcome = connector.apply(connector.plan(order()), "key")
    assert verified(tmp_path, dict(outcome.artefacts), authority) == "certificate.pem: OK\n"
    assert list((tmp_path / "ca").rglob("*.key")) == []


def test_lists_and_answers_are_signed_in_the_token_too(tmp_path: Path) -> None:
    authority = made(tmp_path)
    connector = CaConnector(authority)
    pem = connector.apply(connector.plan(order()), "key").artefacts["certificate.pem"]
    connector.revert(connector.plan(order()), "key")
    leaf = x509.load_pem_x509_certificate(pem)
    assert x509.load_der_x509_crl(authority.crl()).is_signature_valid(authority.issuing.public_key())
    asked = ocsp.OCSPRequestBuilder().add_certificate(leaf, authority.issuing, hashes.SHA256()).build()
    answer = ocsp.load_der_ocsp_response(authority.ocsp_response(asked.public_bytes(Encoding.DER)))
    assert answer.certificate_status is ocsp.OCSPCertStatus.REVOKED
    public = authority.issuing.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        public.verify(answer.signature, answer.tbs_response_bytes + b"x", ec.ECDSA(hashes.SHA256()))


def test_the_keys_can_never_be_taken_out_of_the_token(tmp_path: Path) -> None:
    where = softhsm.place()
    token = Token(where)
    authority = CertificateAuthority(tmp_path / "ca", URL, keys=TokenKeys(token))
    authority.create_if_missing()
    authority.create_unit("energia", Bounds.read(["energia.example"]))
    for label in (where.key, f"{where.key}-root", f"{where.key}-units-energia"):
        wanted = {pkcs11.Attribute.LABEL: label, pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}

        def look(session: pkcs11.Session, wanted: dict[pkcs11.Attribute, object] = wanted) -> None:
            (key,) = session.get_objects(wanted)
            assert key[pkcs11.Attribute.NEVER_EXTRACTABLE]
            assert key[pkcs11.Attribute.ALWAYS_SENSITIVE]
            with pytest.raises(pkcs11.AttributeSensitive):
                key[pkcs11.Attribute.VALUE]

        token.do(look)
    with pytest.raises(ConnectorError, match="stays in its token"):
        authority.issuers.get("").key.private_numbers()


def test_a_key_that_could_be_taken_out_is_not_used(tmp_path: Path) -> None:
    where = softhsm.place()

    def make(session: pkcs11.Session) -> None:
        curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
        private = {pkcs11.Attribute.EXTRACTABLE: True, pkcs11.Attribute.SENSITIVE: False}
        parameters.generate_keypair(label=where.key, store=True, private_template=private)

    token = Token(where)
    token.do(make)
    authority = CertificateAuthority(tmp_path / "ca", URL, keys=TokenKeys(token))
    with pytest.raises(ConnectorError, match="can be taken out of it, so it is not used") as raised:
        authority.create_if_missing()
    assert raised.value.permanent
    assert not (tmp_path / "ca" / "issuing.crt").exists()


def test_another_process_finds_the_keys_that_were_made(tmp_path: Path) -> None:
    where = softhsm.place()
    CertificateAuthority(tmp_path / "ca", URL, keys=TokenKeys(Token(where))).create_if_missing()
    authority = CertificateAuthority(tmp_path / "ca", URL, keys=TokenKeys(Token(where)))
    before = authority.issuing
    authority.create_if_missing()
    assert authority.issuing == before
    child = os.fork()
    if child == 0:
        # The session that the parent opened is not the child's.
        try:
            CaConnector(authority).apply(CaConnector(authority).plan(order()), "key")
        except BaseException:  # noqa: BLE001  (a child of a fork must never come back into the test)
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    (live,) = CaConnector(authority).live()
    assert live.reference == "SR-000011"


def signing(authority: CertificateAuthority) -> Callable[[], object]:
    connector = CaConnector(authority)
    return lambda: connector.apply(connector.plan(order()), "key")


def test_a_wrong_pin_is_an_operators_matter_and_is_not_tried_again(tmp_path: Path) -> None:
    where = softhsm.place()
    CertificateAuthority(tmp_path / "ca", URL, keys=TokenKeys(Token(where))).create_if_missing()
    # A login is the process's: it is ended so that the PIN is asked for again.
    pkcs11.lib(softhsm.MODULE).reinitialize()
    token = Token(softhsm.place(key=where.key, pin="0000"))
    call = signing(CertificateAuthority(tmp_path / "ca", URL, keys=TokenKeys(token)))
    asked: list[str] = []
    for _ in range(2):
        with pytest.raises(ConnectorError, match="refuses the PIN") as raised:
            call()
        assert raised.value.permanent
        asked.append(str(type(raised.value.__cause__)))
    # The first refusal is the token's own, the second one ours.
    assert ["PinIncorrect" in kind for kind in asked] == [True, False]


def test_a_token_that_is_away_is_waited_for(tmp_path: Path) -> None:
    where = softhsm.place()
    CertificateAuthority(tmp_path / "ca", URL, keys=TokenKeys(Token(where))).create_if_missing()
    away = Token(softhsm.place(key=where.key, token="unplugged"))
    with pytest.raises(ConnectorError, match="does not answer") as raised:
        signing(CertificateAuthority(tmp_path / "ca", URL, keys=TokenKeys(away)))()
    assert not raised.value.permanent


# The library tells of the lost session a second time where it clears away the signature that was begun in it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_session_that_was_lost_is_opened_anew(tmp_path: Path) -> None:
    authority = made(tmp_path)
    connector = CaConnector(authority)
    connector.apply(connector.plan(order()), "key")
    pkcs11.lib(softhsm.MODULE).reinitialize()
    assert connector.apply(connector.plan(order("b.example")), "key-b").artefacts
