"""What the ledger says of findings; the subject is `finding:<number>`, of a reading `connector:<kind>`."""

from __future__ import annotations

FOUND = "finding:opened"
#: It is of another kind, or the target says something else of it.
CHANGED = "finding:changed"
CLOSED = "finding:closed"
#: Somebody of compliance proposes that it may stay; a second person confirms or refuses.
PROPOSED = "acceptance:proposed"
ACCEPTED = "acceptance:confirmed"
REFUSED = "acceptance:refused"
#: Its day has passed, or what was accepted has changed.
LAPSED = "acceptance:lapsed"
#: A request was made that takes it away, or adopts it.
REMOVAL_RAISED = "finding:removal-raised"
ADOPTION_RAISED = "finding:adoption-raised"
#: The record of something that is not on the target any more is ended.
RECORD_ENDED = "finding:record-ended"
READ = "target:read"
NOT_READ = "target:unread"
ASKED = "reconciliation:asked"
