"""Certificate signing requests, made as people make them: with the openssl command or an old tool's oddities."""

from __future__ import annotations

import ipaddress
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID


@cache
def key_of(kind: str) -> Any:
    """A key of this kind, the same one each time, as making RSA keys is slow."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind.removeprefix("rsa")))
    return ec.generate_private_key({"p256": ec.SECP256R1(), "p384": ec.SECP384R1()}[kind])


def make_csr(
    *names: str,
    common_name: str | None = None,
    key: Any = None,
    digest: Any = hashes.SHA256(),  # noqa: B008  (it holds no state)
    subject: tuple[x509.NameAttribute[str], ...] = (),
    alternatives: tuple[x509.GeneralName, ...] = (),
) -> str:
    """PEM of a request for these names; addresses become IP entries."""
    entries = [
        x509.IPAddress(ipaddress.ip_address(name))
        if name[0].isdigit() and name[-1].isdigit()
        else x509.DNSName(name)
        for name in names
    ]
    attributes = list(subject)
    if common_name is not None:
        attributes.insert(0, x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    if entries or alternatives:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([*entries, *alternatives]), critical=False
        )
    signed = builder.sign(key or key_of("p256"), digest)
    return signed.public_bytes(Encoding.PEM).decode()
