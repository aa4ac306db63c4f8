"""A unit's own CA: it certifies its unit's names, says so before, and clients hold it to that by themselves."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from catalog.fulfilment.connectors.ca import CaConnector, CertificateAuthority, CsrError, read_csr, signing
from catalog.fulfilment.connectors.ca.bounds import Bounds
from catalog.fulfilment.connectors.ca.profiles import PROFILES
from catalog.fulfilment.connectors.contract import ConnectorError, Order
from tests.catalog.fulfilment.connectors.requests import make_csr

MakeOrder = Callable[..., Order]
OpenSsl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def energia(authority: CertificateAuthority) -> CertificateAuthority:
    bounds = Bounds.read(["energia.example", ".Energía.example"], ["10.2.0.0/16"])
    authority.create_unit("energia", bounds, frozenset({"energia-sales"}))
    return authority


def verify(folder: Path, openssl: OpenSsl, certificate: bytes, chain: bytes, *more: str) -> str:
    (folder / "certificate.pem").write_bytes(certificate)
    (folder / "unit.pem").write_bytes(chain)
    done = openssl("verify", *more, "-CAfile", "root.pem", "-untrusted", "unit.pem", "certificate.pem")
    return done.stdout + done.stderr


def test_openssl_accepts_a_name_of_the_unit(
    energia: CertificateAuthority, connector: CaConnector, order: MakeOrder, openssl: OpenSsl, tmp_path: Path
) -> None:
    for unit in ("energia", "energia-sales"):
        names = ("shop.energia.example", "*.energia.example", "10.2.3.4", "www.xn--energa-7va.example")
        plan = connector.plan(order(*names, unit=unit, reference=f"SR-{unit}"))
        assert plan.target == "CN=Meridian energia Issuing CA,O=Meridian"
        assert "This issuer may certify only: energia.example" in " ".join(line.text for line in plan.lines)
        files = connector.apply(plan, f"key-{unit}").artefacts
        shown = verify(tmp_path, openssl, files["certificate.pem"], files["chain.pem"], "-x509_strict")
        assert shown == "certificate.pem: OK\n"
        assert connector.read_back(plan, f"key-{unit}").present


@pytest.mark.parametrize("name", ["www.meridian.example", "notenergia.example", "10.3.0.1", "*.example.com"])
def test_a_name_of_another_is_refused_before_anybody_is_asked(
    energia: CertificateAuthority, connector: CaConnector, order: MakeOrder, name: str
) -> None:
    with pytest.raises(ConnectorError) as raised:
        connector.plan(order("shop.energia.example", name, unit="energia"))
    assert raised.value.permanent
    assert raised.value.message.startswith(
        "Your unit may have certificates for names in energia.example, xn--energa-7va.example (that is energía.example), "
        f"10.2.0.0/16 only, and {name} is outside."
    )
    # A unit without bounds goes to the general CA as before.
    assert connector.plan(order(name, unit="sales")).target == "CN=Meridian Issuing CA,O=Meridian"


@pytest.mark.parametrize("name", ["www.meridian.example", "10.3.0.1", "2001:db8::1"])
def test_clients_refuse_what_the_units_ca_may_not_certify(
    energia: CertificateAuthority, openssl: OpenSsl, tmp_path: Path, name: str
) -> None:
    alternatives = (x509.DNSName(name),)
    if name[0].isdigit():
        import ipaddress

        alternatives = (x509.IPAddress(ipaddress.ip_address(name)),)
    csr = read_csr(make_csr(alternatives=alternatives))
    issuer = energia.issuers.get("energia")
    forged = signing.server_certificate(csr, PROFILES["tls-server"], 30, issuer=issuer, now=energia.now())
    shown = verify(
        tmp_path,
        openssl,
        forged.public_bytes(Encoding.PEM),
        issuer.certificate.public_bytes(Encoding.PEM),
    )
    assert "subtree violation" in shown


def test_without_networks_no_address_is_certified(authority: CertificateAuthority) -> None:
    bounds = Bounds.read(["energia.example"])
    authority.create_unit("energia", bounds)
    held = Bounds.of(authority.issuers.get("energia").certificate)
    assert held == bounds
    assert held.outside(["a.energia.example", "10.0.0.1", "::1"]) == ("10.0.0.1", "::1")


def test_the_list_and_ocsp_of_a_unit_are_its_own(
    energia: CertificateAuthority, connector: CaConnector, order: MakeOrder, openssl: OpenSsl, tmp_path: Path
) -> None:
    plan = connector.plan(order("shop.energia.example", unit="energia"))
    files = connector.apply(plan, "key").artefacts
    leaf = x509.load_pem_x509_certificate(files["certificate.pem"])
    assert verify(tmp_path, openssl, files["certificate.pem"], files["chain.pem"]).endswith("OK\n")
    points = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    address = str(points[0].full_name[0].value)
    assert address.endswith("/pki/units/energia/issuing.crl")
    question = ("ocsp", "-issuer", "unit.pem", "-cert", "certificate.pem", "-CAfile", "root.pem")
    question += ("-url", str(access[0].access_location.value))

    def listed() -> str:
        with urllib.request.urlopen(address, timeout=5) as answer:
            (tmp_path / "crl.der").write_bytes(answer.read())
        openssl("crl", "-inform", "DER", "-in", "crl.der", "-out", "crl.pem")
        return verify(
            tmp_path,
            openssl,
            files["certificate.pem"],
            files["chain.pem"],
            "-crl_check",
            "-CRLfile",
            "crl.pem",
        )

    assert listed() == "certificate.pem: OK\n"
    assert "certificate.pem: good" in openssl(*question).stdout
    connector.revert(plan, "key")
    assert "certificate revoked" in listed()
    revoked = openssl(*question)
    assert "certificate.pem: revoked" in revoked.stdout
    assert "Response verify OK" in revoked.stderr
    assert len(x509.load_der_x509_crl(energia.crl())) == 0
    with urllib.request.urlopen(str(access[1].access_location.value), timeout=5) as answer:
        assert x509.load_der_x509_certificate(answer.read()) == energia.issuers.get("energia").certificate
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(address.replace("energia", "sales"), timeout=5)


def test_renewed_with_other_bounds_it_keeps_its_key_and_what_it_issued(
    energia: CertificateAuthority, connector: CaConnector, order: MakeOrder, openssl: OpenSsl, tmp_path: Path
) -> None:
    plan = connector.plan(order("shop.energia.example", unit="energia"))
    files = connector.apply(plan, "key").artefacts
    energia.create_unit("energia", Bounds.read(["energia.example", "power.example"]))
    chain = energia.issuers.get("energia").certificate.public_bytes(Encoding.PEM)
    assert verify(tmp_path, openssl, files["certificate.pem"], chain) == "certificate.pem: OK\n"
    assert connector.plan(order("a.power.example", unit="energia")).target == plan.target
    assert connector.read_back(plan, "key").present
    # The unit that went with it does so no longer.
    assert connector.plan(order("a.power.example", unit="energia-sales")).target != plan.target


def test_a_unit_goes_to_one_ca_and_the_roots_key_must_be_there(energia: CertificateAuthority) -> None:
    with pytest.raises(ConnectorError, match="energia-sales goes to the CA of energia already"):
        energia.create_unit("sales", Bounds.read(["sales.example"]), frozenset({"energia-sales"}))
    (energia.folder / "root.key").unlink()
    with pytest.raises(ConnectorError, match="The root's key is not there"):
        energia.create_unit("sales", Bounds.read(["sales.example"]))
    for slug in ("../up", "Sales", "a b", "-x"):
        with pytest.raises(ConnectorError, match="is no unit's short name"):
            energia.create_unit(slug, Bounds.read(["sales.example"]))


@pytest.mark.parametrize(
    ("domains", "networks"), [([], []), (["*.a.example"], []), (["a b"], []), (["a.example"], ["10.0.0.1/8"])]
)
def test_bounds_that_are_none_are_refused(domains: list[str], networks: list[str]) -> None:
    with pytest.raises(CsrError):
        Bounds.read(domains, networks)
