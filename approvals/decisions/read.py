"""Gathering a decision card: few statements, all of them here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, joinedload

from approvals.decisions.model import Decision
from approvals.routing.eligible import Eligible, eligible_among
from approvals.routing.model import Sealing, Stage
from approvals.routing.progress import Place, places_of, was_asked
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.offerings.model import OfferingVersion
from catalog.requests.model import Request
from portal.core.errors import NotFound
from portal.identity.actor import Actor
from portal.identity.model import Person

HOLDINGS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """What the database says of one request and its decisions, for one reader."""

    request: Request
    sealing: Sealing | None
    places: Sequence[Place]
    #: The stages in which the reader may decide by the directory as it is now.
    eligible: Eligible
    #: What the beneficiary has already; one more than is shown where there is more.
    entitlements: Sequence[tuple[Entitlement, str]]

    @property
    def stages(self) -> Sequence[Stage]:
        """The stages in order."""
        return list({place.stage.id: place.stage for place in self.places}.values())

    def decision_of(self, person_id: int | None) -> Decision | None:
        """What this person has said on the request's current revision, if anything that still counts."""
        decisions = (place.decision for place in self.places if place.approver.person_id == person_id)
        return next((decision for decision in decisions if decision and decision.voided_at is None), None)


def read_for_decision(session: Session, actor: Actor, reference: str) -> Reading:
    """What the actor needs to decide the request, in four statements, or one more for each further kind of rule.

    Raises NotFound for everybody who neither is nor was asked to decide, whether or not the request exists: its
    existence is itself a secret.
    """
    request, sealing = _request(session, reference)
    places = places_of(session, request.id)
    mine = [
        place for place in places if place.approver.person_id == actor.person_id and place.stage.opened_at
    ]
    if not mine and not was_asked(session, request.id, actor.person_id or 0):
        raise _unknown()
    stages = list({place.stage.id: place.stage for place in places}.values())
    return Reading(
        request=request,
        sealing=sealing,
        places=places,
        eligible=eligible_among(session, request, stages, [place.approver for place in mine]),
        entitlements=_entitlements(session, request),
    )


def _request(session: Session, reference: str) -> tuple[Request, Sealing | None]:
    statement = (
        select(Request, Sealing)
        .outerjoin(Sealing, and_(Sealing.request_id == Request.id, Sealing.revision == Request.revision))
        .where(Request.reference == reference)
        .options(
            joinedload(Request.version).joinedload(OfferingVersion.offering),
            joinedload(Request.requester).joinedload(Person.unit),
            joinedload(Request.beneficiary).joinedload(Person.unit),
        )
        .execution_options(populate_existing=True)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        raise _unknown()
    return row[0], row[1]


def _entitlements(session: Session, request: Request) -> Sequence[tuple[Entitlement, str]]:
    """The beneficiary's, those on the same targets first."""
    targets = [plan["target"] for plan in request.plans]
    statement = (
        select(Entitlement, Request.reference)
        .join(Request, Request.id == Entitlement.request_id)
        .where(Entitlement.person_id == request.beneficiary_id, Entitlement.state == EntitlementState.LIVE)
        .order_by(Entitlement.target.in_(targets).desc(), Entitlement.granted_at.desc(), Entitlement.id)
        .limit(HOLDINGS_SHOWN + 1)
    )
    return [(entitlement, reference) for entitlement, reference in session.execute(statement)]


def _unknown() -> NotFound:
    return NotFound("There is no such request, or you were not asked to decide it.")
