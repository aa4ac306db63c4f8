"""What the checks of ledger and keys need of a document."""

from __future__ import annotations

from typing import Protocol

from reports.evidence.document import LedgerPart


class Proven(Protocol):
    """Any document whose entries a checkpoint proves: what the checks of ledger and keys need of it."""

    @property
    def as_of(self) -> str:
        """When the checkpoint was signed."""

    @property
    def ledger(self) -> LedgerPart:
        """The ledger's word."""
