"""Accepting a finding as it is until a day: one person of compliance proposes it, a second one confirms."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.reconciliation import tags
from catalog.reconciliation.keeping import acceptance_in_force, state_digest
from catalog.reconciliation.model import Acceptance, Finding, FindingState
from catalog.reconciliation.removing import checked_reason
from catalog.reconciliation.rights import get_for_work
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, Forbidden
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.permissions import Permission

#: Nothing is accepted for longer than until somebody looks at it again.
LONGEST = timedelta(days=366)


def propose_acceptance(
    session: Session, actor: Actor, finding_id: int, *, reason: str, until: date | None
) -> Acceptance:
    """Propose that it may stay until that day, which is a year ahead at most.

    Raises NotFound, Forbidden, FieldError, Conflict where it is accepted or proposed already.
    """
    finding = _for_acceptance(session, actor, finding_id)
    said = checked_reason(reason)
    today = now(session).date()
    if until is None or not today < until <= today + LONGEST:
        raise FieldError("until", _("Give a day after today and within a year; it is looked at again then."))
    if waiting_acceptance(session, finding) or finding.state is FindingState.ACCEPTED:
        raise Conflict(_("It is accepted already, or somebody has proposed that."))
    acceptance = Acceptance(
        finding_id=finding.id,
        reason=said,
        until=until,
        digest=state_digest(finding),
        proposed_by_id=actor.person_id,
        proposed_at=now(session),
    )
    session.add(acceptance)
    session.flush()
    _record(session, tags.PROPOSED, actor, acceptance, reason=said)
    return acceptance


def confirm_acceptance(session: Session, actor: Actor, finding_id: int) -> Acceptance:
    """Say the second yes. Raises Forbidden for whoever proposed it, Conflict when it has changed since."""
    finding = _for_acceptance(session, actor, finding_id)
    acceptance = _get_waiting(session, finding)
    if acceptance.proposed_by_id == actor.person_id:
        raise Forbidden(_("You proposed this yourself; a second person of compliance must confirm it."))
    if acceptance.digest != state_digest(finding) or acceptance.until < now(session).date():
        acceptance.ended_at = now(session)
        _record(session, tags.LAPSED, actor, acceptance)
        raise Conflict(_("The finding has changed since this was proposed. Propose it again if it may stay."))
    acceptance.confirmed_by_id, acceptance.confirmed_at = actor.person_id, now(session)
    finding.state = FindingState.ACCEPTED
    _record(session, tags.ACCEPTED, actor, acceptance)
    return acceptance


def refuse_acceptance(session: Session, actor: Actor, finding_id: int) -> None:
    """Say no to what is proposed, or take back one's own proposal, or end what was accepted."""
    finding = _for_acceptance(session, actor, finding_id)
    acceptance = waiting_acceptance(session, finding) or acceptance_in_force(session, finding)
    if acceptance is None:
        raise Conflict(_("Nobody proposes to accept this at the moment."))
    acceptance.ended_at = now(session)
    finding.state = FindingState.OPEN
    _record(session, tags.REFUSED, actor, acceptance)


def waiting_acceptance(session: Session, finding: Finding) -> Acceptance | None:
    """The proposal that waits for a second person; one statement."""
    return session.scalars(
        select(Acceptance)
        .where(
            Acceptance.finding_id == finding.id,
            Acceptance.confirmed_at.is_(None),
            Acceptance.ended_at.is_(None),
        )
        .order_by(Acceptance.id.desc())
        .limit(1)
    ).one_or_none()


def _for_acceptance(session: Session, actor: Actor, finding_id: int) -> Finding:
    finding = get_for_work(session, actor, finding_id)
    if not actor.may(Permission.ACCEPT_FINDINGS):
        raise Forbidden(_("Only compliance accepts a finding."))
    return finding


def _get_waiting(session: Session, finding: Finding) -> Acceptance:
    acceptance = waiting_acceptance(session, finding)
    if acceptance is None:
        raise Conflict(_("Nobody proposes to accept this at the moment."))
    return acceptance


def _record(session: Session, tag: str, actor: Actor, acceptance: Acceptance, *, reason: str = "") -> None:
    record(
        session,
        tag,
        subject=f"finding:{acceptance.finding_id}",
        actor=actor,
        facts={
            "acceptance": acceptance.id,
            "until": acceptance.until.isoformat(),
            "seen": acceptance.digest,
        },
        personal={"reason": reason} if reason else None,
    )
