"""The built-in certificate authority: reading requests, issuing, revoking, CRL and OCSP."""

from catalog.fulfilment.connectors.ca.authority import CertificateAuthority
from catalog.fulfilment.connectors.ca.connector import CaConnector
from catalog.fulfilment.connectors.ca.csr import CsrError, CsrFacts, read_csr, read_csr_bytes

__all__ = ["CaConnector", "CertificateAuthority", "CsrError", "CsrFacts", "read_csr", "read_csr_bytes"]
