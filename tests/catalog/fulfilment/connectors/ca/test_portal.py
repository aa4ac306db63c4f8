"""The portal itself, served: openssl takes its list and its OCSP answers, and it answers challenges."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from catalog.fulfilment.connectors.ca import CaConnector
from catalog.fulfilment.connectors.contract import Order
from portal.app import create_app
from portal.core.settings import Settings
from portal.wiring import Portal, build
from tests.catalog.fulfilment.connectors.ca.conftest import DANIEL
from tests.catalog.fulfilment.connectors.directory import serving
from tests.catalog.fulfilment.connectors.requests import make_csr


@pytest.fixture
def served(settings: Settings) -> Iterator[Portal]:
    """The whole application on loopback, its own address in what it signs."""
    apps: list[Any] = []

    def app(environ: Any, start: Any) -> Any:
        return apps[0](environ, start)

    with serving(app) as (address, _):
        portal = build(replace(settings, public_url=address))
        apps.append(create_app(portal=portal))
        yield portal


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_openssl_sees_a_revocation_in_the_portals_list_and_by_its_ocsp(
    served: Portal, tmp_path: Path
) -> None:
    connector = CaConnector(served.authority)
    order = Order("SR-000011", "issue", {"csr": make_csr("www.meridian.example")}, DANIEL)
    for name, content in connector.apply(connector.plan(order), "key").artefacts.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "root.pem").write_bytes(served.authority.root.public_bytes(Encoding.PEM))
    pki = f"{served.settings.public_url}/pki"

    def openssl(*arguments: str) -> str:
        done = subprocess.run(
            ["openssl", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout + done.stderr

    def by_list() -> str:
        with urllib.request.urlopen(f"{pki}/issuing.crl", timeout=30) as answer:
            (tmp_path / "crl.der").write_bytes(answer.read())
        made = openssl("crl", "-inform", "DER", "-in", "crl.der", "-out", "crl.pem", "-CAfile", "chain.pem")
        assert "verify OK" in made
        chain = ("-CAfile", "root.pem", "-untrusted", "chain.pem", "-CRLfile", "crl.pem")
        return openssl("verify", "-crl_check", *chain, "certificate.pem")

    def by_ocsp() -> str:
        asked = ("-issuer", "chain.pem", "-cert", "certificate.pem", "-CAfile", "root.pem")
        return openssl("ocsp", *asked, "-url", f"{pki}/ocsp")

    assert by_list() == "certificate.pem: OK\n"
    assert "certificate.pem: good" in by_ocsp()
    connector.revert(connector.plan(order), "key")
    assert "certificate revoked" in by_list()
    answer = by_ocsp()
    assert "certificate.pem: revoked" in answer
    assert "Response verify OK" in answer


@pytest.mark.parametrize("database_url", ["sqlite://"])
def test_the_portal_answers_a_challenge_to_anybody(served: Portal) -> None:
    file = served.settings.acme_folder / "challenges" / ("t" * 43)
    file.parent.mkdir(parents=True)
    file.write_text("t.thumbprint")
    address = f"{served.settings.public_url}/.well-known/acme-challenge/{'t' * 43}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert answer.read() == b"t.thumbprint"
        assert answer.headers["Set-Cookie"] is None
