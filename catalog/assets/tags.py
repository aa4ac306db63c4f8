"""What the ledger says of assets; the subject is `assets`."""

from __future__ import annotations

IMPORTED = "assets:imported"
