"""What the ledger says of offerings."""

from __future__ import annotations

PUBLISHED = "offering:published"
