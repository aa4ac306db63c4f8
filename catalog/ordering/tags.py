"""What the ledger says of orders; the subject is `order:<number>`."""

from __future__ import annotations

ORDERED = "order:placed"
