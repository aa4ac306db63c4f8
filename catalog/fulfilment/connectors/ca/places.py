"""Where clients find what a certificate points to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Places:
    """Addresses under the portal's public URL."""

    crl: str
    ocsp: str
    issuing: str
    root: str

    @classmethod
    def under(cls, base_url: str, unit: str = "") -> Places:
        """The places under the portal's public URL; a unit's own CA has its own list and certificate."""
        base = base_url.rstrip("/") + "/pki"
        own = f"{base}/units/{unit}" if unit else base
        return cls(f"{own}/issuing.crl", f"{base}/ocsp", f"{own}/issuing.crt", f"{base}/root.crt")
