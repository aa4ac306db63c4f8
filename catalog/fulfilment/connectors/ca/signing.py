"""Certificates as the CA signs them (RFC 5280): its own two, and those of servers."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from catalog.fulfilment.connectors.ca.bounds import Bounds
from catalog.fulfilment.connectors.ca.csr import CsrFacts
from catalog.fulfilment.connectors.ca.issuers import Issuer
from catalog.fulfilment.connectors.ca.places import Places
from catalog.fulfilment.connectors.ca.profiles import Profile

ROOT_YEARS = 10
ISSUING_YEARS = 5
_YEAR = timedelta(days=365)
#: Clocks of clients differ; a certificate that starts in their future would be refused.
BACKDATED = timedelta(minutes=5)
#: RFC 5280 appendix A, ub-common-name.
_LONGEST_COMMON_NAME = 64


def root_certificate(name: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    """The root: it signs the issuing CA once and then rests."""
    subject = _authority_name(name, "Root CA")
    builder = _builder(subject, subject, key.public_key(), now - BACKDATED, now + ROOT_YEARS * _YEAR)
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA384())
    )


def issuing_certificate(
    name: str,
    key: ec.EllipticCurvePublicKey,
    *,
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
    places: Places,
    now: datetime,
    unit: str = "",
    bounds: Bounds | None = None,
) -> x509.Certificate:
    """The issuing CA, which signs certificates of servers, the CRL and OCSP answers; of one unit within its bounds."""
    end = min(now + ISSUING_YEARS * _YEAR, root.not_valid_after_utc)
    role = f"{unit} Issuing CA" if unit else "Issuing CA"
    builder = _builder(_authority_name(name, role), root.subject, key, now - BACKDATED, end)
    if bounds is not None:
        # RFC 5280 §4.2.1.10: critical, so that a client that does not know it refuses the chain.
        builder = builder.add_extension(bounds.extension(), critical=True)
    access = [_access(AuthorityInformationAccessOID.CA_ISSUERS, places.root)]
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True, signatures=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(_authority_key(root), critical=False)
        .add_extension(x509.AuthorityInformationAccess(access), critical=False)
        .sign(root_key, hashes.SHA384())
    )


def server_certificate(
    csr: CsrFacts,
    profile: Profile,
    days: int,
    *,
    issuer: Issuer,
    now: datetime,
) -> x509.Certificate:
    """A server's certificate. Of the request it takes the key and the names; all else is the profile's."""
    key = x509.load_pem_x509_csr(csr.pem.encode("ascii")).public_key()
    common_name = certified_common_name(csr)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
    start = now.replace(microsecond=0) - BACKDATED
    # Both ends belong to the validity (RFC 5280 §4.1.2.5), hence one second less.
    end = start + timedelta(days=days, seconds=-1)
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in csr.dns_names]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in csr.ip_addresses]
    access = [
        _access(AuthorityInformationAccessOID.OCSP, issuer.places.ocsp),
        _access(AuthorityInformationAccessOID.CA_ISSUERS, issuer.places.issuing),
    ]
    crl = x509.DistributionPoint([x509.UniformResourceIdentifier(issuer.places.crl)], None, None, None)
    return (
        _builder(subject, issuer.certificate.subject, key, start, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signatures=True, wraps_keys=isinstance(key, rsa.RSAPublicKey)), critical=True)
        .add_extension(x509.ExtendedKeyUsage(profile.extended_usages), critical=False)
        # RFC 5280 §4.2.1.6: the names are critical when there is no subject.
        .add_extension(x509.SubjectAlternativeName(names), critical=not common_name)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(_authority_key(issuer.certificate), critical=False)
        .add_extension(x509.CRLDistributionPoints([crl]), critical=False)
        .add_extension(x509.AuthorityInformationAccess(access), critical=False)
        .sign(issuer.key, hashes.SHA256())
    )


def certified_common_name(csr: CsrFacts) -> str:
    """The common name that the certificate gets: the request's, else its first DNS name, if it is not too long."""
    candidates = [csr.common_name] if csr.common_name else list(csr.dns_names)
    return next((name for name in candidates if len(name) <= _LONGEST_COMMON_NAME), "")


def _builder(
    subject: x509.Name, issuer: x509.Name, key: object, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)  # type: ignore[arg-type]
        # 20 octets from the system's generator, the most that RFC 5280 §4.1.2.2 allows.
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _usage(
    *, certificates: bool = False, signatures: bool = False, wraps_keys: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signatures,
        content_commitment=False,
        key_encipherment=wraps_keys,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_name(name: str, role: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{name} {role}"),
        ]
    )


def _authority_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _access(method: x509.ObjectIdentifier, url: str) -> x509.AccessDescription:
    return x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
