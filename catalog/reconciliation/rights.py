"""Who may see a finding and work on it: compliance and operators all, and the group that answers for it its own."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, exists, or_, select, true
from sqlalchemy.orm import Session

from catalog.entitlements.model import Entitlement
from catalog.reconciliation.model import Finding, FindingState
from catalog.requests.audited import requests_in_scope
from portal.core.errors import Conflict, Forbidden, NotFound
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.model import Group
from portal.identity.permissions import Permission


def owned_slugs(session: Session, actor: Actor) -> frozenset[str]:
    """The slugs of the actor's groups; one statement, and none without groups."""
    if not actor.group_ids:
        return frozenset()
    return frozenset(session.scalars(select(Group.slug).where(Group.id.in_(actor.group_ids))))


def group_names(session: Session, slugs: Iterable[str]) -> dict[str, str]:
    """What groups are called, by slug; one statement, and none for no slugs."""
    wanted = {slug for slug in slugs if slug}
    if not wanted:
        return {}
    rows = session.execute(select(Group.slug, Group.name).where(Group.slug.in_(wanted)))
    return {row.slug: row.name for row in rows}


def get_finding(session: Session, actor: Actor, finding_id: int) -> Finding:
    """The finding, if the actor may see it. Raises NotFound otherwise: that it exists is no stranger's business."""
    finding = session.get(Finding, finding_id)
    if finding is not None and actor.audit is not None and actor.audit.limited:
        within = select(exists().where(Finding.id == finding_id, finding_in_scope(actor)))
        finding = finding if session.scalar(within) else None
    if finding is None or not (
        actor.may(Permission.READ_FINDINGS) or finding.owner in owned_slugs(session, actor)
    ):
        raise NotFound(_("There is no such finding, or it is not yours to see."))
    return finding


def finding_in_scope(actor: Actor) -> ColumnElement[bool]:
    """A condition on Finding: of a limited auditor's account what belongs to a request in scope; else all."""
    if actor.audit is None or not actor.audit.limited:
        return true()
    requests = requests_in_scope(actor)
    held = select(Entitlement.id).where(Entitlement.request_id.in_(requests))
    return or_(Finding.entitlement_id.in_(held), Finding.request_id.in_(requests))


def may_work(session: Session, actor: Actor, finding: Finding) -> bool:
    """Whether the actor may have it removed or adopted."""
    return actor.may(Permission.WORK_FINDINGS) or finding.owner in owned_slugs(session, actor)


def get_for_work(session: Session, actor: Actor, finding_id: int) -> Finding:
    """The finding, locked, if the actor may work on it. Raises NotFound, Forbidden, Conflict for a closed one."""
    finding = get_finding(session, actor, finding_id)
    if not may_work(session, actor, finding):
        raise Forbidden(_("Compliance, operators and whoever answers for it work on a finding."))
    session.refresh(finding, with_for_update=True)
    if finding.state is FindingState.CLOSED:
        raise Conflict(_("This finding is closed: reconciliation does not see it any more."))
    return finding
