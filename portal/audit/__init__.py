"""The ledger: the append-only record of everything that happened, as a Merkle tree."""

from portal.audit.record import record

__all__ = ["record"]
