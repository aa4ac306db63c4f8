"""Signing a standing approval, which puts it in force, and revoking it, which ends it at once."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from approvals import tags
from approvals.standing.digest import is_as_proposed
from approvals.standing.model import StandingApproval, StandingSignature, StandingState
from approvals.standing.propose import subject_of
from approvals.standing.signers import acr_for, complete, needed, signatures_of, signer
from approvals.standing.telling import tell_revoked
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, FieldError, Forbidden, NotFound
from portal.core.language import _
from portal.core.settings import Settings
from portal.core.text import clean_text
from portal.identity.actor import Actor
from portal.identity.permissions import Permission
from portal.identity.step_up import StepUp

LEAST_REASON, LONGEST_REASON = 5, 2000


def get_locked_standing(session: Session, number: int) -> StandingApproval:
    """The standing approval as it is now, locked until this transaction ends. Raises NotFound."""
    statement = select(StandingApproval).where(StandingApproval.id == number).with_for_update()
    found = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound(_("There is no such standing approval."))
    return found


def sign(session: Session, actor: Actor, number: int, *, digest: str, settings: Settings) -> StandingApproval:
    """Record the actor's signature on this digest; with the last one needed it enters into force.

    Raises Forbidden for whoever may not sign, Conflict when it is not what the page showed, no longer waits, has ended
    or was signed by them already, StepUpNeeded for a sign-in that is not as fresh as for a high risk, or not as strong as
    the stages demand that it stands in for.
    """
    standing = get_locked_standing(session, number)
    wanted = needed(session, standing)
    right = signer(wanted, actor.person_id)
    if right is None:
        raise Forbidden(
            _(
                "You cannot sign this: the people of the service's own stages do, and nobody signs what they proposed "
                "or published."
            )
        )
    if standing.state is not StandingState.PROPOSED or now(session) >= standing.ends_at:
        raise Conflict(_("This standing approval does not wait for signatures any more."))
    if digest != standing.digest or not is_as_proposed(standing):
        raise Conflict(_("This is not what you were shown. Read it again before you sign."))
    at = now(session)
    acr = acr_for(wanted, right.person_id)
    auth_time = StepUp.of(settings).check(actor, risk="high", acr=acr, at=at)
    signature = StandingSignature(
        standing_id=standing.id,
        person_id=right.person_id,
        digest=standing.digest,
        rule=right.rule,
        relation=right.relation,
        signed_at=at,
        auth_time=auth_time,
        acr=actor.acr,
        amr=list(actor.amr),
    )
    try:
        with session.begin_nested():
            session.add(signature)
    except IntegrityError as error:
        raise Conflict(_("You have signed this already.")) from error
    record(
        session,
        tags.STANDING_SIGNED,
        subject=subject_of(standing),
        actor=actor,
        facts={
            "digest": standing.digest,
            "rule": right.rule,
            "auth_time": auth_time.isoformat(),
            "acr": actor.acr,
            "amr": list(actor.amr),
        },
    )
    signed = signatures_of(session, standing)
    if complete(wanted, signed):
        standing.state = StandingState.IN_FORCE
        standing.in_force_at = at
        record(
            session,
            tags.STANDING_ENTERED,
            subject=subject_of(standing),
            actor=actor,
            facts={
                "digest": standing.digest,
                "signers": [f"person:{person}" for person in sorted(signed)],
            },
        )
    return standing


def revoke(session: Session, actor: Actor, number: int, reason: str) -> StandingApproval:
    """End it at once: from this commit on every request goes the usual way.

    Whoever proposed it, may sign it or may propose such may revoke it. Raises Forbidden, Conflict when it is revoked
    already, FieldError without a reason.
    """
    standing = get_locked_standing(session, number)
    if not may_revoke(session, actor, standing):
        raise Forbidden(_("Only its proposer and its signers can revoke this standing approval."))
    if standing.state is StandingState.REVOKED:
        raise Conflict(_("This standing approval was revoked already."))
    standing.revoked_because = _checked(reason)
    standing.state = StandingState.REVOKED
    standing.revoked_at = now(session)
    standing.revoked_by_id = actor.person_id
    session.flush()
    record(
        session,
        tags.STANDING_REVOKED,
        subject=subject_of(standing),
        actor=actor,
        facts={"digest": standing.digest, "used": standing.used},
        personal={"reason": standing.revoked_because},
    )
    tell_revoked(session, standing, actor)
    return standing


def may_revoke(session: Session, actor: Actor, standing: StandingApproval) -> bool:
    """Whether the actor may end it: stopping is left to more people than allowing."""
    if actor.person_id is None:
        return False
    return (
        actor.person_id == standing.proposer_id
        or actor.may(Permission.PROPOSE_STANDING)
        or signer(needed(session, standing), actor.person_id) is not None
    )


def _checked(reason: str) -> str:
    try:
        reason = clean_text(reason)
    except ValueError as error:
        raise FieldError("reason", f"{error}.") from error
    if not LEAST_REASON <= len(reason) <= LONGEST_REASON:
        raise FieldError(
            "reason",
            _("Write why, in %(least)s to %(most)s characters.", least=LEAST_REASON, most=LONGEST_REASON),
        )
    return reason
