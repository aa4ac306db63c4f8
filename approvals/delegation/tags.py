"""What the ledger says of delegations; the subject is `person:<number>` of whoever delegates."""

from __future__ import annotations

GIVEN = "delegation:given"
#: By the delegator, before its last day.
ENDED = "delegation:ended"
#: By the substitute.
DECLINED = "delegation:declined"
