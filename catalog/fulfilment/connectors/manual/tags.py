"""What the ledger says of manual tasks; the subject is the request that they are of."""

from __future__ import annotations

OPENED = "manual-task:opened"
TAKEN = "manual-task:taken"
GIVEN_BACK = "manual-task:given-back"
DONE = "manual-task:done"
IMPOSSIBLE = "manual-task:impossible"
CANCELLED = "manual-task:cancelled"
