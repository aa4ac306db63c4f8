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
#: It had agreed to the seal before this one, and the target alone has changed since: only the last stage is asked again.
STAGE_CARRIED = "stage:carried"
#: Of a rota others are asked than before.
DUTY_CHANGED = "stage:duty-changed"
APPROVED = "approval:approved"
DENIED = "approval:denied"
#: What was approved is no longer what stands there.
VOIDED = "approval:voided"
LINK_REFUSED = "approval:link-refused"

#: What was decided without its ordinary approvers is looked at by them afterwards.
REVIEW_OPENED = "review:opened"
REVIEW_FOUND_RIGHT = "review:found-right"
REVIEW_FOUND_WRONG = "review:found-wrong"
REVIEW_PASSED = "review:passed"
REVIEW_LAPSED = "review:lapsed"
#: Nothing of it was carried out, so nothing is left to review.
REVIEW_VOIDED = "review:voided"
REVIEW_UNDONE = "review:undone"
#: Two people carried a waiting request past its approvers.
GLASS_PROPOSED = "glass:proposed"
GLASS_BROKEN = "glass:broken"
#: Of standing approvals the subject is `standing:<number>`; of a use, the request.
STANDING_PROPOSED = "standing:proposed"
STANDING_SIGNED = "standing:signed"
STANDING_ENTERED = "standing:entered-into-force"
STANDING_REVOKED = "standing:revoked"
STANDING_USED = "standing:used"

#: An approver asked the requester, who answered.
ASKED = "question:asked"
ANSWERED = "question:answered"
#: An approver proposed a narrower request.
PROPOSED = "proposal:made"
ACCEPTED = "proposal:accepted"
DECLINED = "proposal:declined"
#: A question or proposal that needs no answer any more: the stage or the request moved on.
MOOT = "remark:closed"
COMMENTED = "comment:written"
#: One approver of a stage left it to another.
REASSIGNED = "stage:reassigned"
