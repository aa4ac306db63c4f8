"""Kinds of certificates that the built-in CA issues, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from portal.core.language import N_


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of certificate; days are whole days of validity. Title and purpose are said where they are shown."""

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
            title=N_("TLS server certificate"),
            purpose=N_("proves to visitors that they reached this server; nothing else"),
            # CA/Browser Forum ballot SC-081v3: 200 days from 15 March 2026, 100 from 15 March 2027.
            longest_days=200,
            usual_days=90,
            extended_usages=(ExtendedKeyUsageOID.SERVER_AUTH,),
        ),
    )
}

#: RFC 5280 §5.3.1, those that make sense for a server's certificate.
REASONS = {
    "unspecified": N_("No reason given"),
    "keyCompromise": N_("The private key may be known to others"),
    "affiliationChanged": N_("The organisation changed"),
    "superseded": N_("Another certificate took its place"),
    "cessationOfOperation": N_("The server is no longer in use"),
    "privilegeWithdrawn": N_("The permission was withdrawn"),
}
