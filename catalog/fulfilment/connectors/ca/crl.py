"""The certificate revocation list (RFC 5280 §5): kept in one file, made anew when it changed or grows old."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from catalog.fulfilment.connectors.ca.files import READABLE, write_whole
from catalog.fulfilment.connectors.ca.issuers import Issuer
from catalog.fulfilment.connectors.ca.records import Revoked

LIFETIME = timedelta(hours=24)
#: Made anew this long before it ends, so that a cached copy still holds for a while.
RENEWED_BEFORE = timedelta(hours=6)
#: A client whose clock is behind must not find the list to be of the future.
_BACKDATED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class KeptCrl:
    """The last list: its number, what is on it, when it ends, and the list itself in DER."""

    number: int
    serials: tuple[str, ...]
    this_update: datetime
    next_update: datetime
    der: bytes

    def holds(self, serials: Sequence[str], now: datetime) -> bool:
        """Whether the list still says the truth and has time left."""
        return self.serials == tuple(serials) and self.this_update <= now < self.next_update - RENEWED_BEFORE


def read_crl(file: Path) -> KeptCrl | None:
    """The kept list; None when there is none, or when its file is damaged, as the list can be made anew."""
    if not file.exists():
        return None
    try:
        content = json.loads(file.read_bytes())
        return KeptCrl(
            content["number"],
            tuple(content["serials"]),
            datetime.fromisoformat(content["this_update"]),
            datetime.fromisoformat(content["next_update"]),
            base64.b64decode(content["der"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def write_crl(file: Path, crl: KeptCrl) -> None:
    """Keep the list."""
    content = {
        "number": crl.number,
        "serials": list(crl.serials),
        "this_update": crl.this_update.isoformat(),
        "next_update": crl.next_update.isoformat(),
        "der": base64.b64encode(crl.der).decode("ascii"),
    }
    write_whole(file, json.dumps(content).encode(), mode=READABLE)


def make_crl(
    revoked: Sequence[Revoked],
    before: KeptCrl | None,
    issuer: Issuer,
    now: datetime,
) -> KeptCrl:
    """Sign a new list with the next number."""
    now = now.replace(microsecond=0)
    this_update = now - _BACKDATED
    # Never below the time in seconds: the numbers rise even when the last list was lost (RFC 5280 §5.2.3).
    number = max(before.number + 1 if before else 0, int(now.timestamp()))
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(this_update)
        .next_update(now + LIFETIME)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            ),
            critical=False,
        )
    )
    for revocation in revoked:
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(int(revocation.serial, 16))
            .revocation_date(revocation.at)
        )
        reason = reason_flag(revocation.reason)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    der = builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)
    return KeptCrl(number, tuple(item.serial for item in revoked), this_update, now + LIFETIME, der)


def reason_flag(reason: str) -> x509.ReasonFlags | None:
    """The reason's code; none for “unspecified”, which should be left out (RFC 5280 §5.3.1)."""
    return None if reason == "unspecified" else x509.ReasonFlags(reason)
