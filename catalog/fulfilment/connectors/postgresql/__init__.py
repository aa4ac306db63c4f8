"""Membership of PostgreSQL roles: who may do what in a database, granted and revoked."""

from catalog.fulfilment.connectors.postgresql.connector import PostgresqlConnector

__all__ = ["PostgresqlConnector"]
