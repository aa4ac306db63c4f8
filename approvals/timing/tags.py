"""What the ledger says of stages that nobody decided in time; the subject is `request:<reference>`."""

from __future__ import annotations

REMINDED = "stage:reminded"
ESCALATED = "stage:escalated"
#: The escalation of the offering cancels, or the stage's last day has passed.
CANCELLED = "stage:cancelled"
EXPIRED = "stage:expired"
#: By the requester, at most once a working day.
NUDGED = "request:nudged"
