"""Having what was found taken away: by a request with the owner's approval, or by ending a record of nothing."""

from __future__ import annotations

from sqlalchemy.orm import Session

from catalog.entitlements.ending import end_entitlement, get_locked_entitlement
from catalog.entitlements.model import EntitlementState
from catalog.reconciliation import tags
from catalog.reconciliation.model import Finding, FindingKind
from catalog.reconciliation.offered import REMOVAL, version_for
from catalog.reconciliation.rights import get_for_work
from catalog.requests.duplicates import OPEN
from catalog.requests.model import Request
from catalog.requests.submit import make_request
from portal.audit import record
from portal.core.errors import Conflict, FieldError
from portal.core.language import N_, _, say
from portal.core.text import clean_text
from portal.identity.actor import Actor

LEAST_REASON, LONGEST_REASON = 10, 1000
#: Who is asked where nobody is known to answer for it.
NOBODYS = "catalogue-owners"
NOT_THERE = N_("Its target does not show it any more, so its record was ended: %(reason)s")


def raise_removal(session: Session, actor: Actor, finding_id: int, reason: str) -> Request:
    """A request that takes the thing away once its owner agrees.

    Raises NotFound, Forbidden, FieldError for a reason too short, Conflict for a closed finding, one that is worked
    on already, or one that is missing anyway.
    """
    finding = get_for_work(session, actor, finding_id)
    insist_on_free(session, finding)
    if finding.kind is FindingKind.MISSING:
        raise Conflict(
            _("It is not on its target, so there is nothing to take away. End its record instead.")
        )
    request = make_request(
        session,
        actor,
        version_for(session, REMOVAL),
        {
            "thing": str(finding.label)[:500],
            "connector": finding.connector,
            "key": finding.key,
            "owner": finding.owner or NOBODYS,
            "reason": checked_reason(reason),
        },
    )
    finding.request_id = request.id
    record(
        session,
        tags.REMOVAL_RAISED,
        subject=f"finding:{finding.id}",
        actor=actor,
        facts={"request": request.reference},
    )
    return request


def end_record(session: Session, actor: Actor, finding_id: int, reason: str) -> None:
    """End the entitlement of something that is not on its target any more; its holder is told.

    Raises NotFound, Forbidden, FieldError, Conflict for a finding of another kind or a record that has ended.
    """
    finding = get_for_work(session, actor, finding_id)
    said = checked_reason(reason)
    if finding.kind is not FindingKind.MISSING or finding.entitlement_id is None:
        raise Conflict(_("Only the record of something that is missing is ended this way."))
    entitlement = get_locked_entitlement(session, finding.entitlement_id)
    if entitlement.state is not EntitlementState.LIVE:
        raise Conflict(_("This has ended already, or is just being taken away."))
    end_entitlement(session, entitlement, why=say(NOT_THERE, reason=said))
    record(
        session,
        tags.RECORD_ENDED,
        subject=f"finding:{finding.id}",
        actor=actor,
        facts={"entitlement": entitlement.id},
        personal={"reason": said},
    )


def insist_on_free(session: Session, finding: Finding) -> None:
    """Raises Conflict while a request about the finding is open."""
    request = session.get(Request, finding.request_id) if finding.request_id else None
    if request is not None and request.state in OPEN:
        raise Conflict(_("%(reference)s is about this already and still open.", reference=request.reference))


def checked_reason(text: str) -> str:
    """The reason, cleaned. Raises FieldError."""
    try:
        said = clean_text(text)
    except ValueError as error:
        raise FieldError("reason", f"{error}.") from error
    if not LEAST_REASON <= len(said) <= LONGEST_REASON:
        message = _(
            "Give a reason of %(least)s to %(most)s characters; others read it.",
            least=LEAST_REASON,
            most=LONGEST_REASON,
        )
        raise FieldError("reason", message)
    return said
