"""Several requests by one order: for several people, or from a file. Each is a request of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.fulfilment.connectors.registry import Connectors
from catalog.offerings.audience import get_visible_version
from catalog.offerings.model import OfferingVersion
from catalog.offerings.queries import document_of
from catalog.offerings.several import check_people
from catalog.ordering.tags import ORDERED
from catalog.requests.checking import form_context_of
from catalog.requests.context import context_for, get_person
from catalog.requests.drafts import get_locked_draft
from catalog.requests.duplicates import open_duplicate, sentence_about
from catalog.requests.model import Draft, OrderGroup
from catalog.requests.submit import insist_on_current, make_request
from portal.audit import record
from portal.core.clock import now
from portal.core.errors import Conflict, PortalError
from portal.core.language import _, spoken
from portal.identity.actor import Actor


@dataclass(frozen=True, slots=True)
class OnePerson:
    """One person of an order: as typed, and what asking for them would be, or what is wrong with it."""

    typed: str
    name: str
    title: str
    answers: Mapping[str, Any]
    problems: tuple[str, ...]


def preview(
    session: Session,
    actor: Actor,
    draft: Draft,
    version: OfferingVersion,
    *,
    names: Sequence[str],
    connectors: Connectors,
) -> tuple[OnePerson, ...]:
    """What the order would ask for, person by person. Raises FieldErrors."""
    _, context = form_context_of(session, actor, connectors)
    document = document_of(version)
    return tuple(
        _one(session, actor, version, name, answers)
        for name, answers in zip(names, check_people(document, draft.answers, names, context), strict=True)
    )


def submit_draft_for(
    session: Session,
    actor: Actor,
    token: str,
    *,
    raw: Mapping[str, Any],
    version: OfferingVersion,
    answers: Sequence[Mapping[str, Any]],
) -> OrderGroup:
    """Make a checked draft for several people an order; sent twice it is the same order.

    Raises NotFound for a draft that is not the actor's, Conflict when it or the service changed meanwhile.
    """
    draft = get_locked_draft(session, actor, token)
    if draft.order_group_id is not None:
        return session.get_one(OrderGroup, draft.order_group_id)
    if draft.answers != raw or draft.request_id is not None:
        raise Conflict(
            _("Your answers changed while they were being sent. Look them over and send them again.")
        )
    group = place(session, actor, token, version, answers)
    draft.offering_version_id = version.id
    draft.order_group_id = group.id
    return group


def place(
    session: Session,
    actor: Actor,
    token: str,
    version: OfferingVersion,
    answers: Sequence[Mapping[str, Any]],
) -> OrderGroup:
    """All of these requests, or none. The token stands for the order: a second one under it gives the first.

    Raises Conflict when the service changed or something is asked for already, NotFound where it is not for the
    actor, FieldErrors for a rule across fields.
    """
    made = session.scalars(select(OrderGroup).where(OrderGroup.token == token)).one_or_none()
    if made is not None:
        return made
    insist_on_current(session, version)
    get_visible_version(session, actor, version.offering.slug)
    group = OrderGroup(
        token=token,
        person_id=actor.person_id,
        offering_version_id=version.id,
        created_at=now(session),
    )
    session.add(group)
    session.flush()
    references = [
        make_request(session, actor, version, each, order_group_id=group.id).reference for each in answers
    ]
    record(
        session,
        ORDERED,
        subject=f"order:{group.id}",
        actor=actor,
        facts={"offering_digest": version.digest, "requests": references},
    )
    return group


def _one(
    session: Session, actor: Actor, version: OfferingVersion, name: str, answers: Mapping[str, Any]
) -> OnePerson:
    try:
        context = context_for(
            session,
            version,
            answers,
            requester=get_person(session, actor.person_id or 0),
            at=now(session),
        )
        problem = sentence_about(open_duplicate(session, context))
    except PortalError as error:
        return OnePerson(name, name, "", answers, (spoken(error.sentence),))
    return OnePerson(
        name, context.beneficiary.name, spoken(context.title), answers, (problem,) if problem else ()
    )
