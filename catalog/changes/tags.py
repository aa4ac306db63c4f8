"""What the ledger says of the change calendar; the subject is `change-calendar` or `request:<reference>`."""

from __future__ import annotations

WINDOW_SET = "change:window-set"
WINDOW_ENDED = "change:window-ended"
FREEZE_SET = "change:freeze-set"
FREEZE_LIFTED = "change:freeze-lifted"
#: It waits for a window or for the end of a freeze.
SCHEDULED = "change:scheduled"
#: What waited is carried out at another time.
MOVED = "change:moved"
#: An emergency started outside of its windows or within a freeze.
WINDOWS_PASSED = "change:windows-passed"
FEED_MADE = "change:feed-made"
FEED_REVOKED = "change:feed-revoked"
