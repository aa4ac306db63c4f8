"""The ledger: the append-only record of everything that happened, as a Merkle tree."""

from portal.audit import collecting as _collecting  # noqa: F401  (it notices what every session writes)
from portal.audit.record import record

__all__ = ["record"]
