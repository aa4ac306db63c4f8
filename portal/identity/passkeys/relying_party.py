"""The relying party: which portal a passkey is made for. Both names follow from PUBLIC_URL and nothing else."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from portal.core.settings import Settings

NAME = "Countersign"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """`id` is the portal's host (WebAuthn's rp id); `origin` is exactly what browsers write into what they sign."""

    id: str
    origin: str

    @classmethod
    def of(cls, settings: Settings) -> RelyingParty:
        """As this portal is reached."""
        parts = urlsplit(settings.public_url)
        host = (parts.hostname or "").lower()
        port = f":{parts.port}" if parts.port and parts.port != _DEFAULT_PORTS.get(parts.scheme) else ""
        shown = f"[{host}]" if ":" in host else host
        return cls(host, f"{parts.scheme}://{shown}{port}")

    @property
    def possible(self) -> bool:
        """Whether browsers make passkeys here: they refuse an address of numbers, and plain HTTP but on localhost."""
        try:
            ipaddress.ip_address(self.id)
        except ValueError:
            return (
                self.origin.startswith("https://") or self.id == "localhost" or self.id.endswith(".localhost")
            )
        return False
