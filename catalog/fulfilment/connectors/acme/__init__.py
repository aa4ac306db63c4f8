"""Certificates of an external authority that speaks ACME (RFC 8555)."""
