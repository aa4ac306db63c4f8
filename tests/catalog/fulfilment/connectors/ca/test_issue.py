"""Issuing: what openssl says of the certificate, and once only however often it is asked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from catalog.fulfilment.connectors.ca import CaConnector, CertificateAuthority
from catalog.fulfilment.connectors.contract import ConnectorError, Order, Plan
from tests.catalog.fulfilment.connectors.ca.conftest import MovedClock
from tests.catalog.fulfilment.connectors.requests import key_of, make_csr

MakeOrder = Callable[..., Order]
OpenSsl = Callable[..., subprocess.CompletedProcess[str]]


def write(folder: Path, artefacts: object) -> None:
    assert isinstance(artefacts, dict)
    for name, content in artefacts.items():
        (folder / name).write_bytes(content)


def read(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


@pytest.mark.parametrize("key", ["rsa2048", "p256", "p384", "ed25519"])
def test_openssl_accepts_the_certificate(
    connector: CaConnector, order: MakeOrder, openssl: OpenSsl, tmp_path: Path, key: str
) -> None:
    made = ed25519.Ed25519PrivateKey.generate() if key == "ed25519" else key_of(key)
    csr = make_csr("www.meridian.example", key=made, **({"digest": None} if key == "ed25519" else {}))
    outcome = connector.apply(connector.plan(order(csr=csr)), "key")
    assert set(outcome.artefacts) == {"certificate.pem", "chain.pem", "fullchain.pem"}
    write(tmp_path, outcome.artefacts)
    verified = openssl(
        *("verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "www.meridian.example"),
        *("-CAfile", "root.pem", "-untrusted", "chain.pem", "certificate.pem"),
    )
    assert verified.stdout == "certificate.pem: OK\n", verified.stderr
    other = openssl(
        "verify",
        "-verify_hostname",
        "b.example",
        "-CAfile",
        "root.pem",
        "-untrusted",
        "chain.pem",
        "certificate.pem",
    )
    assert other.returncode != 0


def test_the_full_chain_is_the_certificate_and_then_the_chain(
    connector: CaConnector, order: MakeOrder
) -> None:
    artefacts = connector.apply(connector.plan(order()), "key").artefacts
    assert artefacts["fullchain.pem"] == artefacts["certificate.pem"] + artefacts["chain.pem"]
    assert len(x509.load_pem_x509_certificates(artefacts["fullchain.pem"])) == 2


def test_the_certificate_holds_what_its_profile_says_and_no_more(
    connector: CaConnector, authority: CertificateAuthority, order: MakeOrder
) -> None:
    subject = (x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Somebody Else"),)
    csr = make_csr("www.meridian.example", "10.1.2.3", common_name="www.meridian.example", subject=subject)
    plan = connector.plan(order(csr=csr, validity_days=30))
    assert "Not certified, though the request holds it: O=Somebody Else" in [line.text for line in plan.lines]
    certificate = read(connector.apply(plan, "key").artefacts["certificate.pem"])
    extensions = certificate.extensions
    assert certificate.subject.rfc4514_string() == "CN=www.meridian.example"
    assert certificate.serial_number.bit_length() > 100
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(
        days=30, seconds=-1
    )
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.SERVER_AUTH
    ]
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.value.ca, constraints.critical) == (False, True)
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment, usage.key_cert_sign) == (True, False, False)
    points = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    access = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    urls = [point.full_name[0].value for point in points] + [a.access_location.value for a in access]
    assert [url[url.index("/pki") :] for url in urls] == ["/pki/issuing.crl", "/pki/ocsp", "/pki/issuing.crt"]
    issuer_key = authority.issuing.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    held = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert held.key_identifier == issuer_key.digest


def test_only_rsa_keys_may_wrap_keys(connector: CaConnector, order: MakeOrder) -> None:
    plan = connector.plan(order(csr=make_csr("www.meridian.example", key=key_of("rsa2048"))))
    certificate = read(connector.apply(plan, "key").artefacts["certificate.pem"])
    assert certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment


def test_a_name_too_long_for_a_subject_makes_the_names_critical(
    connector: CaConnector, order: MakeOrder, openssl: OpenSsl, tmp_path: Path
) -> None:
    name = f"{'a' * 60}.meridian.example"
    outcome = connector.apply(connector.plan(order(name)), "key")
    certificate = read(outcome.artefacts["certificate.pem"])
    assert not list(certificate.subject)
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).critical
    write(tmp_path, outcome.artefacts)
    assert (
        openssl(
            "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "chain.pem", "certificate.pem"
        ).returncode
        == 0
    )


def test_the_plan_says_what_an_approver_must_know(connector: CaConnector, order: MakeOrder) -> None:
    csr = make_csr("xn--bcher-kva.meridian.example", key=key_of("rsa2048"))
    plan = connector.plan(order(csr=csr, validity_days="45"))
    text = "\n".join(line.text for line in plan.lines)
    for said in (
        "Issue a TLS server certificate for xn--bcher-kva.meridian.example (that is bücher.meridian.example)",
        "Subject: CN=xn--bcher-kva.meridian.example",
        "Key: RSA, 2048 bits, request signed with SHA-256",
        f"SHA-256 of the public key: {plan.document['spki_sha256']}",
        "Valid for 45 days from the moment of issue",
        "Profile: tls-server",
        "Issuer: CN=Meridian Issuing CA,O=Meridian",
    ):
        assert said in text
    assert plan.document["csr"] == csr
    assert plan.warnings == ()


def test_a_wildcard_is_a_warning(connector: CaConnector, order: MakeOrder) -> None:
    assert connector.plan(order("*.meridian.example")).warnings == (
        "A name with a star stands for every server of its domain, so one more person must approve.",
    )


def test_a_key_used_again_is_a_warning_and_leaves_the_plan_as_it_is(
    connector: CaConnector, order: MakeOrder
) -> None:
    first = connector.plan(order())
    renewal = order(reference="SR-000012")
    before = connector.plan(renewal)
    serial = connector.apply(first, "key").facts["serial"]
    after = connector.plan(renewal)
    assert before.warnings == ()
    assert after.warnings == (
        f"This key is used again: certificate {serial} for www.meridian.example has it (SR-000011). "
        "A new key for each certificate is safer.",
    )
    assert after.effect == before.effect
    assert connector.plan(order()).warnings == ()


def test_a_renewal_is_a_second_certificate_with_its_own_key(connector: CaConnector, order: MakeOrder) -> None:
    first, second = connector.plan(order()), connector.plan(order(reference="SR-000012"))
    serials = {
        connector.apply(first, "key-1").facts["serial"],
        connector.apply(second, "key-2").facts["serial"],
    }
    live = {entry.key: entry for entry in connector.live()}
    assert len(serials) == 2
    assert set(live) == {connector.entitlement_key(first), connector.entitlement_key(second)}
    assert {entry.reference for entry in live.values()} == {"SR-000011", "SR-000012"}
    connector.revert(first, "key-1")
    assert [entry.key for entry in connector.live()] == [connector.entitlement_key(second)]
    assert connector.read_back(second, "key-2").present


def test_another_key_for_what_is_live_already_brings_no_second_certificate(
    connector: CaConnector, order: MakeOrder
) -> None:
    plan = connector.plan(order())
    first = connector.apply(plan, "key-1")
    assert connector.apply(plan, "key-2") == first
    connector.revert(plan, "key-2")
    assert list(connector.live()) == []
    # The late double of a call whose certificate was revoked since must not issue a new one.
    assert connector.apply(plan, "key-2").facts == first.facts
    assert list(connector.live()) == []


def test_one_key_never_stands_for_two_plans(connector: CaConnector, order: MakeOrder) -> None:
    connector.apply(connector.plan(order()), "key")
    with pytest.raises(ConnectorError, match="already issued another certificate") as raised:
        connector.apply(connector.plan(order("b.meridian.example")), "key")
    assert raised.value.permanent


def test_what_was_issued_is_there_after_a_restart(
    authority: CertificateAuthority, connector: CaConnector, order: MakeOrder
) -> None:
    plan = connector.plan(order())
    first = connector.apply(plan, "key")
    again = CaConnector(CertificateAuthority(authority.folder, "http://localhost", name="Meridian"))
    assert again.apply(plan, "key") == first
    assert again.read_back(plan, "key").artefacts == first.artefacts


def test_a_plan_whose_request_was_exchanged_is_not_applied(connector: CaConnector, order: MakeOrder) -> None:
    plan = connector.plan(order())
    other = connector.plan(
        order("b.meridian.example", csr=make_csr("b.meridian.example", key=key_of("p384")))
    )
    for part in ("csr", "names", "spki_sha256", "csr_sha256"):
        forged = replace(plan, document={**plan.document, part: other.document[part]})
        with pytest.raises(ConnectorError, match="do not agree") as raised:
            connector.apply(forged, "key")
        assert raised.value.permanent
    assert list(connector.live()) == []


def test_a_plan_for_another_issuer_is_not_applied(connector: CaConnector, order: MakeOrder) -> None:
    plan = connector.plan(order())
    old = replace(plan, document={**plan.document, "issuer": "CN=Old CA"})
    with pytest.raises(ConnectorError, match="the plan names another") as raised:
        connector.apply(old, "key")
    assert raised.value.permanent


def test_a_plan_with_more_days_than_the_profile_allows_is_not_applied(
    connector: CaConnector, order: MakeOrder
) -> None:
    plan = connector.plan(order())
    for days in (201, 0, -1, 10**9, "90 days"):
        with pytest.raises(ConnectorError, match="valid for 1 to 200 days"):
            connector.apply(replace(plan, document={**plan.document, "validity_days": days}), "key")


def test_no_certificate_outlives_the_authority(
    connector: CaConnector, order: MakeOrder, clock: MovedClock
) -> None:
    plan = connector.plan(order(validity_days=200))
    clock.moved = timedelta(days=5 * 365 - 100)
    with pytest.raises(ConnectorError, match="The issuing CA itself ends on") as raised:
        connector.apply(plan, "key")
    assert raised.value.permanent


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["b.example"], "The certificate signing request does not hold b.example. Make it with that name, or order without."),
        (["www.meridian.example"], "The certificate signing request also holds 10.1.2.3, which was not ordered."),
        ("intranet", "“intranet” is not a full name. Write it with its domain, for example www.example.com."),
    ],
)  # fmt: skip
def test_the_names_ordered_and_requested_must_be_the_same(
    connector: CaConnector, order: MakeOrder, names: object, sentence: str
) -> None:
    with pytest.raises(ConnectorError) as raised:
        connector.plan(order("www.meridian.example", "10.1.2.3", names=names))
    assert (raised.value.message, raised.value.permanent) == (sentence, True)


def test_names_may_be_typed_in_any_way_that_means_the_same(connector: CaConnector, order: MakeOrder) -> None:
    csr = make_csr("xn--bcher-kva.example", "10.1.2.3")
    plain = connector.plan(order(csr=csr))
    for names in (
        "BÜCHER.example, 10.1.2.3",
        "10.1.2.3\nbücher.example",
        ["xn--bcher-kva.example", "10.1.2.3"],
        "",
        None,
    ):
        assert connector.plan(order(csr=csr, names=names)).effect == plain.effect


def test_a_damaged_record_is_told_and_not_issued_over(
    authority: CertificateAuthority, connector: CaConnector, order: MakeOrder
) -> None:
    plan = connector.plan(order())
    connector.apply(plan, "key")
    (file,) = (authority.folder / "by-key").iterdir()
    file.write_text("{")
    with pytest.raises(ConnectorError, match="is damaged") as raised:
        connector.apply(plan, "key")
    assert raised.value.permanent


def test_a_forged_record_does_not_read_back_as_the_certificate(
    authority: CertificateAuthority, connector: CaConnector, order: MakeOrder
) -> None:
    plan = connector.plan(order())
    connector.apply(plan, "key")
    (file,) = (authority.folder / "by-key").iterdir()
    content = json.loads(file.read_text())
    content["certificate"] = content["certificate"].replace("MII", "MIJ", 1)
    file.write_text(json.dumps(content))
    assert not connector.read_back(plan, "key").present


def test_choices_name_the_profiles_and_reasons(connector: CaConnector) -> None:
    assert [(c.value, c.label) for c in connector.choices("profiles")] == [
        ("tls-server", "TLS server certificate")
    ]
    assert "keyCompromise" in [c.value for c in connector.choices("reasons")]


def test_a_kept_plan_issues(connector: CaConnector, order: MakeOrder) -> None:
    plan = connector.plan(order())
    kept = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert connector.apply(kept, "key") == connector.apply(plan, "key")
