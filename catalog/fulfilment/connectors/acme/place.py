"""Where the external authority is, who the portal is there, and where the portal keeps what it was given."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

#: Names are proven by a file that the portal serves, or by a record that a program puts into DNS.
HTTP_01, DNS_01 = "http-01", "dns-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmePlace:
    """`timeout` is for one HTTP request, `patience` for a whole order, both in seconds."""

    directory: str
    folder: Path
    ca_file: str = ""
    contact: str = ""
    eab_kid: str = ""
    eab_key: str = field(default="", repr=False)
    dns_hook: str = ""
    timeout: float = 15.0
    patience: float = 90.0

    @property
    def host(self) -> str:
        """The authority as people know it."""
        return urlsplit(self.directory).hostname or self.directory

    @property
    def challenge(self) -> str:
        """How names are proven here."""
        return DNS_01 if self.dns_hook else HTTP_01

    @property
    def home(self) -> Path:
        """The folder of the account; each directory has its own, as accounts and orders are not shared."""
        short = hashlib.sha256(self.directory.encode()).hexdigest()[:8]
        return self.folder / f"{self.host}-{short}"
