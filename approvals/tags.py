"""What the ledger says of routes and decisions; the subject is `request:<reference>`."""

from __future__ import annotations

SEALED = "request:sealed"
#: No stage applied: the published offering itself is what approves, and is named.
APPROVED_BY_POLICY = "request:approved-by-policy"
STAGE_OPENED = "stage:opened"
STAGE_APPROVED = "stage:approved"
STAGE_REJECTED = "stage:rejected"
#: It ended without an outcome of its own.
STAGE_CLOSED = "stage:closed"
APPROVED = "approval:approved"
DENIED = "approval:denied"
#: What was approved is no longer what stands there.
VOIDED = "approval:voided"
LINK_REFUSED = "approval:link-refused"
