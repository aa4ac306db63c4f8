"""Proposing: an approver would agree to less, and says to what; the requester accepts or declines.

Only the requester changes a request: whoever proposed has changed nothing, and may still approve what comes of it.
That is safe because a proposal is nothing but less of the same, field by field (approvals.conversation.narrower).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from approvals import tags
from approvals.conversation.difference import difference_of, differing
from approvals.conversation.model import Remark, RemarkKind, RemarkState
from approvals.conversation.narrower import not_narrower
from approvals.conversation.standing import insist_on_none_open, stand
from approvals.conversation.waiting import wait_for_requester
from approvals.conversation.words import checked
from catalog.offerings.queries import document_of
from catalog.offerings.rules import assess_risk, broken_rules
from catalog.requests.context import Context, context_for
from catalog.requests.model import Request
from catalog.requests.moves import subject_of
from catalog.requests.telling import about
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import FieldError, FieldErrors
from portal.core.language import _
from portal.identity.actor import Actor
from portal.notifications import notify


def propose(
    session: Session, actor: Actor, request_id: int, *, answers: Mapping[str, Any], reason: str, seal: str
) -> Remark:
    """Propose these checked answers in the place of the request's.

    Raises what `stand` does, and FieldErrors when a rule forbids them, when they change nothing, or when they ask
    for more than the request or for something else: in a field that cannot shrink, for somebody else, for longer, or
    at a higher risk.
    """
    standing = stand(session, actor, request_id, seal)
    request, stage = standing.request, standing.stage
    reason = checked(reason, "_reason", missing=_("Write why you propose this; the requester reads it."))
    insist_on_none_open(session, standing)
    changes = differing(request.answers, answers)
    if not changes:
        raise FieldErrors((FieldError("", _("Change at least one answer. This is what was asked for.")),))
    _insist_on_the_same(request, changes)
    context = context_for(
        session, request.version, answers, requester=request.requester, at=request.submitted_at
    )
    if broken := broken_rules(context.document, context.facts):
        raise FieldErrors(broken)
    _insist_on_less(request, context)
    # First, so that whatever is said while the clock stands still was said after it stopped.
    wait_for_requester(session, request)
    remark = Remark(
        request_id=request.id,
        revision=request.revision,
        stage_id=stage.id,
        author_id=standing.person_id,
        kind=RemarkKind.PROPOSAL,
        state=RemarkState.OPEN,
        text=reason,
        said_at=now(session),
        seal=request.seal,
        changes=changes,
    )
    session.add(remark)
    record(
        session,
        tags.PROPOSED,
        subject=subject_of(request),
        actor=actor,
        facts={
            "stage": stage.slug,
            "revision": request.revision,
            "seal": request.seal,
            "fields": sorted(changes),
        },
        personal={"comment": reason},
    )
    notify(
        session,
        "proposal_made",
        request.requester,
        {
            **about(request),
            "proposer": actor.name,
            "reason": reason,
            "changes": [
                (line.label, line.before, line.after)
                for line in difference_of(document_of(request.version), changes)
            ],
            "path": f"/requests/{request.reference}",
        },
    )
    return remark


def _insist_on_the_same(request: Request, changes: Mapping[str, Any]) -> None:
    """What is not less of the same must stay: its author would approve a request that they wrote themselves."""
    document = document_of(request.version)
    others = [name for name in not_narrower(document, changes) if name != document.beneficiary]
    if others:
        raise FieldErrors(
            tuple(
                FieldError(
                    name,
                    _(
                        "Propose less of the same: fewer entries, an earlier end, a shorter time or a smaller number. "
                        "Leave this as it was, or deny the request and say what you would agree to."
                    ),
                )
                for name in others
            )
        )


def _insist_on_less(request: Request, context: Context) -> None:
    """What can be compared must not grow: for whom, how long, and the risk as the offering itself weighs it."""
    if context.beneficiary.id != request.beneficiary_id:
        field = context.document.beneficiary or ""
        raise FieldErrors((FieldError(field, _("Leave whom it is for. That would be another request.")),))
    if request.ends_at is not None and (context.ends_at is None or context.ends_at > request.ends_at):
        raise FieldErrors((FieldError("", _("This would last longer than what was asked for.")),))
    score = assess_risk(context.document, context.facts).score
    if score > int(request.risk.get("score", 0)):
        raise FieldErrors(
            (
                FieldError(
                    "",
                    _(
                        "This would be riskier than what was asked for: score %(now)s instead of %(before)s.",
                        now=score,
                        before=request.risk.get("score", 0),
                    ),
                ),
            )
        )
