"""The connector for access: membership of a group on a target that speaks SCIM 2.0 (RFC 7643, RFC 7644)."""

from catalog.fulfilment.connectors.scim.connector import ScimConnector

__all__ = ["ScimConnector"]
