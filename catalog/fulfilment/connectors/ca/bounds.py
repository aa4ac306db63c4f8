"""The names that a unit's own issuing CA may certify (RFC 5280 §4.2.1.10): in its certificate, and said before."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509

from catalog.fulfilment.connectors.ca import names
from catalog.fulfilment.connectors.ca.refusal import CsrError
from portal.core.language import every_language, say

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_EVERY_ADDRESS: tuple[Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


@dataclass(frozen=True, slots=True)
class Bounds:
    """DNS names, each with everything below it, and networks. Nothing of a kind means none of that kind at all."""

    domains: tuple[str, ...]
    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, domains: Iterable[str], networks: Iterable[str] = ()) -> Bounds:
        """What an operator typed. Raises CsrError for what is no domain or no network, or where there is nothing."""
        kept = tuple(sorted({names.dns_name(domain.strip().removeprefix(".")) for domain in domains}))
        starred = [domain for domain in kept if "*" in domain]
        if starred:
            raise CsrError(
                say("“%(name)s” has a star; everything below a domain is meant anyway.", name=starred[0])
            )
        try:
            allowed = tuple(sorted({ipaddress.ip_network(network.strip()) for network in networks}, key=str))
        except ValueError as error:
            raise CsrError(say("This is no network: %(why)s.", why=str(error))) from error
        if not kept:
            raise CsrError(say("Name at least one domain that the unit may have certificates for."))
        return cls(kept, allowed)

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Bounds | None:
        """The bounds in a CA's certificate; None for a CA without."""
        try:
            held = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        except x509.ExtensionNotFound:
            return None
        permitted = held.permitted_subtrees or []
        return cls(
            tuple(name.value for name in permitted if isinstance(name, x509.DNSName)),
            tuple(name.value for name in permitted if isinstance(name, x509.IPAddress)),  # type: ignore[misc]
        )

    def extension(self) -> x509.NameConstraints:
        """The same for a CA's certificate. A kind of name that is not listed would be free, so it is shut out."""
        permitted: list[x509.GeneralName] = [x509.DNSName(domain) for domain in self.domains]
        permitted += [x509.IPAddress(network) for network in self.networks]
        versions = {network.version for network in self.networks}
        # One permitted network bounds both versions of IP by the letter; some clients look at each alone.
        excluded = [x509.IPAddress(every) for every in _EVERY_ADDRESS if every.version not in versions]
        return x509.NameConstraints(permitted, excluded or None)

    def outside(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """The names that may not be certified."""
        return tuple(name for name in wanted if not self._holds(name))

    def _holds(self, name: str) -> bool:
        if names.is_ip(name):
            address = ipaddress.ip_address(name)
            return any(address.version == net.version and address in net for net in self.networks)
        plain = name.removeprefix("*.")
        return any(plain == domain or plain.endswith(f".{domain}") for domain in self.domains)

    def shown(self) -> str:
        """For people, in every language."""
        return every_language(
            lambda: ", ".join([*(names.shown(domain) for domain in self.domains), *map(str, self.networks)])
        )
