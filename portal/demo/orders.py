"""What the story orders: three services with real input, never the same twice, so that it can be played again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

REASON = "Takes over the Iberian key accounts and keeps their orders up to date."


@dataclass(frozen=True)
class Ordered:
    """One service and what is typed into its form. `keep` are files of the requester's own, by name."""

    slug: str
    answers: dict[str, str]
    keep: dict[str, bytes]


def access(user_name: str, role: str) -> Ordered:
    """The role for this person, for three months."""
    return Ordered(
        "application-access", {"person": user_name, "role": role, "reason": REASON, "until": _in_days(90)}, {}
    )


def certificate() -> Ordered:
    """A certificate for a new key, made here as the owner of a server would make it."""
    name = f"orders-{secrets.token_hex(3)}.meridian.example"
    key = ec.generate_private_key(ec.SECP256R1())
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    answers = {
        "csr": request.public_bytes(Encoding.PEM).decode(),
        "validity_days": "150",
        "reason": "Order portal of Energia Sales, used by account managers inside the organisation.",
    }
    return Ordered("tls-certificate", answers, {"server.key": pem})


def rule() -> Ordered:
    """One port from a few workstations to one database, which nothing allows yet."""
    answers = {
        "source_zone": "office",
        "source": f"10.1.{secrets.randbelow(200)}.{16 * secrets.randbelow(16)}/28",
        "destination_zone": "database",
        "destination": f"10.10.{2 + secrets.randbelow(200)}.{10 + secrets.randbelow(200)}",
        "protocol": "tcp",
        "ports": "5432",
        "reason": "The order portal reads customer orders from the order database every five minutes.",
        "rollback": "The on-call engineer watches the order queue for an hour; if it stops, we withdraw the rule.",
        "until": _in_days(60),
    }
    return Ordered("firewall-rule", answers, {})


def _in_days(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()
