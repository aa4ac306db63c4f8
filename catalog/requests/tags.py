"""What the ledger says of requests, fulfilment and what is live; the subject is `request:<reference>`."""

from __future__ import annotations

SUBMITTED = "request:submitted"
PREPARED = "request:prepared"
REFUSED = "request:refused"
EDITED = "request:edited"
WITHDRAWN = "request:withdrawn"
#: The target or an approval was no longer as sealed; nothing of this revision is carried out.
STOPPED = "request:stopped"
SEAL_MISMATCH = "request:seal-mismatch"
FULFILLED = "request:fulfilled"
FAILED = "request:failed"
RETRIED = "request:retried"
PROMISE_MISSED = "request:promise-missed"
SET_ASIDE = "request:set-aside"
ENDED = "request:ended"
FULFILMENT_STARTED = "fulfilment:started"
#: A manual task was opened for people.
STEP_HANDED_OVER = "step:handed-over"
STEP_APPLIED = "step:applied"
STEP_READ_BACK = "step:read-back"
STEP_FAILED = "step:failed"
STEP_REVERTED = "step:reverted"
STEP_NOT_REVERTED = "step:not-reverted"
ENTITLEMENT_GRANTED = "entitlement:granted"
ENTITLEMENT_GIVEN_BACK = "entitlement:given-back"
ENTITLEMENT_ENDED = "entitlement:ended"
ARTEFACT_FETCHED = "artefact:fetched"
#: A one-time secret was shown to the beneficiary; it never is again.
SECRET_SHOWN = "secret:shown"  # noqa: S105  (a tag)
