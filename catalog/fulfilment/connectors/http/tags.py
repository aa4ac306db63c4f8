"""What the ledger says of calls to automation tools; the subject is the request that they are of."""

from __future__ import annotations

SENT = "http-call:sent"
#: A callback came whose signature is the target's.
CALLED_BACK = "http-call:called-back"
SETTLED = "http-call:settled"
