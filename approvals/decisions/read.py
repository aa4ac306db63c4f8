"""Gathering a decision card: few statements, all of them here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session, aliased, joinedload

from approvals.conversation.model import Remark
from approvals.conversation.present import Conversations
from approvals.decisions.model import CardOpening, Decision
from approvals.delegation.beside_request import COLUMNS, SUBSTITUTE, concerns_request, read_from
from approvals.delegation.in_force import InForce
from approvals.delegation.model import Delegation
from approvals.routing.eligible import Eligible, eligible_among
from approvals.routing.model import Sealing, Stage, StageState
from approvals.routing.progress import Place, places_of, was_asked
from approvals.routing.router import Router
from catalog.changes.beside import change_card
from catalog.changes.card import NOTHING, ChangeCard
from catalog.changes.model import PlannedChange
from catalog.entitlements.model import Entitlement, EntitlementState
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.requests.conversation import Conversation
from catalog.requests.model import Request
from catalog.requests.named import named_in
from portal.core.clock import now
from portal.core.errors import NotFound
from portal.core.language import _
from portal.identity.actor import Actor
from portal.identity.model import Person

HOLDINGS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """What the database says of one request and its decisions, for one reader."""

    request: Request
    sealing: Sealing | None
    places: Sequence[Place]
    #: The stages in which the reader may decide by the directory as it is now; with everybody else's places where the
    #: reader has several open ones, as choosing between those needs.
    eligible: Eligible
    #: What the beneficiary has already; one more than is shown where there is more.
    entitlements: Sequence[tuple[Entitlement, str]]
    conversation: Conversation
    #: How the people, units and groups are called that the answers name.
    called: Mapping[tuple[str, str], str]
    #: When it is carried out, and what else is then.
    change: ChangeCard = NOTHING
    #: The seal under which the reader opened the card the last time; empty when they never did.
    seen: str = ""
    #: What was sealed before this, where it was planned again.
    earlier: Sealing | None = None

    @property
    def stages(self) -> Sequence[Stage]:
        """The stages in order."""
        return list({place.stage.id: place.stage for place in self.places}.values())

    @property
    def decisions(self) -> Sequence[Decision]:
        """What was said on the request's current revision and still counts, in order."""
        found = {place.decision.id: place.decision for place in self.places if place.decision is not None}
        return [found[number] for number in sorted(found) if found[number].voided_at is None]

    def decision_of(self, person_id: int | None) -> Decision | None:
        """What this person has said on the request's current revision, if anything that still counts."""
        return next(
            (
                decision
                for decision in self.decisions
                if person_id in {decision.person_id, decision.on_behalf_of_id}
            ),
            None,
        )


def read_for_decision(session: Session, actor: Actor, reference: str) -> Reading:
    """What the actor needs to decide the request, in four statements.

    Each further kind of rule takes one more, and so do names in the answers. Raises NotFound for everybody who neither is nor was asked to decide, whether or not the request exists: its
    existence is itself a secret.
    """
    request, sealing, earlier, seen, talked, change, delegations = _request(session, actor, reference)
    places = places_of(session, request.id)
    me = {actor.person_id} | {one.delegator_id for one in delegations if one.substitute_id == actor.person_id}
    mine = [place for place in places if place.approver.person_id in me and place.stage.opened_at]
    if not mine and not was_asked(session, request.id, actor.person_id or 0):
        raise _unknown()
    stages = list({place.stage.id: place.stage for place in places}.values())
    open_ones = {place.stage.id for place in mine if place.stage.state is StageState.OPEN}
    rows = [place.approver for place in (places if len(open_ones) > 1 else mine)]
    return Reading(
        request=request,
        sealing=sealing,
        places=places,
        eligible=eligible_among(session, request, stages, rows, delegations=delegations),
        entitlements=_entitlements(session, request),
        called=named_in(
            session,
            document_of(request.version),
            request.answers,
            (request.requester, request.beneficiary),
        ),
        conversation=Conversations().of(session, actor, request) if talked else Conversation(),
        change=change_card(session, actor, request, change, sees=Router()),
        seen=seen,
        earlier=earlier,
    )


def _request(
    session: Session, actor: Actor, reference: str
) -> tuple[Request, Sealing | None, Sealing | None, str, bool, PlannedChange | None, tuple[InForce, ...]]:
    """The request, what was sealed now and before, the seal that the reader saw, whether anybody spoke, and what was delegated."""
    before = aliased(Sealing)
    talked = exists().where(Remark.request_id == Request.id).correlate(Request)
    statement = (
        select(Request, Sealing, before, CardOpening.seal, talked, PlannedChange, *COLUMNS)
        .outerjoin(Sealing, and_(Sealing.request_id == Request.id, Sealing.revision == Request.revision))
        .outerjoin(before, and_(before.request_id == Request.id, before.revision == Request.revision - 1))
        .outerjoin(
            CardOpening,
            and_(CardOpening.request_id == Request.id, CardOpening.person_id == actor.person_id),
        )
        .outerjoin(PlannedChange, PlannedChange.request_id == Request.id)
        .outerjoin(Delegation, concerns_request(now(session)))
        .outerjoin(SUBSTITUTE, SUBSTITUTE.id == Delegation.substitute_id)
        .where(Request.reference == reference)
        .options(
            joinedload(Request.version).joinedload(OfferingVersion.offering),
            joinedload(Request.requester).joinedload(Person.unit),
            joinedload(Request.beneficiary).joinedload(Person.unit),
        )
        .execution_options(populate_existing=True)
    )
    rows = session.execute(statement).all()
    if not rows:
        raise _unknown()
    request, sealing, earlier, seen, talking, change = rows[0][:6]
    return request, sealing, earlier, seen or "", talking, change, read_from(rows)


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
    return NotFound(_("There is no such request, or you were not asked to decide it."))
