"""The CAs that issue: the general one, and one for each unit whose names are bounded."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from catalog.fulfilment.connectors.ca.bounds import Bounds
from catalog.fulfilment.connectors.ca.files import READABLE, write_whole
from catalog.fulfilment.connectors.ca.key_files import ISSUING, Keys
from catalog.fulfilment.connectors.ca.places import Places
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say

#: The name of the CA that is no unit's.
GENERAL = ""
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,78}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True)
class Issuer:
    """One issuing CA. `slug` is its unit's, or empty for the general one; `folder` holds its certificate."""

    slug: str
    folder: Path
    places: Places
    keys: Keys = field(repr=False)

    @property
    def key_name(self) -> str:
        """What its key is called where keys lie."""
        return f"units/{self.slug}/{ISSUING}" if self.slug else ISSUING

    @cached_property
    def certificate(self) -> x509.Certificate:
        """Its own certificate."""
        return x509.load_pem_x509_certificate((self.folder / "issuing.crt").read_bytes())

    @cached_property
    def key(self) -> ec.EllipticCurvePrivateKey:
        """Its key. Raises ConnectorError when it cannot be used or is not the certificate's."""
        key = self.keys.load(self.key_name)
        if key.public_key() != self.certificate.public_key():
            message = say(
                "%(file)s is not the key of issuing.crt. An operator must restore the folder from a backup.",
                file=self.keys.described(self.key_name),
            )
            raise ConnectorError(message, permanent=True)
        return key

    @cached_property
    def bounds(self) -> Bounds | None:
        """The names that it may certify; None where there are no bounds."""
        return Bounds.of(self.certificate)

    @property
    def title(self) -> str:
        """Its distinguished name (RFC 4514)."""
        return self.certificate.subject.rfc4514_string()

    @property
    def list_file(self) -> Path:
        """Where its revocation list is kept."""
        return self.folder / "crl.json"


class Issuers:
    """Finds them in the authority's folder; a CA that was made or renewed meanwhile is seen at once."""

    def __init__(self, folder: Path, base_url: str, keys: Keys) -> None:
        self._folder, self._base_url, self._keys = folder, base_url, keys
        self._known: dict[str, tuple[int, Issuer]] = {}

    def get(self, slug: str) -> Issuer:
        """The CA of this slug. Raises OSError when its certificate is not there."""
        folder = self._folder / "units" / slug if slug else self._folder
        changed = (folder / "issuing.crt").stat().st_mtime_ns
        known = self._known.get(slug)
        if known is None or known[0] != changed:
            known = (changed, self.at(slug))
            self._known[slug] = known
        return known[1]

    def at(self, slug: str) -> Issuer:
        """The CA of this slug, which may have to be made yet. Raises ConnectorError for what is no slug."""
        if not slug:
            return Issuer(GENERAL, self._folder, Places.under(self._base_url), self._keys)
        if not _SLUG.fullmatch(slug):
            message = say(
                "“%(slug)s” is no unit's short name; use letters, digits and hyphens.", slug=slug[:80]
            )
            raise ConnectorError(message, permanent=True)
        return Issuer(slug, self._folder / "units" / slug, Places.under(self._base_url, slug), self._keys)

    def for_unit(self, unit: str) -> Issuer:
        """The CA that issues for this unit: its own, that of the unit which it goes with, or the general one."""
        return self.get(self.served().get(unit, GENERAL) if unit else GENERAL)

    def find(self, slug: str) -> Issuer | None:
        """The CA of this slug, as an address names it; None where there is none."""
        return self.get(slug) if slug in {GENERAL, *self.served().values()} else None

    def every(self) -> list[Issuer]:
        """The general one first, then the units' by name."""
        return [self.get(GENERAL), *(self.get(slug) for slug in sorted(set(self.served().values())))]

    def served(self) -> dict[str, str]:
        """Which unit goes to which unit's CA."""
        file = self._folder / "units.json"
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            # Without a folder there is no authority, and the general CA's certificate will say so.
            return {}
        except ValueError as error:
            message = say("%(file)s is damaged. An operator must restore it from a backup.", file=file)
            raise ConnectorError(message, permanent=True) from error
        return {str(unit): str(slug) for unit, slug in kept.items()}

    def serve(self, slug: str, units: set[str]) -> None:
        """From now on these units, and no others, go to this unit's CA. The caller holds the authority's lock."""
        kept = {unit: of for unit, of in self.served().items() if of != slug}
        kept |= dict.fromkeys(units, slug)
        write_whole(
            self._folder / "units.json", json.dumps(kept, indent=1, sort_keys=True).encode(), mode=READABLE
        )
