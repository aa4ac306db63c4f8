"""What the ledger says of attachments; the subject is the request that they belong to."""

from __future__ import annotations

ADDED = "attachment:added"
FETCHED = "attachment:fetched"
