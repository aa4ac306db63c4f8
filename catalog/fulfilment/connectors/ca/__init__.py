"""The built-in certificate authority: reading requests, issuing, renewing, revoking, CRL and OCSP.

What it offers is imported when it is asked for: the command line starts fast, though the authority has commands.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
    from catalog.fulfilment.connectors.ca.connector import CaConnector
    from catalog.fulfilment.connectors.ca.csr import CsrError, CsrFacts, read_csr, read_csr_bytes

__all__ = ["CaConnector", "CertificateAuthority", "CsrError", "CsrFacts", "read_csr", "read_csr_bytes"]

_ROOMS = {"CaConnector": "connector", "CertificateAuthority": "authority"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_ROOMS.get(name, 'csr')}"), name)
