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
#: An operator had what is on the targets taken back, or a fulfilment that does not get on stopped.
UNDO_ASKED = "fulfilment:undo-asked"
#: An operator says, with proof, that a step was done or undone by hand; it counts once a second one confirms.
BY_HAND_CLAIMED = "step:claimed-by-hand"
BY_HAND_CONFIRMED = "step:confirmed-by-hand"
BY_HAND_DECLINED = "step:declined-by-hand"
ENTITLEMENT_GRANTED = "entitlement:granted"
ENTITLEMENT_GIVEN_BACK = "entitlement:given-back"
#: Its holder's superior or whoever answers for it wants it gone.
ENTITLEMENT_END_ORDERED = "entitlement:end-ordered"
ENTITLEMENT_EXTENDED = "entitlement:extended"
ENTITLEMENT_REPLACED = "entitlement:replaced"
EXTENSION_UNDONE = "entitlement:extension-undone"
ENTITLEMENT_ENDED = "entitlement:ended"
#: What an access review did to it.
ENTITLEMENT_REVIEW_MOVED = "entitlement:review-moved"
ENTITLEMENT_REVIEW_ENDED = "entitlement:review-ended"
#: Whatever gives something that is live another end; the last entry of these says when it ends.
MOVES_OF_AN_END = (
    ENTITLEMENT_EXTENDED,
    EXTENSION_UNDONE,
    ENTITLEMENT_REPLACED,
    ENTITLEMENT_REVIEW_MOVED,
)
#: Whether it is still needed: asked, reminded, answered by one person, kept, revoked by an answer or by silence, void.
RECERTIFICATION_ASKED = "recertification:asked"
RECERTIFICATION_REMINDED = "recertification:reminded"
RECERTIFICATION_ANSWERED = "recertification:answered"
RECERTIFICATION_KEPT = "recertification:kept"
RECERTIFICATION_REVOKED = "recertification:revoked"
RECERTIFICATION_VOIDED = "recertification:voided"
ARTEFACT_FETCHED = "artefact:fetched"
#: A one-time secret was shown to the beneficiary; it never is again.
SECRET_SHOWN = "secret:shown"  # noqa: S105  (a tag)
