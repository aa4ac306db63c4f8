"""Kinds of certificates that the built-in CA issues, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of certificate; days are whole days of validity."""

    name: str
    title: str
    purpose: str
    longest_days: int
    usual_days: int
    extended_usages: tuple[x509.ObjectIdentifier, ...]


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="tls-server",
            title="TLS server certificate",
            purpose="proves to visitors that they reached this server; nothing else",
            # CA/Browser Forum ballot SC-081v3: 200 days from 15 March 2026, 100 from 15 March 2027.
            longest_days=200,
            usual_days=90,
            extended_usages=(ExtendedKeyUsageOID.SERVER_AUTH,),
        ),
    )
}

#: RFC 5280 §5.3.1, those that make sense for a server's certificate.
REASONS = {
    "unspecified": "No reason given",
    "keyCompromise": "The private key may be known to others",
    "affiliationChanged": "The organisation changed",
    "superseded": "Another certificate took its place",
    "cessationOfOperation": "The server is no longer in use",
    "privilegeWithdrawn": "The permission was withdrawn",
}
