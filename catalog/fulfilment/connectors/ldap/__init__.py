"""A directory that speaks LDAP version 3 (RFC 4511): groups, accounts that are disabled, passwords that are reset."""

from catalog.fulfilment.connectors.ldap.connector import LdapConnector
from catalog.fulfilment.connectors.ldap.directory import Place

__all__ = ["LdapConnector", "Place"]
